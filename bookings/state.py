"""The state machine of a write. Pure: each function is one event, from a write to a write.

    pending -> writing -> written | retrying | parked | dead | superseded
    retrying, parked -> writing        (when due)
    written, dead, superseded, cancelled -> pending        (a newer revision)
    retrying, parked -> dead        (for `retry_for` without a break)
    dead -> pending | cancelled        (an operator replays or discards it)
    open -> retrying -> dead        (no route leads to its calendar, for `UNROUTED_FOR_S`)
    written, superseded, cancelled -> pending        (an operator has an event adopted)
    any -> cancelled, superseded        (its event is removed: the part was withdrawn, or goes elsewhere)

What is stored follows from these functions alone, put together for a part in `part_writes`; the scripts store
it, under the part's lease.
"""

from msgspec.structs import replace

from bookings.record import CREATES, UNROUTED, Attempt, Intent, Write, WriteState

MOST_ATTEMPTS = 30
"""Attempts kept: the first and the newest ones."""

LATER_LOOKS_S = (60, 600, 3600)
"""When a calendar is searched again for an event whose creation was in doubt as it was withdrawn."""

UNROUTED_FOR_S = 300
"""How long a part waits for a route before it is a dead letter: workers may have an older configuration."""
UNROUTED_AGAIN_S = 60
"""How long it waits at the most before somebody looks for one again."""

NO_ROUTE = "no route says which calendar this part goes to"
"""What is missing most often."""

RECORD_BEHIND = "record_behind"
"""The reason of a write whose event is newer than the record."""


def wanted(write: Write, calendar: str, *, revision: int, now: int) -> Write:
    """Its calendar, by our name of it now, is one of those that the revision goes to."""
    renamed = replace(write, calendar=calendar) if write.calendar != calendar else write
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
        reason="",
        detail="",
        updated_at=now,
    )


def unwanted(write: Write, over: WriteState, *, revision: int, now: int) -> Write:
    """No longer wanted: what was never written is `over`, what was (or may have been) is to be removed."""
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
        return replace(marked, state=over)
    in_doubt = write.looks >= 0 or (write.intent is not None and write.intent.operation in CREATES)
    return replace(marked, state=WriteState.WRITTEN, looks=0 if in_doubt else -1)


def unrouted(write: Write, missing: str, *, again_at: int, now: int, reason: str = UNROUTED) -> Write:
    """The configuration lacks what a part needs (`missing`, in words): it waits, or has for long enough."""
    told = replace(
        write, reason=reason, detail=f"{missing}; add it, have the workers read it, and replay what is dead"
    )
    if write.failing_since and now - write.failing_since >= UNROUTED_FOR_S * 1000:
        return replace(told, state=WriteState.DEAD, due_at=0, updated_at=now)
    return waiting_for_route(told, again_at=again_at, now=now, since=write.failing_since)


def waiting_for_route(write: Write, *, again_at: int, now: int, since: int = 0) -> Write:
    """A route is looked for again `again_at`; it has been waited for `since`, or only from now on."""
    return replace(
        write,
        state=WriteState.RETRYING,
        due_at=again_at,
        failing_since=since or now,
        updated_at=now,
    )


def stranded(write: Write, by: Write, *, now: int) -> Write:
    """A write of a part that is not routed anywhere now: what was under way waits or ends with the part."""
    if not write.wanted or not write.state.is_open:
        return write
    return replace(
        write,
        state=by.state if by.state.is_open else WriteState.DEAD,
        due_at=by.due_at,
        waiting=False,
        reason=by.reason,
        detail=by.detail,
        updated_at=now,
    )


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
    uid: str,
    digest: str,
    online: bool,
    url: str,
    degraded: tuple[str, ...],
    now: int,
    fields: tuple[str, ...] | None = None,
) -> Write:
    """The event at the provider holds `revision`."""
    return replace(
        _at_rest(write, now),
        state=WriteState.WRITTEN,
        generation=generation,
        event_id=event_id,
        etag=etag,
        uid=uid,
        digest=digest,
        online=online,
        url=url,
        fields=fields,
        degraded=degraded,
        written_revision=revision,
        written_at=now,
        repair=False,
        intent=None,
    )


def passed_on(write: Write, *, revision: int, now: int) -> Write:
    """The callback was taken where it was passed on to."""
    return replace(
        _at_rest(write, now), state=WriteState.WRITTEN, written_revision=revision, repair=False, intent=None
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


def superseded(
    write: Write,
    *,
    generation: int,
    event_id: str,
    etag: str,
    now: int,
    online: bool = False,
    fields: tuple[str, ...] | None = None,
    behind: bool = False,
) -> Write:
    """The event already holds a newer revision than this record; it is ours to remove all the same.

    `behind` says that no record knows that revision: one was restored from a copy, or lost what was newest.
    """
    return replace(
        _at_rest(write, now),
        state=WriteState.SUPERSEDED,
        generation=generation,
        event_id=event_id,
        etag=etag,
        online=online,
        fields=fields,
        intent=None,
        reason=RECORD_BEHIND if behind else "",
        detail="the event in the calendar holds a newer revision than any on record" if behind else "",
    )


def _at_rest(write: Write, now: int) -> Write:
    """The write with nothing left of its waiting and failing."""
    return replace(
        write,
        due_at=0,
        waiting=False,
        failing_since=0,
        tries=0,
        looks=-1,
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
        uid="",
        written_revision=0,
        written_at=0,
        intent=None,
    )


def asked(write: Write, what: str, *, now: int) -> Write:
    """An operator asks for `replay` or `discard`, of what is dead, or for `resync`, of what is written.

    What is delayed is due at once, whichever of them is asked, or `retry`.
    """
    dead = write.state is WriteState.DEAD
    if write.is_delayed and what != "discard":
        if write.id == UNROUTED:
            return write  # whoever looks, looks for a route
        repair = write.repair or (what == "resync" and write.wanted)
        return replace(write, due_at=0, repair=repair)
    if what == "discard" and dead:
        return replace(
            write, state=WriteState.CANCELLED, due_at=0, waiting=False, detail="discarded", updated_at=now
        )
    again = (what == "replay" and dead) or (
        what == "resync" and write.wanted and write.state is WriteState.WRITTEN
    )
    if not again:
        return write
    return replace(
        write,
        state=WriteState.PENDING if write.wanted else WriteState.WRITTEN,
        repair=write.repair or what == "resync",
        due_at=0,
        waiting=False,
        failing_since=0,
        tries=0,
        updated_at=now,
    )


def adopted(write: Write, event_id: str, *, generation: int, revision: int, now: int) -> Write:
    """An event of ours in the calendar, which holds `revision`, is the write's from now on; it is looked at
    before anything is sent, and removed where the write is no longer wanted.
    """
    return replace(
        _at_rest(write, now),
        state=WriteState.PENDING if write.wanted else WriteState.WRITTEN,
        generation=generation,
        event_id=event_id,
        etag="",
        uid="",
        digest="",
        url="",
        online=False,
        fields=None,
        written_revision=max(revision, write.revision),
        written_at=0,
        intent=None,
    )


def waiting(write: Write, *, due_at: int, parked: bool, reason: str, now: int, busy: bool = False) -> Write:
    """Its account waits, and so does it: no attempt was made, and none counts.

    Where the account is only `busy`, nothing has failed, and no age begins.
    """
    return replace(
        write,
        state=WriteState.PARKED if parked else WriteState.RETRYING,
        waiting=True,
        failing_since=write.failing_since if busy else write.failing_since or now,
        due_at=due_at,
        reason="account_parked" if parked else "account_paused",
        detail=reason,
        updated_at=now,
    )


def just_made(write: Write, before: Write | None) -> bool:
    """Whether its calendar took it, or showed that it has it, since it was as it was before."""
    taken = write.wanted and write.state is WriteState.WRITTEN
    return taken and (before is None or before.updated_at != write.updated_at)


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
        failing_since=write.failing_since or now,
        due_at=due_at or 0,
        waiting=False,
        reason=attempt.error_class,
        detail=detail,
        updated_at=now,
    )


def given_up(write: Write, *, reason: str, detail: str, now: int) -> Write:
    """Its account has waited for too long; no attempt was made."""
    return replace(
        write, state=WriteState.DEAD, due_at=0, waiting=False, reason=reason, detail=detail, updated_at=now
    )
