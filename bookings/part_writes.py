"""A part's writes together: which calendars they are for, what is due, where the part stands. Pure."""

import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from bookings import state
from bookings.record import UNROUTED, Write, WriteState
from config.settings import CalendarAddress


class Target(msgspec.Struct, frozen=True):
    """A calendar that a part goes to: our name of it and the provider's address."""

    id: str
    name: str
    address: CalendarAddress


def revised(
    writes: Sequence[Write], targets: Sequence[Target], *, revision: int, now: int
) -> tuple[Write, ...]:
    """Brings the writes of a part to a revision: one for each target, pending where it is behind.

    A write whose calendar is no longer a target is no longer wanted. A part without targets gets one
    dead write, and what it has in calendars stays: no event is removed before there is another.
    """
    known = [write for write in writes if write.id != UNROUTED]
    if not targets:
        told = [write for write in writes if write.id == UNROUTED and write.revision == revision]
        return (*(state.stranded(write, now=now) for write in known), *(told or [_unrouted(revision, now)]))
    wanted = {target.id: target for target in targets}
    result = [
        state.wanted(write, wanted.pop(write.id).name, revision=revision, now=now)
        if write.id in wanted
        else state.unwanted(write, WriteState.SUPERSEDED, revision=revision, now=now)
        for write in known
    ]
    result += [
        Write(id=target.id, calendar=target.name, address=target.address, revision=revision, updated_at=now)
        for target in wanted.values()
    ]
    return tuple(result)


def forwarded(
    writes: Sequence[Write], targets: Sequence[Target], *, revision: int, now: int
) -> tuple[Write, ...]:
    """Brings the writes of what is passed on to a revision; nothing to pass it on to is nothing to do."""
    return revised(writes, targets, revision=revision, now=now) if targets else ()


def withdrawn(writes: Sequence[Write], *, revision: int, now: int) -> tuple[Write, ...]:
    """Nothing of the part is to stand in any calendar any more."""
    return tuple(
        state.unwanted(write, WriteState.CANCELLED, revision=revision, now=now)
        for write in writes
        if write.id != UNROUTED
    )


def asked(writes: Sequence[Write], asks: str, *, now: int) -> tuple[Write, ...]:
    """Does what operators asked for: `replay ID`, `discard ID`, `retry ID` or `resync`, a line each.

    Of a part that no route sends anywhere, nothing is written again.
    """
    routed = all(write.id != UNROUTED for write in writes)
    for line in asks.splitlines():
        what, _, wid = line.partition(" ")
        if what == "discard" or routed:
            writes = [
                state.asked(write, what, now=now) if wid in ("", write.id) else write for write in writes
            ]
    return tuple(writes)


def _unrouted(revision: int, now: int) -> Write:
    return Write(
        id=UNROUTED,
        calendar="",
        address=None,
        state=WriteState.DEAD,
        revision=revision,
        reason=UNROUTED,
        detail="no route says which calendar this part goes to; add one, then replay",
        updated_at=now,
    )


def due(writes: Iterable[Write], now: int) -> list[Write]:
    """The wanted writes that are open and to be attempted now."""
    return [write for write in writes if write.wanted and write.state.is_open and _is_due(write, now)]


def is_everywhere(writes: Iterable[Write]) -> bool:
    """Whether every calendar that the part goes to has it, so that it may be removed from the others.

    What an operator discarded is not waited for; but no event is removed before there is another.
    """
    states = {write.state for write in writes if write.wanted}
    settled = {WriteState.WRITTEN, WriteState.SUPERSEDED, WriteState.CANCELLED}
    return states <= settled and states != {WriteState.CANCELLED}


def removable(writes: Iterable[Write], now: int) -> list[Write]:
    """The writes that are no longer wanted and whose event is to be removed now."""
    gone = (WriteState.SUPERSEDED, WriteState.CANCELLED, WriteState.DEAD)
    return [write for write in writes if not write.wanted and write.state not in gone and _is_due(write, now)]


def _is_due(write: Write, now: int) -> bool:
    """What waits for its account is tried whenever somebody looks: the account's clock decides."""
    return write.waiting or write.due_at <= now


class PartState(StrEnum):
    """Where a part stands: the worst of its writes."""

    OPEN = "open"
    DEAD = "dead"
    DONE = "done"


def part_state(writes: Sequence[Write]) -> tuple[PartState, int]:
    """Where the part stands and, if it is open, when it is due again (Unix milliseconds).

    What is only to be removed waits for the wanted writes and is due on its own once they are all there.
    """
    waiting = [write.due_at for write in writes if write.wanted and write.state.is_open]
    if is_everywhere(writes):
        waiting = [write.due_at for write in removable(writes, sys.maxsize)]
    if waiting:
        return PartState.OPEN, min(waiting)
    dead = any(write.state is WriteState.DEAD for write in writes)
    return (PartState.DEAD if dead else PartState.DONE), 0
