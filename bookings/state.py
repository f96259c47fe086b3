"""The state machine of a write. Pure: each function is one event, from a write to a write.

    pending -> writing -> written | retrying | parked | dead | superseded
    retrying, parked -> writing        (when due)
    written, dead, superseded, cancelled -> pending        (a newer revision)

What is stored follows from these functions alone; the scripts store it, under the part's lease.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from bookings.record import UNROUTED, Attempt, Intent, Write, WriteState
from config.settings import CalendarAddress

MOST_ATTEMPTS = 30
"""Attempts kept: the first and the newest ones."""


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

    A write whose calendar is no longer a target keeps what it has. A part without targets has one
    write, dead.
    """
    wanted = {target.id: target for target in targets}
    known = {write.id: write for write in writes if write.id != UNROUTED}
    result = [
        _towards(write, wanted[write.id], revision, now) if write.id in wanted else write
        for write in known.values()
    ]
    result += [
        Write(id=target.id, calendar=target.name, address=target.address, revision=revision, updated_at=now)
        for target in targets
        if target.id not in known
    ]
    if not targets:
        result.append(
            Write(
                id=UNROUTED,
                calendar="",
                address=None,
                state=WriteState.DEAD,
                revision=revision,
                reason=UNROUTED,
                detail="no route says which calendar this part goes to; add one, then replay",
                updated_at=now,
            )
        )
    return tuple(result)


def _towards(write: Write, target: Target, revision: int, now: int) -> Write:
    renamed = replace(write, calendar=target.name) if write.calendar != target.name else write
    if write.revision >= revision:
        return renamed
    return replace(
        renamed,
        state=WriteState.PENDING,
        revision=revision,
        due_at=0,
        failing_since=0,
        attempts=(),
        reason="",
        detail="",
        updated_at=now,
    )


def due(writes: Iterable[Write], now: int) -> list[Write]:
    """The open writes that are to be attempted now."""
    return [write for write in writes if write.state.is_open and write.due_at <= now]


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
        write,
        state=WriteState.WRITTEN,
        generation=generation,
        event_id=event_id,
        etag=etag,
        digest=digest,
        online=online,
        url=url,
        degraded=degraded,
        written_revision=revision,
        intent=None,
        due_at=0,
        failing_since=0,
        reason="",
        detail="",
        updated_at=now,
    )


def left_deleted(write: Write, *, now: int) -> Write:
    """A person removed this very revision from the calendar, and it stays removed."""
    return replace(
        write,
        state=WriteState.WRITTEN,
        intent=None,
        written_revision=write.revision,
        reason="deleted_by_person",
        detail="a person removed the event from the calendar; only a newer booking brings it back",
        due_at=0,
        updated_at=now,
    )


def superseded(write: Write, *, now: int) -> Write:
    """The event already holds a newer revision than this record."""
    return replace(
        write, state=WriteState.SUPERSEDED, intent=None, reason="", detail="", due_at=0, updated_at=now
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
        failing_since=write.failing_since or now,
        due_at=due_at or 0,
        reason=attempt.error_class,
        detail=detail,
        updated_at=now,
    )
