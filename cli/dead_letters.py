"""`sequence-sync dead-letters`: list, show, stats, replay, discard."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from bookings import dead_letters
from bookings.clock import moment
from bookings.dead_letters import DeadLetter
from bookings.delayed import counted
from bookings.operating import (
    Act,
    Result,
    Selection,
    accounts_of,
    by_reason,
    carry_out,
    expected,
    select,
)
from bookings.showing import letter_summary, whole_letter
from bookings.store import Store
from cli.fleet import warn_of_others
from cli.options import CommandError, Exit, operator, typed
from cli.output import confirmed, print_json, print_table, words
from cli.progress import steps
from cli.stores import opened
from config.settings import Settings
from receiver.replay import replay_delivery


def check(chosen: Selection) -> None:
    """Raises `CommandError` where nothing, or two things at once, select."""
    if chosen.ids and (chosen.filtered or chosen.everything):
        raise CommandError("give ids, or filters, or --all; not several of them", Exit.USAGE)
    if not chosen.ids and not chosen.filtered and not chosen.everything:
        raise CommandError("give ids of dead letters, a filter such as --reason, or --all", Exit.USAGE)


class Doing(NamedTuple):
    """How a command that changes something goes about it."""

    dry_run: bool
    yes: bool
    rate: float | None


async def run_list(settings: Settings, chosen: Selection, *, as_json: bool) -> Exit:
    """Lists dead letters, the newest first."""
    async with opened(settings) as store:
        found = [letter async for letter in select(store, chosen, accounts_of(settings))]
    if as_json:
        print_json([letter_summary(letter) for letter in found])
    elif found:
        print_table(
            ("dead letter", "died", "app", "event_id", "part", "calendar", "reason", "detail"),
            [
                (
                    letter.id,
                    moment(letter.died_at),
                    letter.app,
                    letter.event_id or "-",
                    "-" if letter.sequence_id is None else str(letter.sequence_id),
                    letter.calendar or "-",
                    letter.reason,
                    letter.detail,
                )
                for letter in found
            ],
        )
    return _done(found)


async def run_show(settings: Settings, letter_id: str, *, reveal: bool, as_json: bool) -> Exit:
    """Shows one dead letter with its whole attempt history."""
    async with opened(settings) as store:
        letter = await dead_letters.get(store, typed(letter_id), accounts=accounts_of(settings))
    if letter is None:
        return _done([])
    data = whole_letter(letter, reveal=reveal)
    if as_json:
        print_json(data)
        return Exit.DONE
    print_table(("", ""), [(name, _flat(value)) for name, value in data.items() if name != "write"])
    if letter.write is not None and letter.write.attempts:
        print_table(
            ("attempt", "class", "code", "request id", "worker"),
            [
                (moment(each.at), each.error_class, each.code, each.request_id or "-", each.worker)
                for each in letter.write.attempts
            ],
        )
    return Exit.DONE


async def run_stats(settings: Settings, chosen: Selection, *, as_json: bool) -> Exit:
    """Counts dead letters by app, account, calendar and reason."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    async with opened(settings) as store:
        async for letter in select(store, chosen, accounts_of(settings)):
            counts[letter.app, letter.account or "-", letter.calendar or "-", letter.reason] += 1
    names = ("app", "account", "calendar", "reason")
    if as_json:
        print_json([{**dict(zip(names, key, strict=True)), "count": n} for key, n in counts.most_common()])
    elif counts:
        print_table((*names, "count"), [(*key, str(count)) for key, count in counts.most_common()])
    return _done(counts)


async def run_change(settings: Settings, act: Act, chosen: Selection, doing: Doing, *, as_json: bool) -> Exit:
    """Has dead letters written once more, or lets go of them."""
    check(chosen)
    async with opened(settings) as store:
        found = [letter async for letter in select(store, chosen, accounts_of(settings))]
        _say_missing(chosen, found)
        if not found:
            await _say_what_waits(store)
            return _done(found)
        if act is Act.REPLAY:
            await warn_of_others(store, settings)
        if doing.dry_run:
            results = [await _tried(store, settings, act, letter) for letter in found]
            _print_results(results, f"{act}: {_done_of(results)} of {len(found)} (dry run)", as_json=as_json)
        elif await _confirmed(act, found, doing):
            results = await _carry_out(store, settings, act, chosen, found, doing, as_json=as_json)
        else:
            return Exit.FAILED
    done = _done_of(results)
    return Exit.DONE if done == len(results) else Exit.PARTLY if done else Exit.FAILED


async def _say_what_waits(store: Store) -> None:
    if waiting := sum(each.count for each in await counted(store)):
        words.print(
            f"{waiting} writes are parked or retrying, not dead: `sequence-sync bookings retry` tries them"
        )


async def _carry_out(
    store: Store,
    settings: Settings,
    act: Act,
    chosen: Selection,
    found: Sequence[DeadLetter],
    doing: Doing,
    *,
    as_json: bool,
) -> list[Result]:
    """Does it, and says what became of each, however it ends."""
    results: list[Result] = []
    redeliver = partial(replay_delivery, store, settings)
    who = operator()
    with steps(act, lambda: len(results), of=len(found)):
        try:
            await carry_out(
                store,
                act,
                chosen,
                found,
                who=who,
                redeliver=redeliver,
                settings=settings,
                rate=doing.rate,
                into=results,
            )
        finally:
            _print_results(results, f"{act}: {_done_of(results)} of {len(found)}", as_json=as_json)
    return results


async def _tried(store: Store, settings: Settings, act: Act, letter: DeadLetter) -> Result:
    """What would become of a letter."""
    said = f"would {act}"
    if letter.overtaken:
        return Result(letter, said, done=False)
    return await expected(store, settings, act, letter, said)


def _say_missing(chosen: Selection, found: Sequence[DeadLetter]) -> None:
    known = {letter.id for letter in found}
    for each in chosen.ids:
        if each not in known:
            words.print(f"there is no dead letter {each}")


async def _confirmed(act: Act, found: Sequence[DeadLetter], doing: Doing) -> bool:
    if doing.yes:
        return True
    reasons = ", ".join(f"{count} {reason}" for reason, count in by_reason(found))
    return await confirmed(f"{act} {len(found)} dead letters ({reasons})")


def _done_of(results: Sequence[Result]) -> int:
    return sum(result.done for result in results)


def _print_results(results: Sequence[Result], in_short: str, *, as_json: bool) -> None:
    """What became of each, on stdout; in short on stderr, whatever becomes of that."""
    try:
        if as_json:
            print_json(
                [
                    {"dead_letter": result.letter.id, "result": result.said, "done": result.done}
                    for result in results
                ]
            )
        elif results:
            rows = [
                (result.letter.id, result.letter.event_id or "-", result.letter.reason, result.said)
                for result in results
            ]
            print_table(("dead letter", "event_id", "reason", "result"), rows)
    finally:
        words.print(in_short)


def _done(found: object) -> Exit:
    if found:
        return Exit.DONE
    words.print("no dead letter matches")
    return Exit.NOTHING_MATCHED


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
