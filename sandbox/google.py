"""Google Calendar v3 over HTTP: the routes, who may call them, and what is mailed to whom."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from sandbox.answers import json_answer
from sandbox.gate import Call, Gate
from sandbox.google_errors import invalid, refused, unauthorized
from sandbox.google_event import check_schema
from sandbox.google_list import free_busy, page
from sandbox.google_schema import document
from sandbox.google_store import GoogleCalendar, GoogleEvent, GoogleStore, resource
from sandbox.google_times import query_zone
from sandbox.google_tokens import GoogleGrant
from sandbox.journal import Notification

BASE = "/calendar/v3"
EVENTS = BASE + "/calendars/{calendar}/events"
EVENT = EVENTS + "/{event}"
SEND_UPDATES = ("none", "all", "externalOnly")


@dataclass(frozen=True, slots=True)
class GoogleCall:
    """A call whose token has been accepted."""

    call: Call
    grant: GoogleGrant

    @property
    def store(self) -> GoogleStore:
        """The calendars."""
        return self.call.state.google

    @property
    def if_match(self) -> str | None:
        """The etag a write insists on."""
        return self.call.request.headers.get("If-Match")

    @property
    def event_id(self) -> str:
        """The event the path names."""
        return self.call.request.match_info["event"]

    @property
    def with_conference(self) -> bool:
        """Whether conferenceData counts: conferenceDataVersion is 1, not 0 or absent."""
        version = self.call.request.query.get("conferenceDataVersion", "0")
        if version not in ("0", "1"):
            raise invalid("Invalid value for: conferenceDataVersion", "conferenceDataVersion")
        return version == "1"

    @property
    def send_updates(self) -> str:
        """Whom the vendor mails about a write; nobody unless asked."""
        query = self.call.request.query
        asked = query.get("sendUpdates", "all" if query.get("sendNotifications") == "true" else "none")
        if asked not in SEND_UPDATES:
            raise invalid(f"Invalid value for: {asked} is not a valid value", "sendUpdates")
        return asked

    def body(self, schema: str) -> dict[str, Any]:
        """The request body, fitting a schema of the discovery document."""
        try:
            parsed = msgspec.json.decode(self.call.body)
        except msgspec.DecodeError:
            raise refused(400, "parseError", "Parse Error") from None
        body = check_schema(schema, parsed)
        if body.get("attendees") and not self.grant.may_invite:
            raise refused(
                403,
                "forbiddenForServiceAccounts",
                "Service accounts cannot invite attendees without Domain-Wide Delegation of Authority.",
                domain="calendar",
            )
        return body

    def calendar(self, *, write: bool = False) -> GoogleCalendar:
        """The calendar the path names; 404 if it is not visible, 403 if it may only be read."""
        found, role = self.store.find(self.call.request.match_info["calendar"], self.grant.subject)
        if write and role not in ("owner", "writer"):
            raise refused(
                403,
                "requiredAccessLevel",
                "You need to have writer access to this calendar.",
                domain="calendar",
            )
        return found

    def mail(self, kind: str, send_updates: str, calendar: GoogleCalendar, *versions: GoogleEvent) -> None:
        """Note the mails a write sends to the guests of the event's former and present state."""
        guests = dict.fromkeys(guest for event in versions for guest in event.guests)
        domain = (calendar.owner or calendar.id).rpartition("@")[2]
        recipients = {
            "none": [],
            "all": list(guests),
            "externalOnly": [guest for guest in guests if guest.rpartition("@")[2] != domain],
        }[send_updates]
        self.call.state.journal.notify(Notification("google", calendar.id, versions[-1].id, kind, recipients))


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
        router.add_route(method, path, gate.around(_authorized(name, handle)))


def _authorized(name: str, handle: Callable[[GoogleCall], web.Response]) -> Callable[[Call], web.Response]:
    """The check of the token, and of its scopes against those the discovery document lists for the method."""
    group, method = name.split(".")
    scopes = frozenset(document()["resources"][group]["methods"][method]["scopes"])

    def checked(call: Call) -> web.Response:
        grant = call.state.google_tokens.grant(call.bearer)
        if grant is None:
            raise unauthorized()
        if not scopes & grant.scopes:
            raise refused(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        return handle(GoogleCall(call, grant))

    return checked


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
