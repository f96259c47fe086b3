"""`sequence-sync bookings retry`."""

from collections.abc import Sequence

from bookings.clock import moment
from bookings.delayed import DelayedWrite, Filter, find, of_booking
from bookings.operating import accounts_of
from bookings.record import WriteState
from bookings.retry import Chosen, Plan, planned, try_now
from bookings.store import Store
from cli.bookings import OF_WRITES
from cli.options import CommandError, Exit, operator, typed
from cli.output import print_json, print_table, words
from cli.progress import steps
from cli.stores import opened
from config.settings import Settings


def write_state(state: str | None) -> WriteState | None:
    """What `--state` means. Raises `CommandError`."""
    if state is None:
        return None
    if state not in OF_WRITES:
        raise CommandError(f"--state {state}: there are {', '.join(OF_WRITES)}", Exit.USAGE)
    return WriteState(state)


async def run_retry(settings: Settings, chosen: Chosen, *, dry_run: bool, as_json: bool) -> Exit:
    """Has what waits to be written tried now."""
    filtered = chosen.wanted != Filter()
    if chosen.ids and (filtered or chosen.everything):
        raise CommandError("give bookings, or filters, or --all; not several of them", Exit.USAGE)
    if not chosen.ids and not filtered and not chosen.everything:
        raise CommandError("give bookings, a filter such as --calendar, or --all", Exit.USAGE)
    async with opened(settings) as store:
        found = await _found(store, settings, chosen)
        if not found:
            words.print("nothing that matches waits to be tried again")
            return Exit.NOTHING_MATCHED
        if dry_run:
            plans = await planned(store, found)
            _print_plans(plans, f"retry: {_done_of(plans)} of {len(found)} (dry run)", as_json=as_json)
        else:
            plans = await _try_now(store, chosen, found, as_json=as_json)
    done = _done_of(plans)
    return Exit.DONE if done == len(plans) else Exit.PARTLY if done else Exit.FAILED


async def _try_now(
    store: Store, chosen: Chosen, found: Sequence[DelayedWrite], *, as_json: bool
) -> list[Plan]:
    """Does it, and says what became of each, however it ends."""
    plans: list[Plan] = []
    with steps("retry", lambda: len(plans), of=len(found)):
        try:
            await try_now(store, chosen, found, who=operator(), into=plans)
        finally:
            _print_plans(plans, f"retry: {_done_of(plans)} of {len(found)}", as_json=as_json)
    return plans


def _done_of(plans: Sequence[Plan]) -> int:
    return sum(plan.done for plan in plans)


async def _found(store: Store, settings: Settings, chosen: Chosen) -> list[DelayedWrite]:
    accounts = accounts_of(settings)
    if not chosen.ids:
        return [each async for each in find(store, chosen.wanted, accounts)]
    found: list[DelayedWrite] = []
    for wanted in dict.fromkeys(chosen.ids):
        bookings = await store.bookings_called(typed(wanted), [app.name for app in settings.apps])
        if not bookings:
            words.print(f"no booking has the id or the event_id {wanted!r}")
        for booking in bookings:
            found += of_booking(booking, accounts)
    return found


def _print_plans(plans: Sequence[Plan], in_short: str, *, as_json: bool) -> None:
    """What became of each, on stdout; in short on stderr, whatever becomes of that."""
    try:
        if as_json:
            print_json([_shown(plan) for plan in plans])
        elif plans:
            print_table(("event_id", "part", "calendar", "state", "reason", "result"), map(_row, plans))
    finally:
        words.print(in_short)


def _row(plan: Plan) -> tuple[str, ...]:
    write = plan.found.write
    return (
        plan.found.event_id,
        "-" if plan.found.sequence_id is None else str(plan.found.sequence_id),
        write.calendar or "-",
        f"{write.state} since {moment(write.failing_since)}",
        write.detail or write.reason,
        plan.said,
    )


def _shown(plan: Plan) -> dict[str, object]:
    found, write = plan.found, plan.found.write
    return {
        "booking": found.booking,
        "app": found.app,
        "event_id": found.event_id,
        "sequence_id": found.sequence_id,
        "calendar": write.calendar,
        "account": found.account or None,
        "state": str(write.state),
        "since": moment(write.failing_since),
        "reason": write.reason,
        "detail": write.detail,
        "result": plan.said,
        "done": plan.done,
    }
