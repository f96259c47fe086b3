"""When a part takes place: its start, its end, and the zone it was booked in."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from workers.times import UTC_ZONE, AllDay, Period, Reading, Timed, UnreadableTime, known_zone, read_time

_ODD_IN_A_ZONE = re.compile(r"[^A-Za-z0-9_+/-]")


class InvalidPart(ValueError):
    """A part that no calendar can hold as it was sent; only a new booking helps.

    `reason` is for the operator: it names the field and what is wrong. Times are shown, meeting text never.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_when(
    start: Any, end: Any, *, shared_zones: Sequence[Any], default_zone: str, notes: list[str]
) -> tuple[Period, str]:
    """The period from `start` to `end` as JSON gave them, and the IANA name of its zone.

    The zone is a label: a time with an offset is that instant whatever its `tzid` says, as Cronofy defines it
    (smart-invite callbacks show offsets that disagree with their own tzid). It is taken from start, end, then
    the first of `shared_zones` that names one, then `default_zone`. Adds to `notes` what had to be assumed.
    Raises InvalidPart.
    """
    start_text, start_zone = _text_and_zone("start", start, notes)
    end_text, end_zone = _text_and_zone("end", end, notes)
    shared = next(filter(None, (_name(zone, notes) for zone in shared_zones)), None)
    zone = _known(start_zone or end_zone or shared or default_zone, notes)
    first = _read("start", start_text, start_zone or shared, notes)
    last = _read("end", end_text, end_zone or shared, notes)
    return _period(first, last, notes), zone


def _text_and_zone(field: str, value: Any, notes: list[str]) -> tuple[str, str | None]:
    """A time is a string, or an object of `time` and perhaps `tzid`; callbacks hold both forms."""
    zone = None
    if isinstance(value, dict):
        zone = _name(value.get("tzid"), notes)
        value = value.get("time")
    if value is None:
        raise InvalidPart(f"{field}: missing")
    if not isinstance(value, str):
        raise InvalidPart(f"{field}: neither a time string nor an object with one under `time`")
    return value, zone


def _name(zone: Any, notes: list[str]) -> str | None:
    if isinstance(zone, str):
        return zone.strip() or None
    if zone is not None:
        notes.append("wrong_type: tzid")
    return None


def _known(zone: str, notes: list[str]) -> str:
    known = known_zone(zone)
    if known is None:
        notes.append(f"unknown_zone: {_ODD_IN_A_ZONE.sub('?', zone[:40])} → {UTC_ZONE}")
        return UTC_ZONE
    return known


def _read(field: str, text: str, zone: str | None, notes: list[str]) -> date:
    local = _known(zone, notes) if zone else UTC_ZONE
    try:
        reading: Reading = read_time(text, local)
    except UnreadableTime as error:
        raise InvalidPart(f"{field}: {error}") from None
    if reading.no_offset:
        notes.append(f"no_offset: {field} read in {local}")
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
