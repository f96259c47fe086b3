"""One event in the words of Microsoft Graph v1.0 (resource type `event`). No I/O.

Graph takes a local time and a zone name, no offset: where the name could be understood otherwise than booked,
the time is sent in UTC.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from workers.calendars.body_text import body_text, cut
from workers.calendars.mapped import Mapped, tags_text
from workers.calendars.outlook_body import marked, splice_body
from workers.calendars.windows_zones import WINDOWS_UTC, windows_name, zone_of
from workers.event import Conferencing, Event, JoinLink, Location, Transparency
from workers.event_text import utf16_length
from workers.times import UTC_ZONE, AllDay, Period, Timed, midnight, wall_time

__all__ = ["instants", "splice_body", "to_microsoft"]

_NAMESPACE = "{7d1a1f4e-5f0b-4c52-9a63-2f6c1f0f4b1d}"  # for ever: our events are found again only by this
TRANSACTIONS = uuid.UUID(_NAMESPACE)
KEY = f"String {_NAMESPACE} Name sequence-sync-key"
VERSION = f"String {_NAMESPACE} Name sequence-sync-version"
TAGS = f"String {_NAMESPACE} Name sequence-sync-tags"

SUBJECT_LIMIT = 255  # documented (EWS reference, "Subject"); more is cut without a word
LOCATION_LIMIT = 255  # MAPI's, as for the subject; of the place's name and of its street
LONGEST_REMINDER = 2_629_800  # minutes, five years: documented (MS-OXWSCORE 2.2.5.5)
EMPTY: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "subject": {"subject": ""},
        "body": {"body": {"contentType": "text", "content": ""}},
        "location": {"location": {"displayName": ""}},
        "showAs": {"showAs": "busy"},
        "isReminderOn": {"isReminderOn": True, "reminderMinutesBeforeStart": 15},
    }
)
"""How an update takes away what an earlier revision set, field by field: as events are that do not say it."""
_NOTHING: Mapping[str, str] = MappingProxyType({})

_SHOW_AS = {
    Transparency.OPAQUE: "busy",
    Transparency.TRANSPARENT: "free",
    Transparency.TENTATIVE: "tentative",
    Transparency.OUT_OF_OFFICE: "oof",
    Transparency.WORKING_ELSEWHERE: "workingElsewhere",
}
_FRACTION = re.compile(r"(\.\d{6})\d+")  # Graph writes seven digits, Python reads six


def to_microsoft(
    event: Event,
    *,
    conference: bool = True,
    named_zone: bool = True,
    category_for_color: Mapping[str, str] = _NOTHING,
) -> Mapped:
    """The body of an event, without `transactionId` and our extended properties.

    Args:
        event: the part.
        conference: off to ask for no Teams meeting.
        named_zone: off after Graph refused the zone or understood it otherwise: everything in UTC.
        category_for_color: `#rrggbb` to the name of a category of the mailbox.
    """
    notes: list[str] = []
    owned: dict[str, Any] = _times(event, notes, named_zone=named_zone)
    create: dict[str, Any] = {}
    if event.summary is not None:
        owned["subject"] = cut(event.summary, SUBJECT_LIMIT, "summary", notes)
    online = event.conferencing is Conferencing.DEFAULT
    size = (lambda plain: utf16_length(marked(plain))) if online else utf16_length
    text = body_text(event, size=size, notes=notes)
    if text is not None:
        owned["body"] = _body(text, online=online)
    location = _location(event, notes)
    if location is not None:
        owned["location"] = location
    if event.transparency is not None:
        owned["showAs"] = _SHOW_AS[event.transparency]
    if event.reminders is not None:
        (create if event.reminders_create_only else owned).update(_reminder(event.reminders, notes))
    if online and conference:
        # Outlook ignores both after the event was made, and may break the meeting.
        create |= {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}
    if event.private:
        create["sensitivity"] = "private"
    if event.color is not None:
        create |= _categories(event.color, category_for_color, notes)
    tags = None if event.tags is None else tags_text(event.tags, notes)
    return Mapped(owned=owned, create=create, degraded=(*event.degraded, *notes), tags=tags, text=text or "")


def instants(body: Mapping[str, Any]) -> Period | None:
    """When an event takes place, as Graph's resource says; None if it does not say so readably.

    Replies are in UTC because we ask for it; any other zone that they name is understood, too.
    """
    start, end = _moment(body.get("start")), _moment(body.get("end"))
    if start is None or end is None:
        return None
    if body.get("isAllDay") is True:
        first = _day(start, body.get("originalStartTimeZone"))
        return AllDay(first, _day(end, body.get("originalEndTimeZone")))
    return Timed(start.astimezone(UTC), end.astimezone(UTC))


def _times(event: Event, notes: list[str], *, named_zone: bool) -> dict[str, Any]:
    all_day = isinstance(event.when, AllDay)
    walls = _walls(event.when, event.zone)
    name = windows_name(event.zone, walls) if named_zone else None
    if name is None:
        in_utc = _walls(event.when, UTC_ZONE)
        if named_zone and in_utc != walls:
            notes.append(f"zone_as_utc: {event.zone} is not certain at Microsoft for these times")
        name, walls = WINDOWS_UTC, in_utc
    start, end = ({"dateTime": wall.isoformat(timespec="seconds"), "timeZone": name} for wall in walls)
    return {"start": start, "end": end, "isAllDay": all_day}


def _walls(when: Period, zone: str) -> tuple[datetime, datetime]:
    if isinstance(when, AllDay):
        return midnight(when.start), midnight(when.end)
    return wall_time(when.start, zone), wall_time(when.end, zone)


def _body(text: str, *, online: bool) -> dict[str, str]:
    # Outlook puts the meeting's own text into the body; the marker finds ours again among it.
    return (
        {"contentType": "html", "content": marked(text)}
        if online
        else {"contentType": "text", "content": text}
    )


def _location(event: Event, notes: list[str]) -> dict[str, Any] | None:
    place = event.location or Location()
    link = event.conferencing.url if isinstance(event.conferencing, JoinLink) else None
    if link is not None and utf16_length(link) > LOCATION_LIMIT:
        link = None  # half a link helps nobody; the whole one is in the body
    coordinates = None if place.lat is None else f"{place.lat}, {place.long}"
    name = place.description or place.address or link or coordinates or place.description
    location: dict[str, Any] = {}
    if name is not None:
        location["displayName"] = cut(name, LOCATION_LIMIT, "location", notes)
    if place.lat is not None:
        location["coordinates"] = {"latitude": place.lat, "longitude": place.long}
    if place.address:
        location["address"] = {"street": cut(place.address, LOCATION_LIMIT, "location", notes)}
    return location or None


def _reminder(reminders: tuple[int, ...], notes: list[str]) -> dict[str, Any]:
    """Graph holds one; Cronofy lists them by priority, so it is the first."""
    if not reminders:
        return {"isReminderOn": False}
    if len(reminders) > 1:
        notes.append(f"reminders_dropped: {len(reminders) - 1}")
    minutes = min(max(reminders[0], 0), LONGEST_REMINDER)
    if minutes != reminders[0]:
        notes.append(f"reminders_clipped: to {minutes} minutes")
    return {"isReminderOn": True, "reminderMinutesBeforeStart": minutes}


def _categories(color: str, category_for_color: Mapping[str, str], notes: list[str]) -> dict[str, Any]:
    names = {configured.lower(): name for configured, name in category_for_color.items()}
    if color in names:
        return {"categories": [names[color]]}
    notes.append(f"color_dropped: no category is configured for {color}")
    return {}


def _moment(value: Any) -> datetime | None:
    """An aware datetime, still in the zone that the reply names."""
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", value["dateTime"]))
        zone = moment.tzinfo or zone_of(value["timeZone"])
        return None if zone is None else moment.replace(tzinfo=zone)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _day(moment: datetime, original_zone: Any) -> date:
    """Whole days come as midnights; where they come converted to UTC, the original zone has the day."""
    zone = zone_of(original_zone) if isinstance(original_zone, str) else None
    at_midnight = moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.date() if at_midnight or zone is None else moment.astimezone(zone).date()
