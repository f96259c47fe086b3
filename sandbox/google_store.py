"""What happens to Google's events: insert, change, delete, revival, etags and conferences.

Every change replaces the stored event, so a reply built earlier never changes under its reader.
"""

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sandbox import google_meet, google_times
from sandbox.clock import Clock
from sandbox.google_calendar import GoogleCalendar, GoogleEvent
from sandbox.google_errors import changed_meanwhile, forbidden, not_found, refused
from sandbox.google_event import (
    READ_ONLY,
    check_client_id,
    check_no_recurrence,
    check_values,
    kept_properties,
    merged,
    writable,
)

NEVER = datetime.min.replace(tzinfo=UTC)
FIRST_ETAG = 3_400_000_000_000_000
REVIVING = ("confirmed", "tentative")


@dataclass(slots=True)
class GoogleStore:
    """All Google calendars of one sandbox."""

    clock: Clock
    calendars: dict[str, GoogleCalendar] = field(default_factory=dict)
    _serials: Iterator[int] = field(default_factory=lambda: count(1))
    _etags: Iterator[int] = field(default_factory=lambda: count(FIRST_ETAG))

    def own_calendar(self, subject: str) -> GoogleCalendar:
        """A subject's own calendar, made when first asked for. Its id is the subject's address."""
        subject = subject.lower()
        return self.calendars.get(subject) or self.put_calendar(subject, owner=subject)

    def put_calendar(self, calendar_id: str, **flags: Any) -> GoogleCalendar:
        """Make a calendar, or change one of that id; the flags are GoogleCalendar's fields.

        Without an owner it belongs to nobody, and is visible to those it is shared with only ("*": to
        everyone).
        """
        calendar_id = _plain(calendar_id)
        calendar = self.calendars.setdefault(calendar_id, GoogleCalendar(calendar_id, "", calendar_id))
        for name, value in flags.items():
            setattr(calendar, name, value)
        calendar.owner = calendar.owner.lower()
        calendar.shared_with = {subject.lower(): role for subject, role in calendar.shared_with.items()}
        return calendar

    def find(self, calendar_id: str, subject: str) -> tuple[GoogleCalendar, str]:
        """A calendar as a caller names it, and the caller's role. 404 where it is not visible."""
        calendar = self.calendars.get(subject if calendar_id == "primary" else _plain(calendar_id))
        role = calendar.role(subject) if calendar else None
        if calendar is None or role is None:
            raise not_found()
        return calendar, role

    def insert(
        self, calendar: GoogleCalendar, body: Mapping[str, Any], *, with_conference: bool = False
    ) -> GoogleEvent:
        """A new event; 409 on an id ever used in this calendar, also by an event since deleted."""
        event_id = body.get("id")
        if event_id is None:
            event_id = _new_id()
        check_client_id(event_id)
        check_no_recurrence(body)
        if event_id in calendar.events:
            raise refused(409, "duplicate", "The requested identifier already exists.")
        now = self.clock()
        blank = GoogleEvent(event_id, calendar.id, next(self._serials), {}, NEVER, NEVER, "", now, now, -1)
        return self._write(
            calendar,
            blank,
            {"status": "confirmed"} | writable(body),
            _conference(calendar, blank, body, whole=True) if with_conference else None,
        )

    def change(
        self,
        calendar: GoogleCalendar,
        event_id: str,
        body: Mapping[str, Any],
        *,
        whole: bool = False,
        with_conference: bool = False,
        add_on: bool = False,
        if_match: str | None = None,
    ) -> GoogleEvent:
        """PATCH an event, or PUT it (`whole`). A tombstone comes back only with a status that says so.

        `add_on`: an add-on, or a person, writes; see `google_meet`.
        """
        old = self.get(calendar, event_id)
        _check_etag(old, if_match)
        if old.cancelled:
            refusing = calendar.revival_refused or old.revival_refused
            if refusing or body.get("status") not in REVIVING:
                raise forbidden()
        check_no_recurrence(body)
        change = {name: value for name, value in body.items() if name not in READ_ONLY}
        fields = {"status": "confirmed"} | (writable(change) if whole else merged(old.fields, change))
        conference = old.fields.get("conferenceData")
        if with_conference:
            conference = _conference(calendar, old, body, whole=whole, add_on=add_on)
        return self._write(calendar, old, fields, conference)

    def delete(self, calendar: GoogleCalendar, event_id: str, if_match: str | None = None) -> GoogleEvent:
        """Turn an event into a tombstone that keeps its fields; 410 when it is one already."""
        old = self.get(calendar, event_id)
        if old.cancelled:
            raise refused(410, "deleted", "Resource has been deleted")
        _check_etag(old, if_match)
        return calendar.put(
            replace(
                old,
                fields={**old.fields, "status": "cancelled"},
                etag=self._etag(),
                updated=self.clock(),
                sequence=old.sequence + 1,
            )
        )

    def get(self, calendar: GoogleCalendar, event_id: str) -> GoogleEvent:
        """An event or its tombstone, as stored; 404 for an id never used here, or not seen yet."""
        event = calendar.events.get(event_id)
        if event is None or event.created + calendar.read_lag > self.clock():
            raise not_found()
        return event

    def read(self, calendar: GoogleCalendar, event_id: str) -> GoogleEvent:
        """The same for a reader: a conference that is due has been made by now."""
        return self.settle(calendar, self.get(calendar, event_id))

    def settle(self, calendar: GoogleCalendar, event: GoogleEvent) -> GoogleEvent:
        """Answer a createRequest whose time has come. That is a change like any other: a new etag."""
        conference = event.fields.get("conferenceData")
        if conference is None or not google_meet.is_pending(conference) or event.meet_ready_at > self.clock():
            return event
        answered, link = google_meet.settled(conference, event.id, success=calendar.meet_succeeds)
        return calendar.put(
            replace(
                event,
                fields={**event.fields, "conferenceData": answered},
                hangout_link=link,
                etag=self._etag(),
                updated=self.clock(),
            )
        )

    def move(self, calendar: GoogleCalendar, event_id: str, target: GoogleCalendar) -> GoogleEvent:
        """What a person does who moves an event: it goes on under its id, a tombstone stays behind."""
        old = self.get(calendar, event_id)
        self.delete(calendar, event_id)
        return target.put(replace(old, calendar_id=target.id, etag=self._etag(), updated=self.clock()))

    def copy(self, calendar: GoogleCalendar, event_id: str, target: GoogleCalendar) -> GoogleEvent:
        """What a person does who duplicates an event: another id, all else as it is, private properties
        too.
        """
        now = self.clock()
        return target.put(
            replace(
                calendar.events[event_id],
                id=_new_id(),
                calendar_id=target.id,
                serial=next(self._serials),
                etag=self._etag(),
                created=now,
                updated=now,
            )
        )

    def repeat(self, calendar: GoogleCalendar, event_id: str) -> None:
        """What a person does who makes a weekly series of an event; its occurrences are not shown."""
        old = calendar.events[event_id]
        fields = {**old.fields, "recurrence": ["RRULE:FREQ=WEEKLY"]}
        calendar.put(replace(old, fields=fields, etag=self._etag(), updated=self.clock()))

    def refuse_revival(self, calendar: GoogleCalendar, event_id: str) -> None:
        """From now on, once deleted, this event never comes back: its id is burnt."""
        calendar.put(replace(self.get(calendar, event_id), revival_refused=True))

    def clear(self) -> None:
        """Forget all events; the calendars stay."""
        for calendar in self.calendars.values():
            calendar.events.clear()
            calendar.by_private.clear()

    def _write(
        self,
        calendar: GoogleCalendar,
        old: GoogleEvent,
        fields: dict[str, Any],
        conference: dict[str, Any] | None,
    ) -> GoogleEvent:
        check_values(fields)
        span = google_times.span(fields, calendar.zone, calendar.refused_zones)
        fields |= {"start": span.start, "end": span.end, **kept_properties(fields)}
        fields.pop("conferenceData", None)
        if conference is not None:
            fields["conferenceData"] = conference
        now = self.clock()
        same_meeting = conference is old.fields.get("conferenceData")
        moved = (span.starts_at, span.ends_at) != (old.starts_at, old.ends_at)
        return calendar.put(
            replace(
                old,
                fields=fields,
                starts_at=span.starts_at,
                ends_at=span.ends_at,
                etag=self._etag(),
                updated=now,
                sequence=old.sequence + 1 if moved else old.sequence,
                hangout_link=old.hangout_link if same_meeting else None,
                meet_ready_at=old.meet_ready_at if same_meeting else now + calendar.meet_delay,
            )
        )

    def _etag(self) -> str:
        return f'"{next(self._etags)}"'


def _new_id() -> str:
    return base64.b32hexencode(secrets.token_bytes(20)).decode().lower()


def _plain(calendar_id: str) -> str:
    """An address in lower case, as subjects are; any other id as it is."""
    return calendar_id.lower() if "@" in calendar_id else calendar_id


def _conference(
    calendar: GoogleCalendar, old: GoogleEvent, body: Mapping[str, Any], *, whole: bool, add_on: bool = False
) -> dict[str, Any] | None:
    stored: dict[str, Any] | None = old.fields.get("conferenceData")
    if "conferenceData" not in body:
        return None if whole else stored
    asked = body["conferenceData"]
    if asked is None:
        return stored if calendar.keeps_conference else None
    return google_meet.asked_for(stored, asked, calendar.allowed_conferences, add_on=add_on)


def _check_etag(event: GoogleEvent, if_match: str | None) -> None:
    if if_match is None or if_match.strip() == "*":
        return
    if event.etag not in (etag.strip() for etag in if_match.split(",")):
        raise changed_meanwhile()
