"""One booking part as a typed event, from the JSON that Cronofy sent."""

import json
import math
from datetime import date
from typing import Any

import msgspec

from bookings.record import Part
from workers.event_fields import (
    Conferencing,
    JoinLink,
    Location,
    Transparency,
    read_color,
    read_conferencing,
    read_flag,
    read_line,
    read_location,
    read_reminders,
    read_tags,
    read_text,
    read_transparency,
    read_url,
)
from workers.event_when import InvalidPart, read_when
from workers.times import UTC_ZONE, Period

__all__ = [
    "Conferencing",
    "Event",
    "InvalidPart",
    "JoinLink",
    "Location",
    "Transparency",
    "read_event",
    "read_part",
]

_LONGEST_NUMBER = 20  # digits; Cronofy's integers have 32 bits


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a part says about its event. None in an optional field: the callback did not speak of it."""

    when: Period
    zone: str
    """IANA name of the zone it was booked in, always one that exists."""
    summary: str | None = None
    description: str | None = None
    location: Location | None = None
    url: str | None = None
    reminders: tuple[int, ...] | None = None
    """Minutes before the start, the most important first; () is "no reminder"."""
    reminders_create_only: bool = False
    transparency: Transparency | None = None
    private: bool = False
    color: str | None = None
    """#rrggbb, lower case."""
    conferencing: Conferencing | JoinLink | None = None
    tags: tuple[str, ...] | None = None
    degraded: tuple[str, ...] = ()
    """What was not as it should be, as `code: field`; never meeting text."""

    def __repr__(self) -> str:
        """Without meeting text, so that an event may stand in a log line or a traceback."""
        return f"Event(when={self.when!r}, zone={self.zone!r}, degraded={self.degraded!r})"

    @property
    def start(self) -> date:
        """A UTC `datetime`, or the first day."""
        return self.when.start

    @property
    def end(self) -> date:
        """A UTC `datetime`, or the first day after it."""
        return self.when.end

    @property
    def over_at(self) -> int:
        """When it is over at the latest, whatever the zone, in Unix milliseconds."""
        days = self.end.toordinal() - date(1970, 1, 1).toordinal() + 1
        return days * 86_400_000


def read_part(part: Part, default_zone: str) -> Event:
    """The event of a stored part. Raises `InvalidPart`."""
    return read_event(
        bytes(part.event),
        start=bytes(part.start) or None,
        end=bytes(part.end) or None,
        outer_zone=part.zone,
        default_zone=default_zone,
    )


def read_event(
    event: bytes,
    *,
    start: bytes | None = None,
    end: bytes | None = None,
    outer_zone: str | None = None,
    default_zone: str = UTC_ZONE,
) -> Event:
    """The event of one part.

    Args:
        event: the part's `event` object, raw JSON.
        start: raw JSON of a `start` directly under the part; counts where the event object has none.
            Cronofy's text documents that place, its example the other.
        end: the same for `end`.
        outer_zone: `tzid` of the outer event's start, for a part that names no zone.
        default_zone: the app's zone, for a booking that names none at all. Any zone may have a Windows name.

    Raises:
        InvalidPart: the JSON, the start or the end cannot be used. Every other field that cannot be used is
            left out and noted in `degraded`.
    """
    notes: list[str] = []
    fields = _parse("event", event, notes)
    if not isinstance(fields, dict):
        raise InvalidPart("event: not a JSON object")
    when, zone = read_when(
        _nested_or_direct(fields, "start", start, notes),
        _nested_or_direct(fields, "end", end, notes),
        event_zone=fields.get("tzid"),
        outer_zone=outer_zone,
        default_zone=default_zone,
        notes=notes,
    )
    return Event(
        when=when,
        zone=zone,
        summary=read_line(fields, "summary", notes),
        description=read_text(fields, "description", notes),
        location=read_location(fields, notes),
        url=read_url(fields, "url", notes),
        reminders=read_reminders(fields, notes),
        reminders_create_only=read_flag(fields, "reminders_create_only", notes),
        transparency=read_transparency(fields, notes),
        private=read_flag(fields, "event_private", notes),
        color=read_color(fields, notes),
        conferencing=read_conferencing(fields, notes),
        tags=read_tags(fields, notes),
        degraded=tuple(dict.fromkeys(notes)),  # evaluated last, after every reader has added its notes
    )


def _nested_or_direct(fields: dict[str, Any], name: str, direct: bytes | None, notes: list[str]) -> Any:
    nested = fields.get(name)
    return _parse(name, direct, notes) if nested is None and direct is not None else nested


def _parse(field: str, raw: bytes, notes: list[str]) -> Any:
    """JSON by the standard library, which takes the lone surrogates and control characters we clean later."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(errors="replace")
        notes.append(f"cleaned: {field} is not UTF-8")
    try:
        return json.loads(text, parse_int=_number, strict=False)
    except (ValueError, RecursionError):
        raise InvalidPart(f"{field}: not readable as JSON") from None


def _number(digits: str) -> int | float:
    """An absurdly long integer must not cost the part: no field of ours takes an infinite one."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.inf
