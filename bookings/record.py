"""What is stored of a booking: its parts as they were booked, and the writes of each part."""

from enum import StrEnum

import msgspec

from config.settings import CalendarAddress

NO_JSON = msgspec.Raw(b"")
"""No JSON at all; this very object is what stands for a member that was not sent."""
NULL = msgspec.Raw(b"null")


class Forward(msgspec.Struct, frozen=True):
    """A callback that is to be passed on as it came."""

    body: bytes
    signature: str
    """The header `Cronofy-HMAC-SHA256`."""


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One item of `sequence[]` as it was sent; a callback without `sequence` is its own one part.

    `event`, `start` and `end` are the sender's JSON, read by the worker: what one part holds
    wrongly is that part's dead letter and keeps no other part from its calendar.

    What is to be passed on of a delivery is a part of its own, in a record of its own: see `forward`.
    """

    sequence_id: str | int | None = None
    event: msgspec.Raw = NULL
    subs: tuple[str, ...] = ()
    zone: str | None = None
    """IANA zone of the outer event, for a part that names none."""
    start: msgspec.Raw = NO_JSON
    """`start` where it stands directly under the part, the older documented form; else empty."""
    end: msgspec.Raw = NO_JSON
    forward: Forward | None = None
    """The delivery, where this is not a meeting but what is to be passed on."""

    @property
    def sequence_text(self) -> str | None:
        """The `sequence_id` as text, by which parts are compared and routed."""
        return None if self.sequence_id is None else str(self.sequence_id)


class WriteState(StrEnum):
    """Where a write stands. The first four are together called open."""

    PENDING = "pending"
    WRITING = "writing"
    RETRYING = "retrying"
    PARKED = "parked"
    WRITTEN = "written"
    DEAD = "dead"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether there is still something to write."""
        return self in _OPEN


_OPEN = frozenset({WriteState.PENDING, WriteState.WRITING, WriteState.RETRYING, WriteState.PARKED})


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt that did not succeed; times in Unix milliseconds."""

    at: int
    error_class: str
    code: str = ""
    request_id: str = ""
    worker: str = ""
    revision: int = 0


TAKEN = "taken"
"""Operation of a create whose id the provider says is taken, by an event that it does not show."""
CREATES = frozenset({"create", TAKEN})


class Intent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is about to be asked of the provider. One found without an outcome is in doubt."""

    operation: str
    revision: int
    generation: int
    at: int
    """When it was sent with an outcome that is not known; of `taken`, when that was first heard."""
    body: msgspec.Raw = NO_JSON
    """The exact body of a create. A repeat sends the same bytes: Graph then answers with the same event."""


class Write(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part in one calendar: the unit of work, of retry and of dead letter."""

    id: str
    calendar: str
    """Our configured name of the calendar; empty for a part that no route sends anywhere."""
    address: CalendarAddress | None
    wanted: bool = True
    """Whether the part still goes to this calendar; if not, what it has there is to be removed."""
    state: WriteState = WriteState.PENDING
    revision: int = 0
    """The booking's revision that `state` speaks of."""
    generation: int = 0
    event_id: str = ""
    """The provider's id of the event, once known."""
    etag: str = ""
    written_revision: int = 0
    """The revision that the event at the provider holds; 0 where none was written yet."""
    written_at: int = 0
    """When it was last written there, in Unix milliseconds."""
    uid: str = ""
    """The event's uid, which survives what changes even the provider's id of it (an event dragged in
    Outlook).
    """
    digest: str = ""
    online: bool = False
    """Whether the event has an online meeting, which is never overwritten."""
    fields: tuple[str, ...] | None = None
    """What the event has from us, in the provider's names; None where an earlier version wrote it."""
    url: str = ""
    degraded: tuple[str, ...] = ()
    """What the provider could not hold, in words without meeting text."""
    intent: Intent | None = None
    due_at: int = 0
    failing_since: int = 0
    """Since when it could not be written, or waits for its account; 0 where nothing has kept it yet."""
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    """Failures in a row, by which the next wait is reckoned; a replay starts anew."""
    waiting: bool = False
    """Whether it waits for its account, not for a time of its own."""
    repair: bool = False
    """Whether our fields are to be written once more, whatever the event's own mark says (a resync)."""
    looks: int = -1
    """How often a calendar was searched for an event whose creation was in doubt when it was withdrawn."""
    reason: str = ""
    """Why it is retrying, parked or dead: the error class or one of our own reasons."""
    detail: str = ""
    updated_at: int = 0

    @property
    def is_delayed(self) -> bool:
        """Whether something keeps it from its calendar: it is retrying or parked since `failing_since`.

        A later look for an event in doubt is not, nor a turn that a busy account gives.
        """
        return self.failing_since > 0 and self.state in (WriteState.RETRYING, WriteState.PARKED)


UNROUTED = "unrouted"
"""Id and reason of the one write of a part that no route sends anywhere."""
NOT_ALLOWED = "calendar_not_allowed"
"""Reason of that write where something leads to a calendar that the app may not use."""
NOT_CONFIGURED = "calendar_not_configured"
"""Why a write is parked: the configuration in force does not have its calendar."""
UNREADABLE = "unreadable"
"""Reason why a delivery is kept: nobody can read it."""
UNKNOWN_LINK = "unknown_link"
"""Reason why a delivery is kept: it is a booking, on a link that the record does not know, or no longer."""


class Booking(msgspec.Struct, frozen=True):
    """A booking as read from Redis, for showing it."""

    id: str
    app: str
    event_id: str
    revision: int
    accepted_at: int
    parts: tuple["StoredPart", ...]
    delivery: str = ""
    """The newest one."""
    link: str | None = None
    expires_at: int | None = None

    @property
    def state(self) -> str:
        """`open`, `dead` or `done`: the worst of its parts."""
        states = {part.state for part in self.parts}
        return next((state for state in ("open", "dead") if state in states), "done")


class StoredPart(msgspec.Struct, frozen=True):
    """A part with its writes, as read from Redis."""

    id: str
    part: Part
    revision: int
    state: str
    listed: bool
    """Whether the booking's newest delivery still lists it."""
    writes: tuple[Write, ...]


class Quarantined(msgspec.Struct, frozen=True):
    """A signed delivery that could not be taken: kept whole, as a dead letter."""

    id: str
    app: str
    reason: str
    """What was wrong, in words."""
    at: int
    body: bytes
    signature: str = ""
    """The header `Cronofy-HMAC-SHA256`; nothing where an older version kept it."""
    link: str | None = None
