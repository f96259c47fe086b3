"""A call to Graph: whose mailbox it is about and whether it may, its place there, and how it is answered."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from sandbox.answers import Refused, json_answer
from sandbox.clock import stamp
from sandbox.gate import Call
from sandbox.graph_errors import denied, invalid, item_not_found, throttled, unauthorized, unreadable
from sandbox.graph_mailbox import GraphCalendar, GraphEvent, Mailbox
from sandbox.graph_odata import Preferences, Query, parse_preferences, parse_query
from sandbox.graph_store import GraphStore
from sandbox.graph_view import shown
from sandbox.journal import Notification
from sandbox.microsoft_tokens import CALENDAR_ROLES, GraphGrant

MAX_CONCURRENT = 4
"""Requests one application may have under way in one mailbox (throttling-outlook.md)."""
RETRY_AFTER_SECONDS = 1
_MAY_WRITE = {
    True: frozenset({"Calendars.ReadWrite", "Calendars.ReadWrite.Shared"}),
    False: frozenset({"Calendars.ReadWrite.Shared"}),
}


@dataclass(frozen=True, slots=True)
class GraphCall:
    """A call whose token has been accepted for this mailbox."""

    call: Call
    mailbox: Mailbox
    preferences: Preferences
    query: Query

    @property
    def store(self) -> GraphStore:
        """The mailboxes."""
        return self.call.state.microsoft

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
        immutable = self.preferences.immutable_ids
        event = self.mailbox.event(event_id, self.store.clock(), immutable=immutable)
        in_default = "/calendar/events/" in self.call.request.path
        in_calendar = in_default or "calendar" in self.call.request.match_info
        if in_calendar and event.calendar_id != self.calendar().id:
            raise item_not_found()
        if write and self.mailbox.calendars[event.calendar_id].readonly:
            raise denied()
        return event

    def shown(self, event: GraphEvent, status: int = 200) -> web.Response:
        """An event as answer; only a GET expands extended properties."""
        expand = self.query.expand if self.call.request.method == "GET" else ()
        body = shown(event, self.mailbox, self.preferences, expand=expand, select=self.query.select)
        return json_answer(body, status, {"ETag": event.etag})

    def mail(self, kind: str, event: GraphEvent, recipients: list[str]) -> None:
        """Note the mails of a write: Graph cannot be told to be silent."""
        self.call.state.journal.notify(
            Notification("microsoft", event.calendar_id, event.immutable_id, kind, recipients)
        )


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


def authorized(handle: Callable[[GraphCall], web.Response]) -> Callable[[Call], web.Response]:
    """The check of the token and of the mailbox, and what every answer repeats."""

    def checked(call: Call) -> web.Response:
        grant = call.state.microsoft_tokens.grant(call.bearer)
        if grant is None:
            raise unauthorized()
        mailbox = _mailbox(call, grant)
        preferences = parse_preferences(call.request.headers.getall("Prefer", []))
        mailbox.zone_rules.zone(preferences.zone)  # refuses a zone before anything is stored
        answer = handle(GraphCall(call, mailbox, preferences, parse_query(call.request.query)))
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
    if grant.scopes is not None:  # a user's own calendar, and what others share, need leave of their own
        own = own and not _MAY_WRITE[grant.user == mailbox.address].isdisjoint(grant.scopes)
    if grant.user is None:
        own = own and not CALENDAR_ROLES.isdisjoint(grant.roles)
    if not own or (grant.user is None and mailbox.denied):
        raise denied()
    return mailbox


def _ids(call: Call) -> dict[str, str]:
    request_id = str(uuid.uuid4())
    return {
        "request-id": request_id,
        "client-request-id": call.request.headers.get("client-request-id", request_id),
    }
