"""A call to Google Calendar: what its token, path, parameters and body say, and whom it mails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from sandbox.gate import Call
from sandbox.google_calendar import GoogleCalendar, GoogleEvent
from sandbox.google_errors import invalid, refused, unauthorized
from sandbox.google_event import check_schema
from sandbox.google_schema import document
from sandbox.google_store import GoogleStore
from sandbox.google_tokens import GoogleGrant
from sandbox.journal import Notification

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


def authorized(name: str, handle: Callable[[GoogleCall], web.Response]) -> Callable[[Call], web.Response]:
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
