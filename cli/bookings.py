"""`sequence-sync bookings list|show|cancel|resync`."""

import getpass
import json
from typing import Any

import msgspec

from bookings.clock import now_ms
from bookings.identity import booking_id
from bookings.record import Booking, Part, Write
from bookings.store import Store
from cli.options import CommandError, Exit
from cli.output import confirmed, moment, print_json, print_table, words
from cli.stores import opened
from config.settings import Settings

STATES = ("open", "dead", "done")
_REDACTED = "(hidden; --reveal shows it)"


async def run_list(
    settings: Settings, *, app: str | None, state: str | None, limit: int, as_json: bool
) -> Exit:
    """Lists bookings, newest delivery first."""
    if state is not None and state not in STATES:
        raise CommandError(f"--state {state}: there are {', '.join(STATES)}", Exit.USAGE)
    found: list[Booking] = []
    async with opened(settings) as store:
        async for booking in store.bookings():
            if (app is None or booking.app == app) and (state is None or booking.state == state):
                found.append(booking)
                if len(found) == limit:
                    break
    if as_json:
        print_json([_summary(booking) for booking in found])
    elif found:
        print_table(
            ("booking", "app", "event_id", "revision", "accepted", "parts", "state"),
            [
                (
                    booking.id,
                    booking.app,
                    booking.event_id,
                    str(booking.revision),
                    moment(booking.accepted_at),
                    str(len(booking.parts)),
                    booking.state,
                )
                for booking in found
            ],
        )
    if not found:
        words.print("no booking matches")
        return Exit.NOTHING_MATCHED
    return Exit.DONE


async def run_show(settings: Settings, wanted: str, *, app: str | None, reveal: bool, as_json: bool) -> Exit:
    """Shows one booking, by its id or by its app and event_id."""
    async with opened(settings) as store:
        booking = await _find(store, settings, wanted, app)
    if booking is None:
        return Exit.NOTHING_MATCHED
    if as_json:
        print_json(_whole(booking, reveal=reveal))
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
        if not yes and not confirmed(question):
            return Exit.FAILED
        parts = await store.cancel(booking.id)
        await store.note(
            {"at": moment(now_ms()), "who": getpass.getuser(), "command": "cancel", "booking": booking.id}
        )
    words.print(f"cancelled; workers remove the events of {parts} parts (see `bookings show {booking.id}`)")
    return Exit.DONE


async def run_resync(settings: Settings, wanted: str, *, app: str | None) -> Exit:
    """Has every event of a booking looked at, and our fields written once more."""
    async with opened(settings) as store:
        booking = await _find(store, settings, wanted, app)
        if booking is None:
            return Exit.NOTHING_MATCHED
        for part in booking.parts:
            await store.ask(booking.id, part.id, "resync")
    words.print(f"workers look at {len(booking.parts)} parts again (see `bookings show {booking.id}`)")
    return Exit.DONE


async def _find(store: Store, settings: Settings, wanted: str, app: str | None) -> Booking | None:
    """A booking by its id, or by its event_id in any app or in one. Raises `CommandError`."""
    candidates = [wanted] + [
        booking_id(each.name, wanted) for each in settings.apps if app is None or each.name == app
    ]
    found = [booking for each in candidates if (booking := await store.booking(each)) is not None]
    if not found:
        words.print(f"no booking has the id or the event_id {wanted!r}")
        return None
    if len(found) > 1:
        apps = ", ".join(booking.app for booking in found)
        raise CommandError(f"several apps have a booking with this event_id ({apps}); say --app", Exit.USAGE)
    return found[0]


def _summary(booking: Booking) -> dict[str, Any]:
    return {
        "booking": booking.id,
        "app": booking.app,
        "event_id": booking.event_id,
        "revision": booking.revision,
        "accepted_at": moment(booking.accepted_at),
        "expires_at": moment(booking.expires_at) if booking.expires_at else None,
        "link": booking.link,
        "state": booking.state,
        "parts": len(booking.parts),
    }


def _whole(booking: Booking, *, reveal: bool) -> dict[str, Any]:
    parts = [
        {
            "part": part.id,
            "sequence_id": part.part.sequence_id,
            "revision": part.revision,
            "state": part.state,
            "listed": part.listed,
            "subs": part.part.subs,
            "event": shown_event(part.part, reveal=reveal),
            "writes": [shown_write(write, reveal=reveal) for write in part.writes],
        }
        for part in booking.parts
    ]
    return {**_summary(booking), "parts": parts}


def shown_event(part: Part, *, reveal: bool) -> Any:
    """What the part says; without `reveal` only its times, which tell nothing of the meeting."""
    event = json.loads(bytes(part.event))
    if reveal or not isinstance(event, dict):
        return event if reveal else _REDACTED
    return {
        name: value if name in ("start", "end", "event_id") else _REDACTED for name, value in event.items()
    }


def shown_write(write: Write, *, reveal: bool) -> dict[str, Any]:
    """A write with readable times; what is about to be sent only with `reveal`."""
    data: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(write, intent=None))
    intent = write.intent
    if intent is not None:
        body = bytes(intent.body)
        data["intent"] = {
            "operation": intent.operation,
            "revision": intent.revision,
            "generation": intent.generation,
            "at": moment(intent.at),
            "body": (json.loads(body) if reveal else _REDACTED) if body else None,
        }
    for name in ("due_at", "failing_since", "updated_at"):
        if name in data:
            data[name] = moment(data[name])
    for attempt in data.get("attempts", ()):
        attempt["at"] = moment(attempt["at"])
    return data


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
                    f"{len(write.attempts)} failed, next {moment(write.due_at)}"
                    if write.state.is_open and write.due_at
                    else f"{len(write.attempts)} failed"
                    if write.attempts
                    else "-",
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
