"""A part's writes together: which calendars they are for, what is due, where the part stands. Pure."""

import sys
from collections.abc import Container, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

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
    writes: Sequence[Write],
    targets: Sequence[Target],
    *,
    missing: str = "",
    reason: str = UNROUTED,
    revision: int,
    now: int,
    again_at: int | None = None,
) -> tuple[Write, ...]:
    """Brings the writes of a part to a revision: one for each target, pending where it is behind.

    A write whose calendar is no longer a target is no longer wanted. Where something is `missing`, as it is
    without targets, there is the unrouted write, too: it waits for a configuration that has it, is looked at
    `again_at`, and dies after some minutes. Without targets, what the part has in calendars stays: no event
    is removed before there is another.
    """
    known = [write for write in writes if write.id != UNROUTED]
    if not targets:
        unrouted = _unrouted(writes, missing or state.NO_ROUTE, reason, revision, now, again_at)
        return (*(state.stranded(write, unrouted, now=now) for write in known), unrouted)
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
    if missing:
        result.append(_unrouted(writes, missing, reason, revision, now, again_at))
    return tuple(result)


def _unrouted(
    writes: Sequence[Write], missing: str, reason: str, revision: int, now: int, again_at: int | None
) -> Write:
    """The unrouted write of a revision: a new one; or the one that is there, which waits or has ended."""
    told = next((write for write in writes if write.id == UNROUTED and write.revision == revision), None)
    if told is None:
        told = Write(id=UNROUTED, calendar="", address=None, revision=revision)
    elif not told.state.is_open or told.due_at > now:
        return told
    return state.unrouted(told, missing, again_at=_again_at(again_at, now), now=now, reason=reason)


def _again_at(given: int | None, now: int) -> int:
    return now + state.UNROUTED_AGAIN_S * 1000 if given is None else given


def withdrawn(writes: Sequence[Write], *, revision: int, now: int) -> tuple[Write, ...]:
    """Nothing of the part is to stand in any calendar any more."""
    return tuple(
        state.unwanted(write, WriteState.CANCELLED, revision=revision, now=now)
        for write in writes
        if write.id != UNROUTED
    )


class Adoption(NamedTuple):
    """An event of ours that stands in a calendar is to be the event of a write, which does not know of it."""

    write: str
    generation: int
    revision: int
    """What the event holds."""
    event_id: str

    @property
    def ask(self) -> str:
        """The line by which a worker is asked for it."""
        return f"adopt {self.write} {self.generation} {self.revision} {self.event_id}"

    @classmethod
    def asked(cls, line: str) -> "Adoption":
        """Reads the line."""
        _, wid, generation, revision, event_id = line.split(" ")
        return cls(wid, int(generation), int(revision), event_id)


def asked(
    writes: Sequence[Write], asks: str, *, now: int, routed: bool = True, again_at: int | None = None
) -> tuple[Write, ...]:
    """Does what operators asked for: `replay ID`, `discard ID`, `retry ID`, `resync` or an `Adoption`, a line
    each.

    Of a part that is not `routed` anywhere, nothing is written again: a replay waits for a route.
    """
    for line in asks.splitlines():
        what, _, wid = line.partition(" ")
        if what == "replay" and (wid == UNROUTED or not routed):
            writes = _waiting_anew(writes, wid, now=now, again_at=_again_at(again_at, now))
        elif what == "adopt" and routed:
            event = Adoption.asked(line)
            writes = [
                state.adopted(
                    write, event.event_id, generation=event.generation, revision=event.revision, now=now
                )
                if write.id == event.write
                else write
                for write in writes
            ]
        elif what == "discard" or routed:
            writes = [
                state.asked(write, what, now=now) if wid in ("", write.id) else write for write in writes
            ]
    return tuple(writes)


def _waiting_anew(writes: Sequence[Write], wid: str, *, now: int, again_at: int) -> list[Write]:
    """Has an unrouted part wait for a route once more, and with it the write that is to be replayed."""
    unrouted = next((write for write in writes if write.id == UNROUTED), None)
    if unrouted is None:  # it is routed by now
        return list(writes)
    if not unrouted.state.is_open:
        unrouted = state.waiting_for_route(unrouted, again_at=again_at, now=now)
    return [
        unrouted
        if write.id == UNROUTED
        else state.stranded(state.asked(write, "replay", now=now), unrouted, now=now)
        if write.id == wid
        else write
        for write in writes
    ]


def due(writes: Iterable[Write], now: int) -> list[Write]:
    """The wanted writes that are open and to be attempted now; never the unrouted one."""
    return [
        write
        for write in writes
        if write.wanted and write.state.is_open and write.id != UNROUTED and _is_due(write, now)
    ]


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


def unsettled(writes: Sequence[Write]) -> list[Write]:
    """The writes that keep the part open.

    What is only to be removed waits for the wanted writes and is due on its own once they are all there.
    """
    if is_everywhere(writes):
        return removable(writes, sys.maxsize)
    return [write for write in writes if write.wanted and write.state.is_open]


def part_state(writes: Sequence[Write], *, apart: Container[str] = ()) -> tuple[PartState, int]:
    """Where the part stands and, if it is open, when it is due again (Unix milliseconds).

    0 where nothing is but what is `apart`: those writes (by their ids) stand in lines.
    """
    waiting = unsettled(writes)
    if waiting:
        due = [max(1, write.due_at) for write in waiting if write.id not in apart]
        return PartState.OPEN, min(due, default=0)
    dead = any(write.state is WriteState.DEAD for write in writes)
    return (PartState.DEAD if dead else PartState.DONE), 0
