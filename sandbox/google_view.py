"""What a reader sees of a stored Google event."""

from typing import Any
from zoneinfo import ZoneInfo

from sandbox import google_times
from sandbox.clock import stamp
from sandbox.google_calendar import GoogleCalendar, GoogleEvent


def resource(event: GoogleEvent, calendar: GoogleCalendar, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """The event as the API shows it; `zone` is the one asked for by the timeZone parameter."""
    owner = {"email": calendar.owner or calendar.id, "self": True}
    shown: dict[str, Any] = {
        "kind": "calendar#event",
        "etag": event.etag,
        "id": event.id,
        "htmlLink": f"https://www.google.com/calendar/event?eid={event.id}",
        "created": stamp(event.created),
        "updated": stamp(event.updated),
        "creator": owner,
        "organizer": owner,
        "iCalUID": f"{event.id}@google.com",
        "sequence": event.sequence,
        "reminders": {"useDefault": True},
        "eventType": "default",
        **event.fields,
    }
    if event.fields.get("attendees"):
        shown["attendees"] = [
            {
                "responseStatus": "needsAction",
                **attendee,
                **({"self": True} if calendar.is_own(attendee) else {}),
            }
            for attendee in event.fields["attendees"]
        ]
    if event.hangout_link is not None:
        shown["hangoutLink"] = event.hangout_link
    if zone is not None and "dateTime" in event.fields["start"]:
        shown["start"] = {**event.fields["start"], "dateTime": google_times.shown(event.starts_at, zone)}
        shown["end"] = {**event.fields["end"], "dateTime": google_times.shown(event.ends_at, zone)}
    return shown
