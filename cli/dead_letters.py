"""`sequence-sync dead-letters`: list, show, replay, discard, export, import, stats."""

import base64
import getpass
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bookings import dead_letters
from bookings.clock import moment
from bookings.dead_letters import DeadLetter
from bookings.delayed import counted
from bookings.errors import Overtaken
from bookings.operating import Act, Result, Selection, accounts_of, by_reason, carry_out, select
from bookings.record import Part, Write
from bookings.showing import letter_summary, whole_letter
from bookings.store import Store
from cli.options import CommandError, Exit
from cli.output import confirmed, print_json, print_table, words
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
        letter = await dead_letters.get(store, letter_id, accounts=accounts_of(settings))
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
        if doing.dry_run:
            results = [Result(letter, f"would {act}", not letter.overtaken) for letter in found]
        elif _confirmed(act, found, doing):
            redeliver = partial(replay_delivery, store, settings)
            results = await carry_out(
                store, act, chosen, found, who=getpass.getuser(), redeliver=redeliver, rate=doing.rate
            )
        else:
            return Exit.FAILED
    _print_results(results, as_json=as_json)
    done = sum(result.done for result in results)
    words.print(f"{act}: {done} of {len(results)}" + (" (dry run)" if doing.dry_run else ""))
    return Exit.DONE if done == len(results) else Exit.PARTLY if done else Exit.FAILED


async def _say_what_waits(store: Store) -> None:
    if waiting := sum(each.count for each in await counted(store)):
        words.print(
            f"{waiting} writes are parked or retrying, not dead: `sequence-sync bookings retry` tries them"
        )


def _say_missing(chosen: Selection, found: Sequence[DeadLetter]) -> None:
    known = {letter.id for letter in found}
    for each in chosen.ids:
        if each not in known:
            words.print(f"there is no dead letter {each}")


def _confirmed(act: Act, found: Sequence[DeadLetter], doing: Doing) -> bool:
    if doing.yes:
        return True
    reasons = ", ".join(f"{count} {reason}" for reason, count in by_reason(found))
    return confirmed(f"{act} {len(found)} dead letters ({reasons})")


def _print_results(results: Sequence[Result], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {"dead_letter": result.letter.id, "result": result.said, "done": result.done}
                for result in results
            ]
        )
    else:
        rows = [
            (result.letter.id, result.letter.event_id or "-", result.letter.reason, result.said)
            for result in results
        ]
        print_table(("dead letter", "event_id", "reason", "result"), rows)


async def run_export(settings: Settings, chosen: Selection) -> Exit:
    """Prints dead letters whole, meeting texts included, a JSON object a line."""
    count = 0
    async with opened(settings) as store:
        async for letter in select(store, chosen, accounts_of(settings)):
            sys.stdout.write(msgspec.json.encode(_exported(letter)).decode() + "\n")
            count += 1
    words.print(f"exported {count}")
    return Exit.DONE if count else _done([])


async def run_import(settings: Settings, file: Path) -> Exit:
    """Puts exported dead letters back; what the record knows already is left as it is."""
    try:
        letters = [_imported(line) for line in file.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", Exit.USAGE) from None
    except (msgspec.DecodeError, ValueError, KeyError) as error:
        raise CommandError(f"{file} is not what `dead-letters export` prints: {error}", Exit.USAGE) from None
    results: Counter[str] = Counter()
    async with opened(settings) as store:
        for letter in letters:
            results[await _restore(store, settings, letter)] += 1
    words.print(", ".join(f"{count} {result}" for result, count in results.items()) or "nothing to import")
    if results["overtaken"] or results["busy"]:
        return Exit.PARTLY
    return Exit.DONE if results else Exit.NOTHING_MATCHED


async def _restore(store: Store, settings: Settings, letter: DeadLetter) -> str:
    if letter.delivery is None:
        try:
            return await store.restore(letter)
        except Overtaken:
            return "overtaken"
    await store.quarantine(
        delivery=letter.delivery,
        app=letter.app,
        link=None,
        reason=letter.detail,
        body=letter.body,
        signature=letter.signature,
        dead_letters_limit=settings.receiver.dead_letters_limit,
    )
    return "restored"


def _exported(letter: DeadLetter) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(letter),
        "body": base64.b64encode(letter.body).decode(),
        "part": None if letter.part is None else msgspec.json.encode(letter.part).decode(),
        "write": None if letter.write is None else msgspec.json.encode(letter.write).decode(),
    }


def _imported(line: str) -> DeadLetter:
    data = msgspec.json.decode(line, type=dict[str, Any])
    part, write = data.pop("part"), data.pop("write")
    body = base64.b64decode(data.pop("body"), validate=True)
    return DeadLetter(
        **data,
        body=body,
        part=msgspec.json.decode(part, type=Part) if part else None,
        write=msgspec.json.decode(write, type=Write) if write else None,
    )


def _done(found: object) -> Exit:
    if found:
        return Exit.DONE
    words.print("no dead letter matches")
    return Exit.NOTHING_MATCHED


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
