"""`sequence-sync bookings list|show|cancel|resync`; `retry` is in `cli.retry`."""

from bookings.clock import moment
from bookings.delayed import Filter, find, of_booking
from bookings.operating import accounts_of, note
from bookings.record import Booking, Write, WriteState
from bookings.retry import Chosen, Plan, try_now
from bookings.showing import booking_summary, shown_event, waits_for, whole_booking
from bookings.store import Store
from cli.options import CommandError, Exit, operator, typed
from cli.output import confirmed, print_json, print_table, words
from cli.progress import whole
from cli.stores import opened
from config.settings import Settings

STATES = ("open", "dead", "done")
OF_WRITES = ("parked", "retrying")
"""States of writes; in the list they mean the bookings that have such a write."""


async def run_list(
    settings: Settings, *, app: str | None, state: str | None, limit: int, as_json: bool
) -> Exit:
    """Lists bookings, newest delivery first."""
    if state is not None and state not in STATES + OF_WRITES:
        raise CommandError(f"--state {state}: there are {', '.join(STATES + OF_WRITES)}", Exit.USAGE)
    async with opened(settings) as store:
        if state in OF_WRITES:
            found = await _delayed(store, Filter(app=app, state=WriteState(state)), limit)
        else:
            found = await _listed(store, app, state, limit)
    if as_json:
        print_json([booking_summary(booking) for booking in found])
    elif found:
        print_table(
            ("booking", "app", "event_id", "revision", "accepted", "parts", "state", "waits for"),
            [
                (
                    booking.id,
                    booking.app,
                    booking.event_id,
                    str(booking.revision),
                    moment(booking.accepted_at),
                    str(len(booking.parts)),
                    booking.state,
                    ", ".join(waits_for(booking)) or "-",
                )
                for booking in found
            ],
        )
    if not found:
        words.print("no booking matches")
        return Exit.NOTHING_MATCHED
    return Exit.DONE


async def _listed(store: Store, app: str | None, state: str | None, limit: int) -> list[Booking]:
    found: list[Booking] = []
    async for booking in store.bookings() if state is None else store.bookings_of_state(state):
        if app is None or booking.app == app:
            found.append(booking)
            if len(found) == limit:
                break
    return found


async def _delayed(store: Store, wanted: Filter, limit: int) -> list[Booking]:
    """The bookings with such a write, found by the index of those and not among all bookings."""
    ids = dict.fromkeys([each.booking async for each in find(store, wanted, {})])
    found = [booking for bid in ids if (booking := await store.booking(bid)) is not None]
    return sorted(found, key=lambda booking: -booking.accepted_at)[:limit]


async def run_show(settings: Settings, wanted: str, *, app: str | None, reveal: bool, as_json: bool) -> Exit:
    """Shows one booking, by its id or by its app and event_id."""
    async with opened(settings) as store:
        booking = await _find(store, settings, wanted, app)
    if booking is None:
        return Exit.NOTHING_MATCHED
    if as_json:
        print_json(whole_booking(booking, reveal=reveal))
    else:
        _print_booking(booking, reveal=reveal)
    return Exit.DONE


async def run_cancel(settings: Settings, wanted: str, *, app: str | None, yes: bool) -> Exit:
    """Withdraws a booking: a tombstone first, then workers remove its events."""
    async with opened(settings) as store:
        booking = await _find(store, settings, wanted, app)
        if booking is None:
            return Exit.NOTHING_MATCHED
        question = f"cancel {booking.event_id} of {booking.app} and remove its {len(booking.parts)} parts"
        if not yes and not await confirmed(question):
            return Exit.FAILED
        await whole(_cancel(store, booking))
    said = f"workers remove the events of {len(booking.parts)} parts"
    words.print(f"cancelled; {said} (see `bookings show {booking.id}`)")
    return Exit.DONE


async def _cancel(store: Store, booking: Booking) -> None:
    await store.cancel(booking.id)
    await note(store, operator(), "cancel", booking=booking.id)


async def run_resync(settings: Settings, wanted: str, *, app: str | None) -> Exit:
    """Has every event of a booking looked at, and our fields written once more."""
    async with opened(settings) as store:
        booking = await _find(store, settings, wanted, app)
        if booking is None:
            return Exit.NOTHING_MATCHED
        plans = await whole(_resync(store, settings, booking))
    for plan in plans:
        words.print(f"{plan.found.write.calendar}: {plan.said}")
    words.print(f"workers look at {len(booking.parts)} parts again (see `bookings show {booking.id}`)")
    return Exit.DONE


async def _resync(store: Store, settings: Settings, booking: Booking) -> list[Plan]:
    for part in booking.parts:
        await store.ask(booking.id, part.id, "resync")
    await note(store, operator(), "resync", booking=booking.id)
    delayed = of_booking(booking, accounts_of(settings))
    return await try_now(store, Chosen((booking.id,)), delayed, who=operator()) if delayed else []


async def _find(store: Store, settings: Settings, wanted: str, app: str | None) -> Booking | None:
    """A booking by its id, or by its event_id in any app or in one. Raises `CommandError`."""
    apps = [each.name for each in settings.apps if app is None or each.name == app]
    found = await store.bookings_called(typed(wanted), apps)
    if not found:
        words.print(f"no booking has the id or the event_id {wanted!r}")
        return None
    if len(found) > 1:
        names = ", ".join(booking.app for booking in found)
        raise CommandError(f"several apps have a booking with this event_id ({names}); say --app", Exit.USAGE)
    return found[0]


def _attempts(write: Write) -> str:
    said = [f"{len(write.attempts)} failed"] if write.attempts else []
    if write.is_delayed:
        said.append(f"waits since {moment(write.failing_since)}")
    if write.state.is_open and write.due_at:
        said.append(f"next {moment(write.due_at)}")
    return ", ".join(said) or "-"


def _print_booking(booking: Booking, *, reveal: bool) -> None:
    rows = []
    for part in booking.parts:
        sequence_id = "(whole)" if part.part.sequence_id is None else str(part.part.sequence_id)
        name = sequence_id if part.listed else f"{sequence_id} (no longer listed)"
        if not part.writes:
            rows.append((name, "", part.state, "", "", ""))
        for write in part.writes:
            state = str(write.state) if write.revision >= part.revision else "pending"
            rows.append(
                (
                    name,
                    write.calendar or "-",
                    state,
                    write.event_id or "-",
                    ", ".join(filter(None, (write.reason, write.detail, *write.degraded))) or "-",
                    _attempts(write),
                )
            )
    print_table(
        ("booking", "app", "event_id", "revision", "accepted", "state"),
        [
            (
                booking.id,
                booking.app,
                booking.event_id,
                str(booking.revision),
                moment(booking.accepted_at),
                booking.state,
            )
        ],
    )
    print_table(("part", "calendar", "state", "event", "reason", "attempts"), rows)
    if reveal:
        print_json([shown_event(part.part, reveal=True) for part in booking.parts])
