"""What is in the calendars, the same for both vendors: for tests, for the control API and for the page."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sandbox import zones
from sandbox.google_calendar import GoogleCalendar, GoogleEvent
from sandbox.google_view import resource
from sandbox.graph_mailbox import GraphEvent, Mailbox
from sandbox.graph_odata import Preferences
from sandbox.graph_view import shown
from sandbox.state import State


class SeenEvent(msgspec.Struct, frozen=True):
    """A stored event. `calendar` is a Google calendar's id, or mailbox/calendar at Microsoft.

    `status` is confirmed, tentative, cancelled (Google's tombstone) or deleted (Microsoft). `private` are
    the private or extended properties by their plain names. `event` is what the vendor's API would show.
    """

    provider: str
    calendar: str
    id: str
    status: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    local_start: str
    local_end: str
    private: dict[str, str]
    event: dict[str, Any]

    @property
    def live(self) -> bool:
        """Whether the event stands in the calendar."""
        return self.status in ("confirmed", "tentative")


class SeenCalendar(msgspec.Struct, frozen=True):
    """A calendar and its events, oldest first."""

    provider: str
    id: str
    name: str
    events: list[SeenEvent]


def calendars(state: State, provider: str | None = None, calendar: str | None = None) -> list[SeenCalendar]:
    """The calendars of one or both vendors ("google", "microsoft") with their events and tombstones."""
    found = [*_google(state), *_microsoft(state)]
    return [each for each in found if provider in (None, each.provider) and calendar in (None, each.id)]


def events(state: State, provider: str | None = None, calendar: str | None = None) -> list[SeenEvent]:
    """All events and tombstones in those calendars."""
    return [event for each in calendars(state, provider, calendar) for event in each.events]


def _google(state: State) -> Iterator[SeenCalendar]:
    for calendar in state.google.calendars.values():
        seen = [_google_event(event, calendar) for event in calendar.events.values()]
        yield SeenCalendar("google", calendar.id, calendar.summary, seen)


def _google_event(event: GoogleEvent, calendar: GoogleCalendar) -> SeenEvent:
    named = [zones.iana(event.fields[which].get("timeZone", "")) for which in ("start", "end")]
    return SeenEvent(
        provider="google",
        calendar=calendar.id,
        id=event.id,
        status=event.fields["status"],
        summary=event.fields.get("summary", ""),
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        local_start=event.fields["start"].get("date") or _local(event.starts_at, named[0] or calendar.zone),
        local_end=event.fields["end"].get("date") or _local(event.ends_at, named[1] or calendar.zone),
        private=event.private,
        event=resource(event, calendar),
    )


def _microsoft(state: State) -> Iterator[SeenCalendar]:
    for mailbox in {id(each): each for each in state.microsoft.mailboxes.values()}.values():
        stored = [*mailbox.events.values(), *mailbox.deleted.values()]
        for calendar in mailbox.calendars.values():
            name = f"{mailbox.address}/{calendar.id}"
            if calendar.id == mailbox.default_calendar_id:
                name = mailbox.address
            seen = [
                _graph_event(event, mailbox, name) for event in stored if event.calendar_id == calendar.id
            ]
            yield SeenCalendar("microsoft", name, calendar.name, seen)


def _graph_event(event: GraphEvent, mailbox: Mailbox, calendar: str) -> SeenEvent:
    preferences = Preferences(immutable_ids=True)
    return SeenEvent(
        provider="microsoft",
        calendar=calendar,
        id=event.immutable_id,
        status="deleted" if event.deleted else "confirmed",
        summary=event.fields["subject"],
        starts_at=event.start.at,
        ends_at=event.end.at,
        local_start=f"{event.start.local:%Y-%m-%d %H:%M} {event.start.zone}",
        local_end=f"{event.end.local:%Y-%m-%d %H:%M} {event.end.zone}",
        private={_plain_name(name): value for name, value in event.properties.items()},
        event=shown(event, mailbox, preferences, expand=event.properties),
    )


def _plain_name(property_id: str) -> str:
    return property_id.partition(" Name ")[2] or property_id


def _local(at: datetime, zone: ZoneInfo) -> str:
    local = zones.wall_clock(at, zone)
    return f"{local:%Y-%m-%d %H:%M} {zone.key}"
