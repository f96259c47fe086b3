"""A mailbox, its calendars and their events, with the indexes of ids and extended properties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph_errors import item_not_found
from sandbox.graph_times import GraphMoment, ZoneRules

TEAMS = "teamsForBusiness"


@dataclass(frozen=True, slots=True)
class GraphEvent:
    """A stored event. `fields` are the plain writable ones; `created` and `modified` are Unix seconds.

    `is_cancelled`: by its organiser, whose cancellation leaves the attendee's copy where it is. `uid` is the
    iCalUId, which survives what Outlook does by copying and deleting.
    """

    immutable_id: str
    mutable_id: str
    calendar_id: str
    serial: int
    fields: Mapping[str, Any]
    start: GraphMoment
    end: GraphMoment
    change_key: str
    created: float
    modified: float
    body_html: str = ""
    body_text: str = ""
    join_url: str | None = None
    transaction_id: str | None = None
    uid: str = ""
    recurrence: Mapping[str, Any] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    is_organizer: bool = True
    response: str = "organizer"
    is_cancelled: bool = False
    deleted: bool = False

    @property
    def etag(self) -> str:
        """The event's @odata.etag."""
        return f'W/"{self.change_key}"'

    @property
    def free(self) -> bool:
        """Whether it takes none of its owner's time."""
        return self.fields["showAs"] == "free" or self.is_cancelled or self.response == "declined"

    @property
    def guests(self) -> list[str]:
        """The attendees' addresses."""
        people = ((attendee.get("emailAddress") or {}) for attendee in self.fields["attendees"])
        return [person["address"] for person in people if person.get("address")]


@dataclass(slots=True)
class GraphCalendar:
    """A calendar of a mailbox, with the indexes of its live events."""

    id: str
    name: str
    readonly: bool = False
    gone: bool = False
    online_meetings: tuple[str, ...] = (TEAMS,)
    event_ids: dict[str, None] = field(default_factory=dict)
    by_property: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    transactions: dict[str, tuple[bytes, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Mailbox:
    """A user's mailbox and what is peculiar about it. `search_lag` is in seconds.

    `rest_enabled` false: no Exchange Online mailbox. `personal`: an outlook.com account. `denied`: kept from
    applications by an access policy. `duplicate_status`: 400 or 409 for a transactionId used twice.
    `time_zone`: the Windows name of its own. `view_expands`: calendarView gives extended properties, too.
    `capital_guids`: replies spell the GUIDs of extended properties in capitals; Graph promises no spelling.
    `read_lag`: for so many seconds, an event that was just made is not there for whoever asks by its id.
    `ids_survive`: an immutable id outlives a delete: the event is in Deleted Items then, in no calendar, and
    may be read and changed, but not deleted again (outlook-immutable-id.md says only that ids may survive).
    """

    address: str
    id: str
    default_calendar_id: str
    calendars: dict[str, GraphCalendar] = field(default_factory=dict)
    rest_enabled: bool = True
    personal: bool = False
    denied: bool = False
    shared_with: frozenset[str] = frozenset()
    zone_rules: ZoneRules = field(default_factory=ZoneRules)
    search_lag: float = 0.0
    read_lag: float = 0.0
    ids_survive: bool = False
    duplicate_status: int = 400
    capital_guids: bool = False
    time_zone: str = "UTC"
    view_expands: bool = False
    events: dict[str, GraphEvent] = field(default_factory=dict)
    deleted: dict[str, GraphEvent] = field(default_factory=dict)
    immutable_ids: dict[str, str] = field(default_factory=dict)
    in_flight: dict[str, int] = field(default_factory=dict)

    def calendar(self, calendar_id: str | None) -> GraphCalendar:
        """A calendar by id (None: the default one); 404 if there is none, or no longer."""
        found = self.calendars.get(calendar_id or self.default_calendar_id)
        if found is None or found.gone:
            raise item_not_found()
        return found

    def event(self, event_id: str, now: float, *, immutable: bool) -> GraphEvent:
        """An event by the kind of id the caller asked for, deleted ones where ids survive; 404 for any
        other.
        """
        event = self.events.get(event_id if immutable else self.immutable_ids.get(event_id, ""))
        if event is None and immutable and self.ids_survive:
            event = self.deleted.get(event_id)
        if event is None or self.calendars[event.calendar_id].gone or event.created + self.read_lag > now:
            raise item_not_found()
        return event

    def with_property(
        self, calendar: GraphCalendar, property_id: str, value: str | None, now: float
    ) -> list[GraphEvent]:
        """A calendar's live events with an extended property: its id as written, its value in any case, or
        whatever it is (None).
        """
        if value is None:
            events = [self.events[event_id] for event_id in calendar.event_ids]
            found = [event for event in events if property_id in event.properties]
        else:
            ids = calendar.by_property.get((property_id, value.lower()), {})
            found = [self.events[event_id] for event_id in ids]
        return [event for event in found if event.created + self.search_lag <= now]

    def put(self, event: GraphEvent) -> GraphEvent:
        """Store an event in place of its former state, and keep the indexes right."""
        self._unindex(event.immutable_id)
        if event.deleted:
            self.deleted[event.immutable_id] = event
            return event
        calendar = self.calendars[event.calendar_id]
        self.events[event.immutable_id] = event
        self.immutable_ids[event.mutable_id] = event.immutable_id
        calendar.event_ids[event.immutable_id] = None
        for property_id, value in event.properties.items():
            calendar.by_property.setdefault((property_id, value.lower()), {})[event.immutable_id] = None
        return event

    def _unindex(self, immutable_id: str) -> None:
        former = self.events.pop(immutable_id, None)
        if former is None:
            return
        calendar = self.calendars[former.calendar_id]
        del self.immutable_ids[former.mutable_id]
        del calendar.event_ids[immutable_id]
        for property_id, value in former.properties.items():
            ids = calendar.by_property[property_id, value.lower()]
            del ids[immutable_id]
            if not ids:
                del calendar.by_property[property_id, value.lower()]
