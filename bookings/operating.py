"""What operators do with dead letters: choose them, have them written again, let go of them.

The command line and the console both do it by these functions, and both leave the same entries in the
audit record.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from bookings import dead_letters
from bookings.clock import moment, now_ms
from bookings.dead_letters import DeadLetter, Filter
from bookings.destination import foreseen
from bookings.errors import BookingsError
from bookings.patience import to_the_end
from bookings.reader import Reader
from bookings.store import Store
from config.settings import Settings

Redeliver = Callable[[DeadLetter], Awaitable[object]]
"""Reads a delivery once more that nobody could read. Raises `BookingsError`, such as `Unreadable`."""


class Act(StrEnum):
    """What is done with dead letters."""

    REPLAY = "replay"
    """They are written once more. Refused where a newer revision has taken a letter's place."""
    DISCARD = "discard"
    """They are let go: their writes end as cancelled."""

    @property
    def done(self) -> str:
        """What is said when it has been done."""
        return f"{self}ed"


class Selection(NamedTuple):
    """Which dead letters are meant: ids, or what a filter means, `limit` of them at most."""

    ids: tuple[str, ...]
    wanted: Filter
    everything: bool = False
    limit: int | None = None

    @property
    def filtered(self) -> bool:
        """Whether the filter leaves any out, but for those that die from now on."""
        return self.wanted != Filter(until=self.wanted.until)


class Result(NamedTuple):
    """What became of one dead letter: done, refused, or asked for in vain."""

    letter: DeadLetter
    said: str
    done: bool
    in_vain: bool = False
    """Whether it was asked for and, as far as can be known, will die again."""


def accounts_of(settings: Settings) -> dict[str, str]:
    """The account of each calendar, by their names."""
    return {calendar.name: calendar.account for calendar in settings.calendars}


async def select(reader: Reader, chosen: Selection, accounts: Mapping[str, str]) -> AsyncIterator[DeadLetter]:
    """Gives the dead letters that are meant, newest first or in the order of their ids."""
    left = chosen.limit
    letters = (
        _by_id(reader, chosen.ids, accounts)
        if chosen.ids
        else dead_letters.find(reader, chosen.wanted, accounts=accounts)
    )
    async for letter in letters:
        if left == 0:
            return
        left = None if left is None else left - 1
        yield letter


async def _by_id(
    reader: Reader, ids: Iterable[str], accounts: Mapping[str, str]
) -> AsyncIterator[DeadLetter]:
    for each in ids:
        letter = await dead_letters.get(reader, each, accounts=accounts)
        if letter is not None:
            yield letter


async def carry_out(
    store: Store,
    act: Act,
    chosen: Selection,
    letters: Sequence[DeadLetter],
    *,
    who: str,
    redeliver: Redeliver,
    settings: Settings,
    rate: float | None = None,
    into: list[Result] | None = None,
) -> list[Result]:
    """Does it with each of the letters, `rate` of them a second at most, and notes it in the audit record.

    What was done until it was interrupted, by a lost connection or by whoever asked for it, is noted too, and
    stands in `into` where the caller brings a list.
    """
    results: list[Result] = [] if into is None else into

    async def act_on(letter: DeadLetter) -> None:
        results.append(await _result(store, settings, act, letter, redeliver))

    try:
        for letter in letters:
            if results and rate:
                await asyncio.sleep(1 / rate)
            await to_the_end(act_on(letter))
    finally:
        done = sum(result.done or result.in_vain for result in results)
        what = {"count": done, "refused": len(results) - done, "left": len(letters) - len(results)}
        await to_the_end(note(store, who, act, filter=chosen_by(chosen), **what))
    return results


async def note(store: Store, who: str, command: str, **what: Any) -> None:
    """Leaves an entry in the audit record."""
    await store.note({"at": moment(now_ms()), "who": who, "command": command, **what})


def by_reason(letters: Iterable[DeadLetter]) -> list[tuple[str, int]]:
    """How many of them there are for each reason, the most frequent first."""
    return Counter(letter.reason for letter in letters).most_common()


def chosen_by(chosen: Selection) -> dict[str, Any]:
    """The filter as it stands in the audit record."""
    given = {name: value for name, value in msgspec.to_builtins(chosen.wanted).items() if value is not None}
    return {**given, "ids": list(chosen.ids), "all": chosen.everything}


async def expected(store: Store, settings: Settings, act: Act, letter: DeadLetter, said: str) -> Result:
    """What is said of an act that was asked for, or may be; of a replay also what it will come to."""
    if act is not Act.REPLAY:
        return Result(letter, said, done=True)
    what = await foreseen(store, settings, letter)
    return Result(letter, said + what.said, done=not what.in_vain, in_vain=what.in_vain)


async def _result(
    store: Store, settings: Settings, act: Act, letter: DeadLetter, redeliver: Redeliver
) -> Result:
    try:
        done = await (_replay(store, letter, redeliver) if act is Act.REPLAY else _discard(store, letter))
    except BookingsError as error:
        return Result(letter, f"refused: {error}", done=False)
    if not done:
        return Result(letter, "no longer there", done=True)
    return await expected(store, settings, act, letter, act.done)


async def _replay(store: Store, letter: DeadLetter, redeliver: Redeliver) -> bool:
    if letter.delivery is not None:
        await redeliver(letter)
        return True
    bid, pid, wid = letter.place
    return await store.ask(bid, pid, f"replay {wid}", dead_letter=letter.id, revision=letter.revision)


async def _discard(store: Store, letter: DeadLetter) -> bool:
    if letter.delivery is not None:
        return await store.drop_delivery(letter.delivery)
    bid, pid, wid = letter.place
    return await store.ask(bid, pid, f"discard {wid}", dead_letter=letter.id)
