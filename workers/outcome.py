"""What an upsert starts from, and what it came to."""

from enum import StrEnum

import msgspec

from bookings.record import Intent
from workers.calendars.port import Found


class Effect(StrEnum):
    """What an upsert came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    """The event already holds a newer revision."""
    DELETED_BY_PERSON = "deleted_by_person"
    """Somebody removed this very revision from the calendar; only a newer one brings it back."""


class Known(msgspec.Struct, frozen=True):
    """What the record says of the event: `intent` without an outcome means that nothing of it is certain."""

    event_id: str = ""
    etag: str = ""
    generation: int = 0
    written_revision: int = 0
    written_at: int = 0
    """When we last wrote it, in Unix milliseconds."""
    uid: str = ""
    online: bool = False
    fields: tuple[str, ...] | None = None
    repair: bool = False
    intent: Intent | None = None

    @property
    def last_set(self) -> tuple[str, ...]:
        """What an event has from us that lost our mark: as recorded, or else what its create was to set."""
        if self.fields is not None:
            return self.fields
        body = bytes(self.intent.body) if self.intent is not None else b""
        return tuple(msgspec.json.decode(body)) if body else ()


class Outcome(msgspec.Struct, frozen=True):
    """What there is at the provider now."""

    effect: Effect
    generation: int
    found: Found | None
    digest: str = ""
    degraded: tuple[str, ...] = ()
