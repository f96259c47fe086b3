"""What is done with strays: adopted, where a booking on record has their key; removed, where none has.

Neither touches what a person made.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from bookings.operating import note
from bookings.part_writes import Adoption
from bookings.patience import to_the_end
from bookings.store import Store
from workers.calendars.directory import Directory
from workers.errors import CalendarError
from workers.own_events import delete
from workers.strays.stray import Standing, Stray


class Act(StrEnum):
    """What is done with strays."""

    ADOPT = "adopt"
    """The record takes the event over, and a worker looks at it: what is newer in the calendar stays."""
    REMOVE = "remove"
    """The event is permanently deleted."""

    @property
    def done(self) -> str:
        """What is said when it has been done."""
        return "adopted" if self is Act.ADOPT else "removed"


class Result(NamedTuple):
    """What became of one stray."""

    stray: Stray
    said: str
    done: bool


_FOR = {
    Act.ADOPT: frozenset({Standing.UNRECORDED, Standing.NEWER}),
    Act.REMOVE: frozenset({Standing.UNKNOWN, Standing.DOUBLE}),
}
_REFUSED = {
    Standing.UNKNOWN: "no booking on record has its key; a repeated callback finds it by that, or remove it",
    Standing.UNRECORDED: "its booking is on record; adopt it",
    Standing.NEWER: "it is the event of a booking on record; adopt it",
    Standing.DOUBLE: "its booking has another event, which stands; remove one of them",
    Standing.COPY: "a person made it, by copying",
}


def is_for(act: Act, stray: Stray) -> bool:
    """Whether this can be done with a stray."""
    return stray.standing in _FOR[act]


async def carry_out(
    store: Store,
    directory: Directory,
    act: Act,
    strays: Sequence[Stray],
    *,
    who: str,
    into: list[Result] | None = None,
) -> list[Result]:
    """Does it with each of them, and notes it in the audit record.

    What was done until it was interrupted is noted, too, and stands in `into` where the caller brings a list.
    Raises `redis.RedisError` and `OSError`.
    """
    results: list[Result] = [] if into is None else into

    async def act_on(stray: Stray) -> None:
        results.append(await _result(store, directory, act, stray))

    try:
        for stray in strays:
            await to_the_end(act_on(stray))
    finally:
        done = [result.stray for result in results if result.done]
        what = {
            "count": len(done),
            "refused": len(results) - len(done),
            "left": len(strays) - len(results),
            "keys": [each.found.key for each in done],
        }
        await to_the_end(note(store, who, f"strays {act}", **what))
    return results


def foreseen(act: Act, stray: Stray) -> Result:
    """What would become of one."""
    if is_for(act, stray):
        return Result(stray, f"would {act}", done=True)
    return Result(stray, f"refused: {_REFUSED[stray.standing]}", done=False)


async def _result(store: Store, directory: Directory, act: Act, stray: Stray) -> Result:
    if not is_for(act, stray):
        return foreseen(act, stray)
    if act is Act.ADOPT:
        return await _adopt(store, stray)
    try:
        return await _remove(directory, stray)
    except CalendarError as error:
        return Result(stray, f"failed: {error.code}", done=False)


async def _adopt(store: Store, stray: Stray) -> Result:
    assert stray.place is not None  # its booking is on record
    place, found = stray.place, stray.found
    adoption = Adoption(place.write, place.generation, found.revision, found.event_id)
    if await store.ask(place.booking, place.part, adoption.ask):
        return Result(stray, Act.ADOPT.done, done=True)
    return Result(stray, "refused: its booking is no longer on record", done=False)


async def _remove(directory: Directory, stray: Stray) -> Result:
    calendar, listed = directory.calendar(stray.calendar), stray.found
    found = await calendar.get(listed.event_id)
    if found is None or found.cancelled:
        return Result(stray, "no longer there", done=True)
    if (found.key, found.revision, found.proof) != (listed.key, listed.revision, listed.proof):
        return Result(stray, "refused: it has changed since; list strays again", done=False)
    await delete(calendar, found)
    return Result(stray, Act.REMOVE.done, done=True)
