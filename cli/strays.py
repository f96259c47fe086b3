"""`sequence-sync strays`: lists events that no record knows, has them adopted, or removes them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from bookings.accounts import Accounts
from bookings.clock import moment, now_ms
from bookings.consents import Consents
from bookings.store import Store
from cli.options import CommandError, Exit, operator
from cli.output import confirmed, print_json, print_table, words
from cli.progress import steps
from cli.stores import opened
from config.settings import Settings
from network.outgoing import Outgoing
from workers.calendars.directory import Directory
from workers.calendars.port import Found
from workers.strays.look import find_strays
from workers.strays.remedies import Act, Result, carry_out, foreseen, is_for
from workers.strays.stray import Stray
from workers.times import Timed


class Wanted(NamedTuple):
    """Which strays are meant; times in Unix milliseconds."""

    keys: tuple[str, ...]
    calendars: tuple[str, ...]
    account: str | None
    since_ms: int
    until_ms: int
    everything: bool


class Doing(NamedTuple):
    """What is done with them, and how."""

    act: Act
    dry_run: bool
    yes: bool


async def run_strays(settings: Settings, wanted: Wanted, doing: Doing | None, *, as_json: bool) -> Exit:
    """Looks into calendars; does something with what is found there, where it is asked to."""
    _check(wanted, doing)
    names, since_s = _calendars(settings, wanted), _since_s(settings, wanted)
    async with opened(settings) as store, Outgoing(settings.network) as outgoing:
        directory = Directory(settings, outgoing, Accounts(store), Consents(store))
        try:
            strays = await find_strays(store, settings, directory, names, since_s, wanted.until_ms // 1000)
            for name, code in strays.unread.items():
                words.print(f"calendar {name} could not be read: {code}")
            found = [each for each in strays.found if not wanted.keys or each.found.key in wanted.keys]
            if doing is None:
                status = _listed(found, as_json=as_json)
            else:
                chosen = [each for each in found if wanted.keys or is_for(doing.act, each)]
                status = await _done_with(chosen, doing, store, directory, as_json=as_json)
        finally:
            directory.close()
    unsure = strays.unread and status in (Exit.DONE, Exit.NOTHING_MATCHED)
    return Exit.PARTLY if unsure else status


def _check(wanted: Wanted, doing: Doing | None) -> None:
    if doing is None and wanted.everything:
        raise CommandError("--all goes with --adopt or --remove", Exit.USAGE)
    if doing is not None and bool(wanted.keys) == wanted.everything:
        raise CommandError(f"--{doing.act}: give keys of strays, or --all", Exit.USAGE)
    if wanted.until_ms <= wanted.since_ms:
        raise CommandError("--until is not after --since", Exit.USAGE)


def _calendars(settings: Settings, wanted: Wanted) -> list[str]:
    """The calendars to look into, by their configured names. Raises `CommandError`."""
    for name in wanted.calendars:
        if settings.calendar(name) is None:
            raise CommandError(f"--calendar {name}: the configuration has no such calendar", Exit.USAGE)
    if wanted.account is not None and settings.account(wanted.account) is None:
        raise CommandError(f"--account {wanted.account}: the configuration has no such account", Exit.USAGE)
    chosen = [
        each.name
        for each in settings.calendars
        if (not wanted.calendars or each.name in wanted.calendars) and wanted.account in (None, each.account)
    ]
    if not chosen:
        raise CommandError("no calendar of the configuration is meant", Exit.USAGE)
    return chosen


def _since_s(settings: Settings, wanted: Wanted) -> int:
    """From when on, in Unix seconds; not from before bookings may have left the record in due course."""
    kept_s = int(now_ms() / 1000 - settings.worker.keep_bookings)
    if wanted.since_ms // 1000 >= kept_s:
        return wanted.since_ms // 1000
    words.print(f"from {moment(kept_s * 1000)}: the record need not know older ones (worker.keep_bookings)")
    return kept_s


def _listed(found: Sequence[Stray], *, as_json: bool) -> Exit:
    if as_json:
        print_json([_shown(each) for each in found])
    elif found:
        columns = ("key", "calendar", "starts", "revision", "standing", "app", "event_id", "part")
        print_table(columns, [_row(each) for each in found])
    if not found:
        return _nothing()
    counted = Counter(str(each.standing) for each in found)
    words.print(", ".join(f"{count} {standing}" for standing, count in counted.items()))
    return Exit.DONE


def _nothing() -> Exit:
    words.print("no stray matches")
    return Exit.NOTHING_MATCHED


def _row(stray: Stray) -> tuple[str, ...]:
    found, place = stray.found, stray.place
    part = "-" if place is None or place.sequence_id is None else str(place.sequence_id)
    return (
        found.key,
        stray.calendar,
        _times(found)[0] or "-",
        str(found.revision),
        stray.standing,
        place.app if place else "-",
        place.event_id if place else "-",
        part,
    )


def _shown(stray: Stray) -> dict[str, Any]:
    found, place = stray.found, stray.place
    starts, ends = _times(found)
    return {
        "key": found.key,
        "calendar": stray.calendar,
        "event": found.event_id,
        "url": found.url or None,
        "starts": starts,
        "ends": ends,
        "revision": found.revision,
        "standing": stray.standing,
        "booking": place.booking if place else None,
        "app": place.app if place else None,
        "event_id": place.event_id if place else None,
        "sequence_id": place.sequence_id if place else None,
    }


def _times(found: Found) -> tuple[str | None, str | None]:
    """From when to when, in UTC, or the days; None where the event does not say so readably."""
    match found.when:
        case None:
            return None, None
        case Timed(start, end):
            return f"{start:%Y-%m-%d %H:%M}Z", f"{end:%Y-%m-%d %H:%M}Z"
        case days:
            return days.start.isoformat(), days.end.isoformat()


async def _done_with(
    chosen: Sequence[Stray], doing: Doing, store: Store, directory: Directory, *, as_json: bool
) -> Exit:
    """Does it, and says what became of each, however it ends."""
    act, results = doing.act, list[Result]()
    if not chosen:
        return _nothing()
    if doing.dry_run:
        results = [foreseen(act, each) for each in chosen]
        _print_results(results, f"{act}: {_done_of(results)} of {len(chosen)} (dry run)", as_json=as_json)
    elif doing.yes or await _sure(act, chosen):
        with steps(str(act), lambda: len(results), of=len(chosen)):
            try:
                await carry_out(store, directory, act, chosen, who=operator(), into=results)
            finally:
                _print_results(results, f"{act}: {_done_of(results)} of {len(chosen)}", as_json=as_json)
    else:
        return Exit.FAILED
    done = _done_of(results)
    return Exit.DONE if done == len(results) else Exit.PARTLY if done else Exit.FAILED


async def _sure(act: Act, chosen: Sequence[Stray]) -> bool:
    """Asks; of what cannot be taken back, twice."""
    where = ", ".join(sorted({each.calendar for each in chosen}))
    if act is Act.ADOPT:
        return await confirmed(f"adopt {len(chosen)} events in {where}")
    return await confirmed(f"permanently delete {len(chosen)} events in {where}") and await confirmed(
        "delete them although another sequence-sync may have made them, whose record was not looked at"
    )


def _done_of(results: Sequence[Result]) -> int:
    return sum(result.done for result in results)


def _print_results(results: Sequence[Result], in_short: str, *, as_json: bool) -> None:
    """What became of each, on stdout; in short on stderr, whatever becomes of that."""
    try:
        if as_json:
            print_json([{**_shown(each.stray), "result": each.said, "done": each.done} for each in results])
        elif results:
            rows = [
                (each.stray.found.key, each.stray.calendar, each.stray.standing, each.said)
                for each in results
            ]
            print_table(("key", "calendar", "standing", "result"), rows)
    finally:
        words.print(in_short)
