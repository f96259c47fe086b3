"""Microsoft Graph's calendar calls over HTTP: the routes, who may call them, and what is mailed to whom."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from sandbox import graph_list, zones
from sandbox.answers import Refused, json_answer
from sandbox.clock import stamp
from sandbox.gate import Call, Gate
from sandbox.graph_errors import denied, invalid, item_not_found, throttled, unauthorized, unreadable
from sandbox.graph_fields import check_body
from sandbox.graph_odata import Preferences, Query, parse_preferences, parse_query
from sandbox.graph_store import TEAMS, GraphCalendar, GraphEvent, GraphStore, Mailbox
from sandbox.graph_view import shown
from sandbox.journal import Notification
from sandbox.microsoft_tokens import GraphGrant

BASE = "/graph/v1.0"
OWNERS = ("/me", "/users/{user}")
CALENDARS = ("", "/calendar", "/calendars/{calendar}")
MAX_CONCURRENT = 4
"""Requests one application may have under way in one mailbox (throttling-outlook.md)."""
RETRY_AFTER_SECONDS = 1
UNMAILED = frozenset(
    {"singleValueExtendedProperties", "categories", "isReminderOn", "reminderMinutesBeforeStart", "showAs"}
)
"""Fields of the organiser's own copy: changing them sends attendees nothing."""


@dataclass(frozen=True, slots=True)
class GraphCall:
    """A call whose token has been accepted for this mailbox."""

    call: Call
    grant: GraphGrant
    mailbox: Mailbox
    preferences: Preferences

    @property
    def store(self) -> GraphStore:
        """The mailboxes."""
        return self.call.state.microsoft

    @property
    def query(self) -> Query:
        """The query options."""
        return parse_query(self.call.request.query)

    @property
    def if_match(self) -> str | None:
        """The etag a write insists on."""
        return self.call.request.headers.get("If-Match")

    def json(self) -> Any:
        """The body as JSON."""
        try:
            return msgspec.json.decode(self.call.body)
        except msgspec.DecodeError:
            raise unreadable("Unable to read JSON request payload.") from None

    def calendar(self) -> GraphCalendar:
        """The calendar the path names; the default one if it names none."""
        return self.mailbox.calendar(self.call.request.match_info.get("calendar"))

    def event(self, *, write: bool = False) -> GraphEvent:
        """The event the path names, which must be in the calendar the path names, if any."""
        event_id = self.call.request.match_info["event"]
        event = self.mailbox.event(event_id, immutable=self.preferences.immutable_ids)
        in_default = "/calendar/events/" in self.call.request.path
        if (
            in_default or "calendar" in self.call.request.match_info
        ) and event.calendar_id != self.calendar().id:
            raise item_not_found()
        if write and self.mailbox.calendars[event.calendar_id].readonly:
            raise denied()
        return event

    def shown(self, event: GraphEvent, status: int = 200) -> web.Response:
        """An event as answer; only a GET expands extended properties."""
        query = self.query
        expand = query.expand if self.call.request.method == "GET" else ()
        body = shown(event, self.mailbox, self.preferences, expand=expand, select=query.select)
        return json_answer(body, status, {"ETag": event.etag})

    def mail(self, kind: str, event: GraphEvent, recipients: list[str]) -> None:
        """Note the mails of a write: Graph cannot be told to be silent."""
        self.call.state.journal.notify(
            Notification("microsoft", event.calendar_id, event.immutable_id, kind, recipients)
        )


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the calendar calls, under /me and /users/{user} alike."""
    gate = Gate("microsoft", refuse=refuse, admission=mailbox_slot)

    def serve(method: str, path: str, handle: Callable[[GraphCall], web.Response]) -> None:
        router.add_route(method, BASE + path, gate.around(_authorized(handle)))

    for owner in OWNERS:
        for calendar in CALENDARS:
            serve("POST", f"{owner}{calendar}/events", create)
            serve("GET", f"{owner}{calendar}/events", list_events)
            serve("GET", f"{owner}{calendar}/events/{{event}}", get)
            serve("PATCH", f"{owner}{calendar}/events/{{event}}", patch)
            serve("DELETE", f"{owner}{calendar}/events/{{event}}", delete)
            serve("POST", f"{owner}{calendar}/events/{{event}}/cancel", cancel)
            serve("GET", f"{owner}{calendar}/calendarView", calendar_view)
        serve("GET", f"{owner}/calendar", get_calendar)
        serve("GET", f"{owner}/calendars", list_calendars)
        serve("GET", f"{owner}/calendars/{{calendar}}", get_calendar)
        serve("POST", f"{owner}/calendar/getSchedule", get_schedule)
        serve("GET", f"{owner}/outlook/supportedTimeZones", supported_time_zones)


def refuse(call: Call, refused: Refused) -> web.Response:
    """A refusal with the ids and date that every one of Graph's carries."""
    ids = _ids(call)
    inner = {"date": stamp(call.state.clock(), digits=0).removesuffix("Z"), **ids}
    error = {**refused.body["error"], "innerError": inner}
    return json_answer({"error": error}, refused.status, {**refused.headers, **ids})


@contextmanager
def mailbox_slot(call: Call) -> Iterator[None]:
    """One of the four places an application has in a mailbox; 429 for the fifth request."""
    grant = call.state.microsoft_tokens.grant(call.bearer)
    user = call.request.match_info.get("user") or (grant.user if grant else None)
    mailbox = call.state.microsoft.mailboxes.get((user or "").lower())
    if grant is None or mailbox is None:
        yield
        return
    under_way = mailbox.in_flight.get(grant.client_id, 0)
    if under_way >= MAX_CONCURRENT:
        call.state.journal.concurrency_violations += 1
        refused = throttled()
        refused.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        raise refused
    mailbox.in_flight[grant.client_id] = under_way + 1
    call.state.journal.peak_concurrency = max(call.state.journal.peak_concurrency, under_way + 1)
    try:
        yield
    finally:
        mailbox.in_flight[grant.client_id] -= 1


def _authorized(handle: Callable[[GraphCall], web.Response]) -> Callable[[Call], web.Response]:
    def checked(call: Call) -> web.Response:
        grant = call.state.microsoft_tokens.grant(call.bearer)
        if grant is None:
            raise unauthorized()
        preferences = parse_preferences(call.request.headers.getall("Prefer", []))
        answer = handle(GraphCall(call, grant, _mailbox(call, grant), preferences))
        answer.headers.update(_ids(call))
        if preferences.applied:
            answer.headers["Preference-Applied"] = preferences.applied
        return answer

    return checked


def _mailbox(call: Call, grant: GraphGrant) -> Mailbox:
    user = call.request.match_info.get("user") or grant.user
    if user is None:
        raise invalid("/me request is only valid with delegated authentication flow.", "BadRequest")
    mailbox = call.state.microsoft.mailbox(user)
    own = grant.user is None or grant.user == mailbox.address or grant.user in mailbox.shared_with
    if not own or (grant.user is None and mailbox.denied):
        raise denied()
    return mailbox


def _ids(call: Call) -> dict[str, str]:
    request_id = str(uuid.uuid4())
    return {
        "request-id": request_id,
        "client-request-id": call.request.headers.get("client-request-id", request_id),
    }


def create(graph: GraphCall) -> web.Response:
    """POST an event."""
    calendar = graph.calendar()
    if calendar.readonly:
        raise denied()
    body = check_body(graph.json())
    immutable = graph.preferences.immutable_ids
    event, new = graph.store.create(graph.mailbox, calendar, body, immutable=immutable)
    if new:
        graph.mail("create", event, event.guests)
    return graph.shown(event, 201)


def list_events(graph: GraphCall) -> web.Response:
    """GET a calendar's events."""
    query = graph.query
    found = graph_list.events(graph.mailbox, graph.calendar(), query, graph.store.clock())
    return json_answer(
        graph_list.page(found, graph.mailbox, graph.preferences, query, graph.call.request.url)
    )


def calendar_view(graph: GraphCall) -> web.Response:
    """GET the events of a period; extended properties are not expanded here (docs #13385)."""
    query = graph.query._replace(expand=frozenset())
    found = graph_list.view(graph.mailbox, graph.calendar(), query, graph.call.request.query)
    return json_answer(
        graph_list.page(found, graph.mailbox, graph.preferences, query, graph.call.request.url)
    )


def get(graph: GraphCall) -> web.Response:
    """GET one event."""
    return graph.shown(graph.event())


def patch(graph: GraphCall) -> web.Response:
    """PATCH one event. A change of attendees alone mails only those it concerns (event-update.md)."""
    old = graph.event(write=True)
    body = check_body(graph.json())
    event = graph.store.change(graph.mailbox, old, body, graph.if_match)
    if set(body) == {"attendees"}:
        graph.mail("update", event, sorted(set(old.guests) ^ set(event.guests)))
    elif not set(body) <= UNMAILED:
        graph.mail("update", event, list(dict.fromkeys([*old.guests, *event.guests])))
    return graph.shown(event)


def delete(graph: GraphCall) -> web.Response:
    """DELETE one event; the organiser's attendees get cancellations."""
    event = graph.event(write=True)
    graph.store.delete(graph.mailbox, event, graph.if_match)
    if event.is_organizer:
        graph.mail("cancel", event, event.guests)
    return web.Response(status=204)


def cancel(graph: GraphCall) -> web.Response:
    """Cancel a meeting with a comment: for its organiser only; the event goes to Deleted Items."""
    event = graph.event(write=True)
    if not event.is_organizer:
        raise invalid("Your request can't be completed. You need to be an organizer to cancel a meeting.")
    graph.store.delete(graph.mailbox, event)
    graph.mail("cancel", event, event.guests)
    return web.Response(status=202)


def get_calendar(graph: GraphCall) -> web.Response:
    """GET one calendar."""
    return json_answer(_calendar(graph.calendar(), graph.mailbox))


def list_calendars(graph: GraphCall) -> web.Response:
    """GET a mailbox's calendars, on one page."""
    present = [calendar for calendar in graph.mailbox.calendars.values() if not calendar.gone]
    return json_answer({"value": [_calendar(calendar, graph.mailbox) for calendar in present]})


def get_schedule(graph: GraphCall) -> web.Response:
    """POST getSchedule; not for personal accounts."""
    if graph.mailbox.personal:
        raise denied()
    return json_answer({"value": graph_list.schedules(graph.store, graph.mailbox, graph.json())})


def supported_time_zones(graph: GraphCall) -> web.Response:
    """GET the Windows names this mailbox server takes."""
    names = [name for name in zones.windows_names() if name not in graph.mailbox.zone_rules.refused]
    return json_answer({"value": [{"alias": name, "displayName": name} for name in ["UTC", *names]]})


def _calendar(calendar: GraphCalendar, mailbox: Mailbox) -> dict[str, Any]:
    teams = TEAMS in calendar.online_meetings
    return {
        "id": calendar.id,
        "name": calendar.name,
        "isDefaultCalendar": calendar.id == mailbox.default_calendar_id,
        "canEdit": not calendar.readonly,
        "canShare": not calendar.readonly,
        "canViewPrivateItems": True,
        "allowedOnlineMeetingProviders": list(calendar.online_meetings),
        "defaultOnlineMeetingProvider": TEAMS if teams else "unknown",
        "owner": {"name": mailbox.address, "address": mailbox.address},
    }
