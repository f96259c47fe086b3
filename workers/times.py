"""Reading the times of a callback, and showing an instant in the zone it was booked in.

Instants are kept in UTC and converted only at the edge: arithmetic on a zoned datetime is wall-clock
arithmetic in Python, and two different instants of a repeated hour compare equal.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from tzlocal.windows_tz import win_tz

UTC_ZONE = "Etc/UTC"

_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?"
    r"(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>[0-5]\d))?)?",
    re.ASCII,
)


class UnreadableTime(ValueError):
    """A text that names no moment a calendar can hold. The message says what is wrong with it."""


class Timed(NamedTuple):
    """From one instant to another, both in UTC; they may be equal."""

    start: datetime
    end: datetime


class AllDay(NamedTuple):
    """Whole days; `end` is the first day that is not part of it (Google's and Graph's own rule)."""

    start: date
    end: date


Period = Timed | AllDay


class Reading(msgspec.Struct, frozen=True):
    """What a text said: a day, or an instant in UTC, and what had to be assumed or left out."""

    value: date
    """A `datetime` for an instant, a plain `date` for a day."""
    no_offset: bool = False
    fraction_dropped: bool = False


def read_time(text: str, zone: str) -> Reading:
    """The day or the instant that `text` names; `zone` serves only where the text has no offset.

    Understands `2026-04-30T11:00:00Z`, offsets, a space for the `T` (Cronofy's C# library writes one), lower
    case, seconds left out, and a plain date. Fractions of a second are dropped: Cronofy refuses them itself,
    and a calendar that rounds them could never be verified. A local time that a clock change skips is read
    with the offset before it; one that happens twice is the first of the two. Raises UnreadableTime.
    """
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise UnreadableTime("not an ISO 8601 time or date")
    year, month, day, hour, minute, second = (int(group or 0) for group in form.group(1, 2, 3, 4, 5, 6))
    try:
        value = datetime(year, month, day, hour, minute, second, tzinfo=_offset(form, zone))
        value = value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableTime(f"{text.strip()!r} is not a moment that exists") from None
    if not date.min.year < year < date.max.year:
        raise UnreadableTime(f"the year {year} is out of range")
    if form[4] is None:
        return Reading(date(year, month, day))
    naive = form["utc"] is None and form["sign"] is None
    return Reading(value, no_offset=naive, fraction_dropped=bool((form[7] or "").strip("0")))


def _offset(form: re.Match[str], zone: str) -> timezone | ZoneInfo:
    if form["sign"]:
        offset = timedelta(hours=int(form["hours"]), minutes=int(form["minutes"]))
        return timezone(-offset if form["sign"] == "-" else offset)
    return UTC if form["utc"] or form[4] is None else ZoneInfo(zone)


def known_zone(name: str) -> str | None:
    """The IANA name as tzdata spells it, whatever the case of `name`; None if there is no such zone."""
    return _zones().get(name.strip().lower())


@cache
def _zones() -> dict[str, str]:
    """Names from the pinned tzdata package: text from a callback never becomes a path on our disk."""
    names = (resources.files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return {name.lower(): name for name in names if name != "Factory"}


def booked_zone(name: str) -> str | None:
    """The IANA name of a zone that a booking names, perhaps by its Windows name; None where it is neither.

    The table is CLDR's. Callbacks carry Windows names where one of Microsoft's calendars was the source.
    """
    return known_zone(name) or _windows_zones().get(name.strip().lower())


@cache
def _windows_zones() -> dict[str, str]:
    return {name.lower(): zone for name, zone in win_tz.items()}


def wall_time(instant: datetime, zone: str) -> datetime:
    """What a clock in `zone` shows at `instant`: no tzinfo, `fold` set in the second of two equal hours."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def midnight(day: date) -> datetime:
    """The wall time at which `day` begins."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time has no zone


def rfc3339(instant: datetime, zone: str) -> str:
    """`instant` with the offset that `zone` has then, such as 2026-04-30T12:00:00+01:00."""
    local = instant.astimezone(ZoneInfo(zone))
    offset = local.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        local = instant.astimezone(UTC)  # RFC 3339 has no seconds in an offset; local mean times do
    return local.isoformat(timespec="seconds")
