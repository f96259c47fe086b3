"""Microsoft Graph's calendar calls over HTTP: the routes, who may call them, and what is mailed to whom."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox import graph_list, zones
from sandbox.answers import json_answer
from sandbox.gate import Call, Gate
from sandbox.graph_call import GraphCall, authorized, mailbox_slot, refuse
from sandbox.graph_errors import denied, invalid, item_not_found, refused, unauthorized
from sandbox.graph_fields import check_body
from sandbox.graph_mailbox import TEAMS, GraphCalendar, Mailbox

BASE = "/graph/v1.0"
OWNERS = ("/me", "/users/{user}")
CALENDARS = ("", "/calendar", "/calendars/{calendar}")
UNMAILED = frozenset(
    {"singleValueExtendedProperties", "categories", "isReminderOn", "reminderMinutesBeforeStart", "showAs"}
)
"""Fields of the organiser's own copy: changing them sends attendees nothing."""


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the calendar calls, under /me and /users/{user} alike."""
    gate = Gate("microsoft", refuse=refuse, admission=mailbox_slot)
    router.add_get(BASE + "/applications(appId='{application}')", Gate("microsoft").around(get_application))

    def serve(method: str, path: str, handle: Callable[[GraphCall], web.Response]) -> None:
        router.add_route(method, BASE + path, gate.around(authorized(handle)))

    for owner in OWNERS:
        for calendar in CALENDARS:
            serve("POST", f"{owner}{calendar}/events", create)
            serve("GET", f"{owner}{calendar}/events", list_events)
            serve("GET", f"{owner}{calendar}/events/{{event}}", get)
            serve("PATCH", f"{owner}{calendar}/events/{{event}}", patch)
            serve("DELETE", f"{owner}{calendar}/events/{{event}}", delete)
            serve("POST", f"{owner}{calendar}/events/{{event}}/cancel", cancel)
            serve("GET", f"{owner}{calendar}/events/{{event}}/calendar", get_calendar_of_event)
            serve("GET", f"{owner}{calendar}/calendarView", calendar_view)
        serve("GET", f"{owner}/calendar", get_calendar)
        serve("GET", f"{owner}/calendars", list_calendars)
        serve("GET", f"{owner}/calendars/{{calendar}}", get_calendar)
        serve("POST", f"{owner}/calendar/getSchedule", get_schedule)
        serve("GET", f"{owner}/outlook/supportedTimeZones", supported_time_zones)


def get_application(call: Call) -> web.Response:
    """An application's secrets: their ends, and how they begin."""
    tokens = call.state.microsoft_tokens
    grant = tokens.grant(call.bearer)
    if grant is None:
        raise unauthorized()
    found = tokens.tenants.get(grant.tenant, {}).get(grant.client_id)
    if found is None or not found.may_read_itself:
        raise refused(
            403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
        )
    if call.request.match_info["application"] != found.client_id:
        raise refused(404, "Request_ResourceNotFound", "Resource does not exist.")
    credential = {"endDateTime": found.secret_ends, "hint": found.secret[:3], "secretText": None}
    old = {"endDateTime": "2020-01-01T00:00:00Z", "hint": "old", "secretText": None}
    return json_answer({"passwordCredentials": [old, credential]})


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
    found = graph_list.events(graph.mailbox, graph.calendar(), graph.query, graph.store.clock())
    return json_answer(
        graph_list.page(found, graph.mailbox, graph.preferences, graph.query, graph.call.request.url)
    )


def calendar_view(graph: GraphCall) -> web.Response:
    """GET the events of a period; extended properties are not expanded in every mailbox (docs #13385)."""
    query = graph.query if graph.mailbox.view_expands else graph.query._replace(expand=frozenset())
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


def get_calendar_of_event(graph: GraphCall) -> web.Response:
    """GET the calendar that contains an event; what is in Deleted Items is in none."""
    event = graph.event()
    if event.deleted:
        raise item_not_found()
    return json_answer(_calendar(graph.mailbox.calendars[event.calendar_id], graph.mailbox))


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
