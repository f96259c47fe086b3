"""What reading a calendar gives: when its owner is taken. Types, and what the readers of all providers share.

Nothing that cannot be read is ever free: whatever is not understood makes the whole calendar unreadable, or
blocks.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from workers.calendars.lane import FreeLane, Lane
from workers.errors import CalendarError, ErrorClass
from workers.times import Period, Timed

T = TypeVar("T")

MOST_PAGES = 20
"""Of one reading. More are no calendar of a person, or an answer that never ends."""

_OUTLOOK_UID = "040000008200E00074C5B7101A82E008"
_FIRST_MIDNIGHT = timedelta(hours=14)  # of a day anywhere, before that of UTC: Pacific/Kiritimati
_LAST_MIDNIGHT = timedelta(hours=12)  # and after it: Etc/GMT+12


class Shown(StrEnum):
    """As what an event shows the person."""

    BUSY = "busy"
    TENTATIVE = "tentative"
    FREE = "free"


class CalendarEvent(msgspec.Struct, frozen=True):
    """An event of one calendar, in Unix seconds, fractions rounded outward."""

    start: int
    end: int
    shown: Shown = Shown.BUSY
    uid: str | None = None
    """The provider's id of it; nothing where only busy times are told."""
    tags: frozenset[str] = frozenset()
    """Its private tags, for an event that we manage."""
    ical_uid: str | None = None
    """Its iCalendar UID (RFC 5545): equal in all calendars that it is in, and for all its occurrences."""
    all_day: bool = False


class Readable(Protocol):
    """One calendar of one account, to be read. Cancelled events and those the owner declined are left out.

    Both methods raise `workers.errors.CalendarError` where the provider refuses, does not answer, or says
    what cannot be read. Times are Unix seconds; events that only touch the period may be among those given.
    """

    lane: Lane | FreeLane
    """What the calendar's account, or mailbox, is made to wait by."""

    async def free_busy(self, start: int, end: int) -> list[CalendarEvent]:
        """When the owner is taken. May tell no more than that: nothing of tags, ids, or who is tentative."""
        ...

    async def events(self, start: int, end: int) -> list[CalendarEvent]:
        """The events, with all that `CalendarEvent` says of them."""
        ...


def unreadable(code: str) -> CalendarError:
    """An answer that says nothing to rely on. It may be another one the next time."""
    return CalendarError(ErrorClass.TRANSIENT, code)


def each(items: Any, read: Callable[[Any], T | None]) -> list[T]:
    """What `read` makes of every item of a list in an answer, without those it leaves out.

    Raises `CalendarError` where the list, or an item of it, has another shape than the provider documents.
    """
    if not isinstance(items, list):
        raise unreadable("answer_unreadable")
    try:
        return [one for item in items if (one := read(item)) is not None]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise unreadable("answer_unreadable") from None


def seconds(when: Period | None, zone: tzinfo | None) -> tuple[int, int]:
    """From when to when, in Unix seconds, rounded outward. Raises `CalendarError` where that makes no sense.

    Whole days are those of `zone`; where nobody knows it they last as long as the day does anywhere.
    """
    if when is None or when.end < when.start:
        raise unreadable("time_unreadable")
    if isinstance(when, Timed):
        return math.floor(when.start.timestamp()), math.ceil(when.end.timestamp())
    start, end = midnight(when.start, zone or UTC), midnight(when.end, zone or UTC)
    if zone is None:
        start, end = start - _FIRST_MIDNIGHT, end + _LAST_MIDNIGHT
    return int(start.timestamp()), int(end.timestamp())


def ical_uid(uid: Any) -> str | None:
    """An iCalendar UID as it is in all calendars.

    Outlook's are hexadecimal, and Graph's of an occurrence has the day in it (MS-OXOCAL, 2.2.1.27): here all
    occurrences have that of their series, as at Google.
    """
    if not isinstance(uid, str) or not uid:
        return None
    if uid.upper().startswith(_OUTLOOK_UID):
        return f"{_OUTLOOK_UID}00000000{uid[len(_OUTLOOK_UID) + 8 :].upper()}"
    return uid


def touches(when: Period | None, start: int, end: int) -> bool:
    """Whether an event is of a period (Unix seconds); one that does not say when it is may be of any."""
    if when is None:
        return True
    begins, ends = seconds(when, None)
    return begins < end and ends > start


def midnight(day: date, zone: tzinfo) -> datetime:
    """When `day` begins in `zone`, in UTC.

    Where a clock change skips midnight, that is the moment of the change.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def rfc3339(at: int) -> str:
    """An instant in UTC, as both providers take it in a query."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
