"""When a part takes place: its start, its end, and the zone it was booked in."""

from datetime import date, datetime, timedelta
from typing import Any

from workers.times import UTC_ZONE, AllDay, Period, Reading, Timed, UnreadableTime, booked_zone, read_time


class InvalidPart(ValueError):
    """A part that no calendar can hold as it was sent; only a new booking helps.

    `reason` is for the operator: it names the field and what is wrong. Times are shown, meeting text never.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_when(
    start: Any, end: Any, *, event_zone: Any, outer_zone: Any, default_zone: str, notes: list[str]
) -> tuple[Period, str]:
    """The period from `start` to `end` as JSON gave them, and the IANA name of its zone.

    The zone is a label: a time with an offset is that instant whatever its `tzid` says, as Cronofy defines it
    (smart-invite callbacks show offsets that disagree with their own tzid). It is taken from start, end, the
    event, the outer event, then `default_zone`; one that is in no table is UTC. A time without an offset
    depends on it, and is never read in a zone that was guessed. Adds to `notes` what had to be assumed.
    Raises InvalidPart.
    """
    start_text, start_zone = _text_and_zone("start", start)
    end_text, end_zone = _text_and_zone("end", end)
    label = _label((start_zone, end_zone, event_zone, outer_zone, default_zone), notes)
    first = _read("start", start_text, (start_zone, event_zone, end_zone, outer_zone, default_zone), notes)
    last = _read("end", end_text, (end_zone, event_zone, start_zone, outer_zone, default_zone), notes)
    return _period(first, last, notes), label


def _text_and_zone(field: str, value: Any) -> tuple[str, Any]:
    """A time is a string, or an object of `time` and perhaps `tzid`; callbacks hold both forms."""
    zone = None
    if isinstance(value, dict):
        zone, value = value.get("tzid"), value.get("time")
    if value is None:
        raise InvalidPart(f"{field}: missing")
    if not isinstance(value, str):
        raise InvalidPart(f"{field}: neither a time string nor an object with one under `time`")
    return value, zone


def _named(zones: tuple[Any, ...]) -> list[Any]:
    """Those of the zones that name one, even if they do so unreadably."""
    return [zone for zone in zones if zone is not None and (not isinstance(zone, str) or zone.strip())]


def _label(zones: tuple[Any, ...], notes: list[str]) -> str:
    named = _named(zones)
    names = [zone for zone in named if isinstance(zone, str)]
    if len(names) < len(named):
        notes.append("wrong_type: tzid")
    known = booked_zone(names[0])
    if known is None:
        notes.append(f"unknown_zone: read as {UTC_ZONE}")
    return known or UTC_ZONE


def _read(field: str, text: str, zones: tuple[Any, ...], notes: list[str]) -> date:
    nearest = _named(zones)[0]
    known = booked_zone(nearest) if isinstance(nearest, str) else None
    try:
        reading: Reading = read_time(text, known or UTC_ZONE)
    except UnreadableTime as error:
        raise InvalidPart(f"{field}: {error}") from None
    if reading.no_offset:
        if known is None:
            raise InvalidPart(f"{field}: a time without offset in an unknown zone")
        notes.append(f"no_offset: {field} read in {known}")
    if reading.fraction_dropped:
        notes.append(f"fraction_dropped: {field}")
    return reading.value


def _period(start: date, end: date, notes: list[str]) -> Period:
    if isinstance(start, datetime) and isinstance(end, datetime):
        if end < start:
            raise InvalidPart(f"end: {end.isoformat()} is before start {start.isoformat()}")
        return Timed(start, end)
    if isinstance(start, datetime) or isinstance(end, datetime):
        raise InvalidPart("start, end: one is a whole day and the other a time of day")
    if end < start:
        raise InvalidPart(f"end: {end.isoformat()} is before start {start.isoformat()}")
    if end == start:  # both providers refuse an empty day; who sends this means the day itself
        notes.append("empty_all_day: read as one day")
        end = start + timedelta(days=1)
    return AllDay(start, end)
