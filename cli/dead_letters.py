"""`sequence-sync dead-letters`: list, show, replay, discard, export, import, stats."""

import asyncio
import base64
import getpass
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bookings import dead_letters
from bookings.clock import now_ms
from bookings.dead_letters import DeadLetter, Filter
from bookings.errors import BookingsError, Overtaken
from bookings.record import Part, Write
from bookings.store import Store
from cli.bookings import shown_event, shown_write
from cli.options import CommandError, Exit
from cli.output import confirmed, moment, print_json, print_table, words
from cli.stores import opened
from config.settings import Settings
from receiver.callback import Unreadable
from receiver.replay import replay_delivery

_REDACTED = "(hidden; --reveal shows it)"


class Selection(NamedTuple):
    """Which dead letters a command is about: ids, or what a filter means, `limit` of them at most."""

    ids: tuple[str, ...]
    wanted: Filter
    everything: bool = False
    limit: int | None = None

    def check(self) -> None:
        """Raises `CommandError` where nothing, or two things at once, select."""
        filtered = self.wanted != Filter(until=self.wanted.until)
        if self.ids and (filtered or self.everything):
            raise CommandError("give ids, or filters, or --all; not several of them", Exit.USAGE)
        if not self.ids and not filtered and not self.everything:
            raise CommandError("give ids of dead letters, a filter such as --reason, or --all", Exit.USAGE)


class Doing(NamedTuple):
    """How a command that changes something goes about it."""

    dry_run: bool
    yes: bool
    rate: float | None


async def run_list(settings: Settings, chosen: Selection, *, as_json: bool) -> Exit:
    """Lists dead letters, the newest first."""
    async with opened(settings) as store:
        found = [letter async for letter in _select(store, settings, chosen)]
    if as_json:
        print_json([_summary(letter) for letter in found])
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
        letter = await dead_letters.get(store, letter_id, accounts=_accounts(settings))
    if letter is None:
        return _done([])
    data = _whole(letter, reveal=reveal)
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
        async for letter in _select(store, settings, chosen):
            counts[letter.app, letter.account or "-", letter.calendar or "-", letter.reason] += 1
    names = ("app", "account", "calendar", "reason")
    if as_json:
        print_json([{**dict(zip(names, key, strict=True)), "count": n} for key, n in counts.most_common()])
    elif counts:
        print_table((*names, "count"), [(*key, str(count)) for key, count in counts.most_common()])
    return _done(counts)


async def run_replay(settings: Settings, chosen: Selection, doing: Doing, *, as_json: bool) -> Exit:
    """Has dead letters written once more. Refused where a newer revision has taken the letter's place."""

    async def replay(store: Store, letter: DeadLetter) -> str:
        if letter.delivery is not None:
            await replay_delivery(store, settings, letter)
            return "replayed"
        bid, pid, wid = letter.place
        asked = await store.ask(bid, pid, f"replay {wid}", dead_letter=letter.id, revision=letter.revision)
        return "replayed" if asked else "no longer there"

    return await _change(settings, chosen, doing, "replay", replay, as_json=as_json)


async def run_discard(settings: Settings, chosen: Selection, doing: Doing, *, as_json: bool) -> Exit:
    """Lets go of dead letters: their writes end as cancelled."""

    async def discard(store: Store, letter: DeadLetter) -> str:
        if letter.delivery is not None:
            dropped = await store.drop_delivery(letter.delivery)
        else:
            bid, pid, wid = letter.place
            dropped = await store.ask(bid, pid, f"discard {wid}", dead_letter=letter.id)
        return "discarded" if dropped else "no longer there"

    return await _change(settings, chosen, doing, "discard", discard, as_json=as_json)


async def _change(
    settings: Settings,
    chosen: Selection,
    doing: Doing,
    verb: str,
    change: Callable[[Store, DeadLetter], Awaitable[str]],
    *,
    as_json: bool,
) -> Exit:
    chosen.check()
    async with opened(settings) as store:
        found = [letter async for letter in _select(store, settings, chosen)]
        if not found or not _confirmed(verb, found, doing):
            return _done(found) if not found else Exit.FAILED
        results: list[tuple[DeadLetter, str, bool]] = []
        for letter in found if not doing.dry_run else ():
            if results and doing.rate:
                await asyncio.sleep(1 / doing.rate)
            try:
                results.append((letter, await change(store, letter), True))
            except (BookingsError, Unreadable) as error:
                results.append((letter, f"refused: {_words(error)}", False))
        if not doing.dry_run:
            await store.note(_audit_entry(verb, chosen, results))
    if doing.dry_run:
        results = [(letter, f"would {verb}", not letter.overtaken) for letter in found]
    _print_results(results, as_json=as_json)
    done = sum(good for _, _, good in results)
    words.print(f"{verb}: {done} of {len(results)}" + (" (dry run)" if doing.dry_run else ""))
    return Exit.DONE if done == len(results) else Exit.PARTLY if done else Exit.FAILED


def _confirmed(verb: str, found: Sequence[DeadLetter], doing: Doing) -> bool:
    if doing.dry_run or doing.yes:
        return True
    reasons = Counter(letter.reason for letter in found)
    return confirmed(
        f"{verb} {len(found)} dead letters ({', '.join(f'{n} {each}' for each, n in reasons.items())})"
    )


def _audit_entry(
    verb: str, chosen: Selection, results: Sequence[tuple[DeadLetter, str, bool]]
) -> dict[str, Any]:
    given = {name: value for name, value in msgspec.to_builtins(chosen.wanted).items() if value is not None}
    return {
        "at": moment(now_ms()),
        "who": getpass.getuser(),
        "command": verb,
        "filter": {**given, "ids": list(chosen.ids), "all": chosen.everything},
        "count": sum(good for _, _, good in results),
        "refused": sum(not good for _, _, good in results),
    }


def _words(error: Exception) -> str:
    if isinstance(error, Overtaken | Unreadable):
        return str(error)
    return {"QueueFull": "the queue is full", "UnknownLink": "its link is gone"}.get(
        type(error).__name__, str(error)
    )


def _print_results(results: Sequence[tuple[DeadLetter, str, bool]], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [{"dead_letter": letter.id, "result": said, "done": good} for letter, said, good in results]
        )
    else:
        rows = [(letter.id, letter.event_id or "-", letter.reason, said) for letter, said, _ in results]
        print_table(("dead letter", "event_id", "reason", "result"), rows)


async def run_export(settings: Settings, chosen: Selection) -> Exit:
    """Prints dead letters whole, meeting texts included, a JSON object a line."""
    count = 0
    async with opened(settings) as store:
        async for letter in _select(store, settings, chosen):
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
    return Exit.PARTLY if results["overtaken"] else Exit.DONE if results else Exit.NOTHING_MATCHED


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


async def _select(store: Store, settings: Settings, chosen: Selection) -> AsyncIterator[DeadLetter]:
    left = chosen.limit
    letters = (
        _by_id(store, settings, chosen.ids)
        if chosen.ids
        else dead_letters.find(store, chosen.wanted, accounts=_accounts(settings))
    )
    async for letter in letters:
        if left == 0:
            return
        left = None if left is None else left - 1
        yield letter


async def _by_id(store: Store, settings: Settings, ids: Iterable[str]) -> AsyncIterator[DeadLetter]:
    for each in ids:
        letter = await dead_letters.get(store, each, accounts=_accounts(settings))
        if letter is None:
            words.print(f"there is no dead letter {each}")
        else:
            yield letter


def _accounts(settings: Settings) -> dict[str, str]:
    return {calendar.name: calendar.account for calendar in settings.calendars}


def _done(found: object) -> Exit:
    if found:
        return Exit.DONE
    words.print("no dead letter matches")
    return Exit.NOTHING_MATCHED


def _summary(letter: DeadLetter) -> dict[str, Any]:
    return {
        "dead_letter": letter.id,
        "died_at": moment(letter.died_at),
        "app": letter.app,
        "event_id": letter.event_id or None,
        "sequence_id": letter.sequence_id,
        "calendar": letter.calendar or None,
        "account": letter.account or None,
        "provider": letter.provider or None,
        "reason": letter.reason,
        "detail": letter.detail,
        "revision": letter.revision or None,
        "overtaken": letter.overtaken,
    }


def _whole(letter: DeadLetter, *, reveal: bool) -> dict[str, Any]:
    data = _summary(letter)
    if letter.part is not None:
        data["event"] = shown_event(letter.part, reveal=reveal)
    if letter.write is not None:
        data["write"] = shown_write(letter.write, reveal=reveal)
    if letter.delivery is not None:
        data["body"] = (
            letter.body.decode(errors="replace") if reveal else f"{len(letter.body)} bytes {_REDACTED}"
        )
    return data


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
