"""Google Calendar v3 over HTTP: the routes, who may call them, and what is mailed to whom."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.answers import json_answer
from sandbox.gate import Gate
from sandbox.google_calendar import GoogleCalendar, GoogleEvent
from sandbox.google_call import GoogleCall, authorized
from sandbox.google_list import free_busy, page
from sandbox.google_times import query_zone
from sandbox.google_view import resource

BASE = "/calendar/v3"
EVENTS = BASE + "/calendars/{calendar}/events"
EVENT = EVENTS + "/{event}"


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the calendar API."""
    gate = Gate("google")
    routes: list[tuple[str, str, str, Callable[[GoogleCall], web.Response]]] = [
        ("POST", EVENTS, "events.insert", insert),
        ("GET", EVENTS, "events.list", list_events),
        ("GET", EVENT, "events.get", get),
        ("PATCH", EVENT, "events.patch", patch),
        ("PUT", EVENT, "events.update", update),
        ("DELETE", EVENT, "events.delete", delete),
        ("GET", BASE + "/calendars/{calendar}", "calendars.get", get_calendar),
        ("GET", BASE + "/users/me/calendarList", "calendarList.list", list_calendars),
        ("GET", BASE + "/users/me/calendarList/{calendar}", "calendarList.get", get_calendar_entry),
        ("POST", BASE + "/freeBusy", "freebusy.query", query_free_busy),
    ]
    for method, path, name, handle in routes:
        router.add_route(method, path, gate.around(authorized(name, handle)))


def insert(google: GoogleCall) -> web.Response:
    """events.insert."""
    calendar, body, send_updates = google.calendar(write=True), google.body("Event"), google.send_updates
    event = google.store.insert(calendar, body, with_conference=google.with_conference)
    google.mail("insert", send_updates, calendar, event)
    return _shown(event, calendar)


def list_events(google: GoogleCall) -> web.Response:
    """events.list."""
    calendar = google.calendar()
    role = calendar.role(google.grant.subject) or "reader"
    return json_answer(page(google.store, calendar, role, google.call.request.query))


def get(google: GoogleCall) -> web.Response:
    """events.get, which also shows tombstones."""
    calendar = google.calendar()
    event = google.store.read(calendar, google.event_id)
    zone = query_zone(google.call.request.query.get("timeZone"))
    return json_answer(resource(event, calendar, zone), headers={"ETag": event.etag})


def patch(google: GoogleCall) -> web.Response:
    """events.patch."""
    return _change(google, whole=False)


def update(google: GoogleCall) -> web.Response:
    """events.update: what the body leaves out is gone."""
    return _change(google, whole=True)


def _change(google: GoogleCall, *, whole: bool) -> web.Response:
    calendar, body, send_updates = google.calendar(write=True), google.body("Event"), google.send_updates
    old = google.store.get(calendar, google.event_id)
    event = google.store.change(
        calendar,
        google.event_id,
        body,
        whole=whole,
        with_conference=google.with_conference,
        if_match=google.if_match,
    )
    google.mail("update", send_updates, calendar, old, event)
    return _shown(event, calendar)


def delete(google: GoogleCall) -> web.Response:
    """events.delete."""
    calendar, send_updates = google.calendar(write=True), google.send_updates
    event = google.store.delete(calendar, google.event_id, google.if_match)
    google.mail("delete", send_updates, calendar, event)
    return web.Response(status=204)


def get_calendar(google: GoogleCall) -> web.Response:
    """calendars.get."""
    calendar = google.calendar()
    return json_answer({"kind": "calendar#calendar", **_described(calendar)})


def get_calendar_entry(google: GoogleCall) -> web.Response:
    """calendarList.get."""
    return json_answer(_entry(google.calendar(), google.grant.subject))


def list_calendars(google: GoogleCall) -> web.Response:
    """calendarList.list: the calendars visible to the caller, on one page."""
    subject = google.grant.subject
    visible = [calendar for calendar in google.store.calendars.values() if calendar.role(subject)]
    return json_answer(
        {
            "kind": "calendar#calendarList",
            "etag": f'"p{len(visible)}"',
            "items": [_entry(calendar, subject) for calendar in visible],
        }
    )


def query_free_busy(google: GoogleCall) -> web.Response:
    """freebusy.query."""
    return json_answer(free_busy(google.store, google.grant.subject, google.body("FreeBusyRequest")))


def _shown(event: GoogleEvent, calendar: GoogleCalendar) -> web.Response:
    return json_answer(resource(event, calendar), headers={"ETag": event.etag})


def _described(calendar: GoogleCalendar) -> dict[str, Any]:
    return {
        "etag": f'"{calendar.id}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": list(calendar.allowed_conferences)},
    }


def _entry(calendar: GoogleCalendar, subject: str) -> dict[str, Any]:
    return {
        "kind": "calendar#calendarListEntry",
        **_described(calendar),
        "accessRole": calendar.role(subject),
        "primary": calendar.id == subject,
        "defaultReminders": [],
    }
