"""events.list and freeBusy: filters, order and pages."""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from multidict import MultiMapping

from sandbox import google_times, zones
from sandbox.clock import stamp
from sandbox.google_calendar import GoogleCalendar, GoogleEvent
from sandbox.google_errors import invalid, refused, required
from sandbox.google_partial import partial
from sandbox.google_store import GoogleStore
from sandbox.google_times import query_instant, shown
from sandbox.google_view import resource

UNSUPPORTED = ("q", "syncToken", "iCalUID", "sharedExtendedProperty", "updatedMin", "eventTypes")
MAX_PAGE = 2500
MAX_ATTENDEES = 10_000

MAX_FREE_BUSY_CALENDARS = 50

SortKey = Callable[[GoogleEvent], list[Any]]
ORDERS: dict[str, SortKey] = {
    "": lambda event: [event.serial],
    "startTime": lambda event: [event.starts_at.timestamp(), event.serial],
    "updated": lambda event: [event.updated, event.serial],
}


def page(store: GoogleStore, calendar: GoogleCalendar, role: str, query: MultiMapping[str]) -> dict[str, Any]:
    """One page of a calendar's events. By private property an index answers; otherwise every event is
    looked at.
    """
    for name in UNSUPPORTED:
        if name in query:
            raise invalid(f"The sandbox does not know events.list by {name}.", name)
    pairs = [_pair(text) for text in query.getall("privateExtendedProperty", [])]
    events = calendar.with_private(pairs) if pairs else list(calendar.events.values())
    wanted = _filter(query)
    order = _order(query)
    after = _after(query.get("pageToken"))
    found = sorted((event for event in events if wanted(event)), key=order)
    if after is not None:
        found = [event for event in found if order(event) > after]
    size, most = _size(query.get("maxResults")), _most_attendees(query.get("maxAttendees"))
    zone = google_times.query_zone(query.get("timeZone"))
    answer: dict[str, Any] = {
        "kind": "calendar#events",
        "etag": f'"p{store.clock():.0f}"',
        "summary": calendar.summary,
        "updated": stamp(max((event.updated for event in found), default=0.0)),
        "timeZone": calendar.time_zone,
        "accessRole": role,
        "defaultReminders": [],
        "items": [
            _few_attendees(resource(store.settle(calendar, event), calendar, zone), most)
            for event in found[:size]
        ],
    }
    if len(found) > size:
        token = msgspec.json.encode(order(found[size - 1]))
        answer["nextPageToken"] = base64.urlsafe_b64encode(token).decode()
    return partial("Events", answer, query.get("fields"))


def free_busy(store: GoogleStore, subject: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """When calendars are taken: merged periods in UTC, or an error entry for one that is unreadable."""
    for name in ("timeMin", "timeMax"):
        if not body.get(name):
            raise required(f"Missing {name} parameter.")
    start, end = query_instant(body["timeMin"], "timeMin"), query_instant(body["timeMax"], "timeMax")
    if end <= start:
        raise refused(400, "timeRangeEmpty", "The specified time range is empty.")
    items = [item.get("id", "") for item in body.get("items") or []]
    limit = min(body.get("calendarExpansionMax") or MAX_FREE_BUSY_CALENDARS, MAX_FREE_BUSY_CALENDARS)
    answers: dict[str, Any] = {}
    for place, calendar_id in enumerate(items):
        calendar = store.calendars.get(subject if calendar_id == "primary" else calendar_id)
        reason = "tooManyCalendarsRequested" if place >= limit else None
        if calendar is None or calendar.role(subject) is None:
            reason = reason or "notFound"
        if calendar is None or reason:
            answers[calendar_id] = {"errors": [{"domain": "global", "reason": reason}], "busy": []}
        else:
            answers[calendar_id] = {"busy": _busy(calendar, start, end)}
    return {
        "kind": "calendar#freeBusy",
        "timeMin": shown(start, zones.UTC_ZONE),
        "timeMax": shown(end, zones.UTC_ZONE),
        "calendars": answers,
    }


def _busy(calendar: GoogleCalendar, start: datetime, end: datetime) -> list[dict[str, str]]:
    periods: list[tuple[datetime, datetime]] = []
    taken = (
        (max(event.starts_at, start), min(event.ends_at, end))
        for event in calendar.events.values()
        if not event.cancelled
        and event.fields.get("transparency") != "transparent"
        and calendar.response(event) != "declined"
    )
    for begins, ends in sorted(period for period in taken if period[0] < period[1]):
        if periods and begins <= periods[-1][1]:
            periods[-1] = (periods[-1][0], max(periods[-1][1], ends))
        else:
            periods.append((begins, ends))
    return [
        {"start": shown(begins, zones.UTC_ZONE), "end": shown(ends, zones.UTC_ZONE)}
        for begins, ends in periods
    ]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise invalid("Invalid value for: privateExtendedProperty", "privateExtendedProperty")
    return name, value


def _filter(query: Mapping[str, str]) -> Callable[[GoogleEvent], bool]:
    with_deleted = query.get("showDeleted") == "true"
    after = query_instant(query["timeMin"], "timeMin") if "timeMin" in query else None
    before = query_instant(query["timeMax"], "timeMax") if "timeMax" in query else None
    if after and before and before <= after:
        raise refused(400, "timeRangeEmpty", "The specified time range is empty.")

    def wanted(event: GoogleEvent) -> bool:
        if event.cancelled and not with_deleted:
            return False
        return (after is None or event.ends_at > after) and (before is None or event.starts_at < before)

    return wanted


def _order(query: Mapping[str, str]) -> SortKey:
    name = query.get("orderBy", "")
    if name not in ORDERS:
        raise invalid(f"Invalid value for: {name} is not a valid value", "orderBy")
    if name == "startTime" and query.get("singleEvents") != "true":
        raise invalid("The requested ordering is not available for the particular query.", "orderBy")
    return ORDERS[name]


def _after(token: str | None) -> list[Any] | None:
    if token is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token), type=list)
    except (ValueError, msgspec.DecodeError):
        raise invalid("Invalid page token value.", "pageToken") from None


def _few_attendees(shown: dict[str, Any], most: int) -> dict[str, Any]:
    """More than so many attendees: the participant alone is shown."""
    attendees = shown.get("attendees", [])
    if len(attendees) <= most:
        return shown
    own = [attendee for attendee in attendees if attendee.get("self")]
    return {**shown, "attendees": own, "attendeesOmitted": True}


def _most_attendees(text: str | None) -> int:
    if text is not None and (not text.isdecimal() or int(text) < 1):
        raise invalid("Invalid value for: maxAttendees", "maxAttendees")
    return MAX_ATTENDEES if text is None else int(text)


def _size(text: str | None) -> int:
    if text is None:
        return 250
    if not text.isdecimal() or int(text) < 1:
        raise invalid("Invalid value for: maxResults", "maxResults")
    return min(int(text), MAX_PAGE)
