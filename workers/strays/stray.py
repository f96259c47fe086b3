"""What a stray is, and how it stands to the record."""

from enum import StrEnum

import msgspec

from config.settings import CalendarAddress
from workers.calendars.port import Found


class Standing(StrEnum):
    """How an event stands to the record."""

    UNKNOWN = "unknown"
    """No booking on record has its key."""
    UNRECORDED = "unrecorded"
    """Its booking is on record, with nothing left to write, and without this event."""
    NEWER = "newer"
    """It is the event of a write on record, in a newer revision than any there."""
    DOUBLE = "double"
    """Its booking is on record with another event of the same write, which stands as well."""
    COPY = "copy"
    """A person made it, by copying an event that no booking on record has. It is theirs."""


class Place(msgspec.Struct, frozen=True):
    """The write on record that an event's key belongs to."""

    booking: str
    part: str
    write: str
    generation: int
    app: str
    event_id: str
    sequence_id: str | int | None
    address: CalendarAddress
    recorded: str = ""
    """The provider's id of the event that the record has for it."""
    at_rest: bool = True
    """Whether nothing is left to do, or to replay, that would look for the event."""


class Stray(msgspec.Struct, frozen=True):
    """One event; `calendar` is our configured name of where it stands."""

    calendar: str
    found: Found
    standing: Standing
    place: Place | None = None


class Strays(msgspec.Struct, frozen=True):
    """What a look at calendars came to."""

    found: list[Stray]
    unread: dict[str, str]
    """Calendars that could not be read, by their configured names, with the provider's code."""
