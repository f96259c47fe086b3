"""The state machine of a write. Pure: each function is one event, from a write to a write.

    pending -> writing -> written | retrying | parked | dead | superseded
    retrying, parked -> writing        (when due)
    written, dead, superseded, cancelled -> pending        (a newer revision)
    dead -> pending | cancelled        (an operator replays or discards it)
    any -> cancelled, superseded        (its event is removed: the part was withdrawn, or goes elsewhere)

What is stored follows from these functions alone; the scripts store it, under the part's lease.
"""

import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec.structs import replace

from bookings.record import UNROUTED, Attempt, Intent, Write, WriteState
from config.settings import CalendarAddress

MOST_ATTEMPTS = 30
"""Attempts kept: the first and the newest ones."""

LATER_LOOKS_S = (60, 600, 3600)
"""When a calendar is searched again for an event whose creation was in doubt as it was withdrawn."""


class Target:
    """A calendar that a part goes to: our name of it and the provider's address."""

    __slots__ = ("address", "id", "name")

    def __init__(self, id: str, name: str, address: CalendarAddress) -> None:  # noqa: A002 - it is the write's id
        self.id = id
        self.name = name
        self.address = address


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
        return (*(_stranded(write, now) for write in known), *(told or [_unrouted(revision, now)]))
    wanted = {target.id: target for target in targets}
    result = [
        _towards(write, wanted.pop(write.id), revision, now) if write.id in wanted else _unwanted(write, now)
        for write in known
    ]
    result += [
        Write(id=target.id, calendar=target.name, address=target.address, revision=revision, updated_at=now)
        for target in wanted.values()
    ]
    return tuple(result)


def _towards(write: Write, target: Target, revision: int, now: int) -> Write:
    renamed = replace(write, calendar=target.name) if write.calendar != target.name else write
    if write.revision >= revision and write.wanted:
        return renamed
    return replace(
        renamed,
        wanted=True,
        state=WriteState.PENDING,
        revision=revision,
        due_at=0,
        waiting=False,
        failing_since=0,
        attempts=(),
        tries=0,
        looks=-1,
        reason="",
        detail="",
        updated_at=now,
    )


def withdrawn(writes: Sequence[Write], *, revision: int, now: int) -> tuple[Write, ...]:
    """Nothing of the part is to stand in any calendar any more."""
    return tuple(_unwanted(write, now, revision) for write in writes if write.id != UNROUTED)


def _unwanted(write: Write, now: int, revision: int = 0) -> Write:
    """No longer wanted: what was never written is done with, what was (or may have been) is to be removed."""
    if not write.wanted and write.revision >= revision:
        return write
    marked = replace(
        write,
        wanted=False,
        revision=max(write.revision, revision),
        due_at=0,
        waiting=False,
        failing_since=0,
        tries=0,
        updated_at=now,
    )
    if not write.event_id and write.intent is None:
        return replace(marked, state=_gone_state(write, revision))
    in_doubt = write.intent is not None and write.intent.operation == "create"
    return replace(marked, state=WriteState.WRITTEN, looks=0 if in_doubt else write.looks)


def _gone_state(write: Write, revision: int) -> WriteState:
    """Cancelled with its part, or superseded by a write in another calendar."""
    return WriteState.CANCELLED if revision > write.revision else WriteState.SUPERSEDED


def _stranded(write: Write, now: int) -> Write:
    """A write of a part that is not routed anywhere now: what was under way stops, and is reported."""
    if not write.state.is_open:
        return write
    return replace(
        write,
        state=WriteState.DEAD,
        due_at=0,
        waiting=False,
        reason=UNROUTED,
        detail="no route says any more which calendar this part goes to; add one, then replay",
        updated_at=now,
    )


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
    """Whether every calendar that the part goes to has it, so that it may be removed from the others."""
    return all(write.state is WriteState.WRITTEN for write in writes if write.wanted)


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
    if not waiting and is_everywhere(writes):
        waiting = [write.due_at for write in removable(writes, sys.maxsize)]
    if waiting:
        return PartState.OPEN, min(waiting)
    dead = any(write.state is WriteState.DEAD for write in writes)
    return (PartState.DEAD if dead else PartState.DONE), 0


def intended(write: Write, intent: Intent, *, now: int) -> Write:
    """The provider is about to be asked for a change."""
    return replace(
        write, state=WriteState.WRITING, intent=intent, generation=intent.generation, updated_at=now
    )


def written(  # what is at the provider now has many sides
    write: Write,
    *,
    revision: int,
    generation: int,
    event_id: str,
    etag: str,
    digest: str,
    online: bool,
    url: str,
    degraded: tuple[str, ...],
    now: int,
) -> Write:
    """The event at the provider holds `revision`."""
    return replace(
        _at_rest(write, now),
        state=WriteState.WRITTEN,
        generation=generation,
        event_id=event_id,
        etag=etag,
        digest=digest,
        online=online,
        url=url,
        degraded=degraded,
        written_revision=revision,
        repair=False,
        intent=None,
    )


def left_deleted(write: Write, *, now: int) -> Write:
    """A person removed this very revision from the calendar, and it stays removed."""
    return replace(
        _at_rest(write, now),
        state=WriteState.WRITTEN,
        repair=False,
        intent=None,
        written_revision=write.revision,
        reason="deleted_by_person",
        detail="a person removed the event from the calendar; only a newer booking brings it back",
    )


def superseded(write: Write, *, now: int) -> Write:
    """The event already holds a newer revision than this record."""
    return replace(_at_rest(write, now), state=WriteState.SUPERSEDED, intent=None)


def _at_rest(write: Write, now: int) -> Write:
    """The write with nothing left of its waiting and failing."""
    return replace(
        write,
        due_at=0,
        waiting=False,
        failing_since=0,
        tries=0,
        reason="",
        detail="",
        updated_at=now,
    )


def removed(write: Write, *, gone: bool, now: int) -> Write:
    """Nothing of the write stands in its calendar; looked for again where its creation was in doubt.

    `gone` says whether the whole part was withdrawn. The id at the provider is burnt.
    """
    if 0 <= write.looks < len(LATER_LOOKS_S):
        return replace(
            _at_rest(write, now),
            state=WriteState.RETRYING,
            looks=write.looks + 1,
            due_at=now + LATER_LOOKS_S[write.looks] * 1000,
            reason="create_in_doubt",
            detail="an event that was being made may still appear; its calendar is searched again",
        )
    return replace(
        _at_rest(write, now),
        state=WriteState.CANCELLED if gone else WriteState.SUPERSEDED,
        generation=write.generation + 1,
        event_id="",
        etag="",
        digest="",
        url="",
        written_revision=0,
        intent=None,
        looks=-1,
    )


def asked(writes: Sequence[Write], asks: str, *, now: int) -> tuple[Write, ...]:
    """Does what operators asked for: `replay ID`, `discard ID` (of dead writes) or `resync`, a line each."""
    for line in asks.splitlines():
        what, _, wid = line.partition(" ")
        writes = [_asked(write, what, now) if wid in ("", write.id) else write for write in writes]
    return tuple(writes)


def _asked(write: Write, what: str, now: int) -> Write:
    dead = write.state is WriteState.DEAD
    if what == "discard" and dead:
        return replace(
            write, state=WriteState.CANCELLED, due_at=0, waiting=False, detail="discarded", updated_at=now
        )
    again = (what == "replay" and dead and write.id != UNROUTED) or (
        what == "resync" and write.wanted and write.state is WriteState.WRITTEN
    )
    if not again:
        return write
    return replace(
        write,
        state=WriteState.PENDING if write.wanted else WriteState.WRITTEN,
        repair=what == "resync",
        due_at=0,
        waiting=False,
        failing_since=0,
        tries=0,
        updated_at=now,
    )


def waiting(write: Write, *, due_at: int, parked: bool, reason: str, now: int) -> Write:
    """Its account waits, and so does it: no attempt was made, and none counts."""
    return replace(
        write,
        state=WriteState.PARKED if parked else WriteState.RETRYING,
        waiting=True,
        due_at=due_at,
        reason="account_parked" if parked else "account_paused",
        detail=reason,
        updated_at=now,
    )


def failed(
    write: Write, attempt: Attempt, *, due_at: int | None, parked: bool, detail: str, now: int
) -> Write:
    """An attempt failed; it is tried again at `due_at` (Unix ms), or never where that is None."""
    still_open = WriteState.PARKED if parked else WriteState.RETRYING
    attempts = (*write.attempts, attempt)
    if len(attempts) > MOST_ATTEMPTS:
        attempts = (attempts[0], *attempts[-MOST_ATTEMPTS + 1 :])
    return replace(
        write,
        state=WriteState.DEAD if due_at is None else still_open,
        attempts=attempts,
        tries=write.tries + 1,
        failing_since=0 if parked else write.failing_since or now,  # waiting for a person is no failing
        due_at=due_at or 0,
        waiting=False,
        reason=attempt.error_class,
        detail=detail,
        updated_at=now,
    )
