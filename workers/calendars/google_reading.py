"""Google's answers to a reader: events.list and freeBusy (discovery document, v3). No I/O.

Tentative is an event that says so, and one that the owner answered "maybe". An invitation without an answer
blocks: nobody said that it may be ignored, and Google's own free/busy counts it.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from workers.calendars import google_fields
from workers.calendars.reading import CalendarEvent, Shown, each, ical_uid, seconds, unreadable
from workers.times import AllDay, known_zone

FIELDS = (
    "kind,timeZone,nextPageToken,items(id,iCalUID,status,transparency,start,end,attendees(self,responseStatus),"
    "extendedProperties/private)"
)
"""All that is read of a page: no text of a meeting comes over the wire."""


def read_page(page: Mapping[str, Any]) -> list[CalendarEvent]:
    """The events of one page of events.list; whole days are those of the calendar's own zone."""
    name = page.get("timeZone")
    known = known_zone(name) if isinstance(name, str) else None
    zone = ZoneInfo(known) if known else None
    return each(page.get("items", []), lambda item: _event(item, zone))


def read_busy(answer: Mapping[str, Any]) -> list[CalendarEvent]:
    """The busy times in an answer about one calendar. Raises where it has errors beside them."""
    calendars = answer.get("calendars")
    if not isinstance(calendars, dict) or len(calendars) != 1:
        raise unreadable("answer_unreadable")
    [calendar] = calendars.values()
    if not isinstance(calendar, dict):
        raise unreadable("answer_unreadable")
    if errors := calendar.get("errors"):
        raise unreadable(_reason(errors))
    return each(calendar.get("busy"), _busy)


def _event(item: Mapping[str, Any], zone: ZoneInfo | None) -> CalendarEvent | None:
    response = _own_response(item)
    if item.get("status") == "cancelled" or response == "declined":
        return None
    when = google_fields.instants(item)
    return CalendarEvent(
        *seconds(when, zone),
        _shown(item, response),
        uid=item["id"],
        tags=_tags(item),
        ical_uid=ical_uid(item.get("iCalUID")),
        all_day=isinstance(when, AllDay),
    )


def _own_response(item: Mapping[str, Any]) -> str:
    """How the calendar's owner answered; nothing where they were not asked."""
    for attendee in item.get("attendees", ()):
        if attendee.get("self") is True:
            return str(attendee.get("responseStatus", ""))
    return ""


def _shown(item: Mapping[str, Any], response: str) -> Shown:
    if item.get("transparency") == "transparent":
        return Shown.FREE
    tentative = item.get("status") == "tentative" or response == "tentative"
    return Shown.TENTATIVE if tentative else Shown.BUSY


def _tags(item: Mapping[str, Any]) -> frozenset[str]:
    private = item.get("extendedProperties", {}).get("private", {})
    if google_fields.KEY not in private or "tags" not in private:
        return frozenset()
    return msgspec.json.decode(private["tags"], type=frozenset[str])


def _busy(period: Mapping[str, Any]) -> CalendarEvent:
    dated = {which: {"dateTime": period[which]} for which in ("start", "end")}
    return CalendarEvent(*seconds(google_fields.instants(dated), None))


def _reason(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) else None
    reason = first.get("reason") if isinstance(first, dict) else None
    return reason if isinstance(reason, str) and reason else "free_busy_error"
