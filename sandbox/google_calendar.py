"""A Google calendar and its events, with the index of their private properties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import zones
from sandbox.google_meet import MEET


@dataclass(frozen=True, slots=True)
class GoogleEvent:
    """A stored event. `fields` are the writable ones as shown; `serial` orders them by insertion."""

    id: str
    calendar_id: str
    serial: int
    fields: Mapping[str, Any]
    starts_at: datetime
    ends_at: datetime
    etag: str
    created: float
    updated: float
    sequence: int = 0
    hangout_link: str | None = None
    meet_ready_at: float = 0.0
    revival_refused: bool = False

    @property
    def cancelled(self) -> bool:
        """Whether this is a tombstone."""
        return bool(self.fields["status"] == "cancelled")

    @property
    def private(self) -> dict[str, str]:
        """The private extended properties."""
        properties: dict[str, str] = (self.fields.get("extendedProperties") or {}).get("private") or {}
        return properties

    @property
    def guests(self) -> list[str]:
        """The attendees' addresses."""
        return [attendee["email"] for attendee in self.fields.get("attendees") or []]


@dataclass(slots=True)
class GoogleCalendar:
    """A calendar and what is peculiar about it; `meet_delay` and `read_lag` are in seconds.

    `read_lag`: for so long, an event that was just made is not there for whoever asks by its id, although the
    id is taken (two replicas, seen as 409 and 404 in turn).
    `keeps_conference`: what was made stays, although a client takes it away. `refused_zones`: IANA names that
    Google does not know yet, or any more ("Europe/Kyiv", phw198/OutlookGoogleCalendarSync issue 1530).
    """

    id: str
    owner: str
    summary: str = ""
    time_zone: str = "UTC"
    shared_with: dict[str, str] = field(default_factory=dict)
    allowed_conferences: tuple[str, ...] = (MEET,)
    meet_succeeds: bool = True
    meet_delay: float = 0.0
    keeps_conference: bool = False
    refused_zones: frozenset[str] = frozenset()
    revival_refused: bool = False
    read_lag: float = 0.0
    readonly: bool = False
    gone: bool = False
    events: dict[str, GoogleEvent] = field(default_factory=dict)
    by_private: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """The calendar's own time zone."""
        return zones.iana(self.time_zone) or ZoneInfo("UTC")

    def role(self, subject: str) -> str | None:
        """The caller's access role; None where the calendar is not visible to it."""
        if self.gone:
            return None
        role = self.shared_with.get(subject, self.shared_with.get("*"))
        role = "owner" if subject == self.owner else role
        return "reader" if role and self.readonly else role

    def is_own(self, attendee: Mapping[str, Any]) -> bool:
        """Whether an attendee is the calendar itself, by its owner's address or its own."""
        return str(attendee["email"]).lower() in (self.owner, self.id)

    def response(self, event: GoogleEvent) -> str | None:
        """How the calendar answered an invitation; None where it is no attendee."""
        own = (attendee for attendee in event.fields.get("attendees") or [] if self.is_own(attendee))
        return next((attendee.get("responseStatus") or "needsAction" for attendee in own), None)

    def put(self, event: GoogleEvent) -> GoogleEvent:
        """Store an event in place of its former state, and keep the index right."""
        self._unindex(event.id)
        self.events[event.id] = event
        for pair in event.private.items():
            self.by_private.setdefault(pair, {})[event.id] = None
        return event

    def drop(self, event_id: str) -> None:
        """Forget an event altogether, tombstone and all."""
        self._unindex(event_id)
        del self.events[event_id]

    def with_private(self, pairs: list[tuple[str, str]]) -> list[GoogleEvent]:
        """The events that carry all these private properties, oldest first."""
        ids = min((self.by_private.get(pair, {}) for pair in pairs), key=len)
        found = (self.events[event_id] for event_id in ids)
        return [event for event in found if all(event.private.get(name) == value for name, value in pairs)]

    def _unindex(self, event_id: str) -> None:
        former = self.events.get(event_id)
        for pair in former.private.items() if former else ():
            ids = self.by_private[pair]
            del ids[event_id]
            if not ids:
                del self.by_private[pair]
