"""One event in the words of Google Calendar v3 (discovery document, schema `Event`). No I/O.

Times carry an offset and the zone's name, so the instant is certain whatever rules Google has for the zone.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from workers.calendars.body_text import body_text, cut, for_google, web_host
from workers.calendars.mapped import Mapped, tags_text
from workers.event import Conferencing, Event, JoinLink, Location, Transparency
from workers.times import AllDay, Period, Timed, known_zone, rfc3339

KEY = "sequenceSyncKey"  # our private properties
REVISION = "sequenceSyncRevision"
DIGEST = "sequenceSyncDigest"
FIELDS = "sequenceSyncFields"

SUMMARY_LIMIT = 1024  # Cronofy's; Google documents none
LOCATION_LIMIT = 1024
MOST_REMINDERS = 5
LONGEST_REMINDER = 40320  # minutes: four weeks

TAGS = "tags"  # among the private properties
EMPTY: Mapping[str, Any] = MappingProxyType(
    {
        "summary": None,
        "description": None,
        "location": None,
        "source": None,
        "transparency": None,
        "reminders": {"useDefault": True, "overrides": []},
    }
)
"""How an update takes away what an earlier revision set, field by field."""

# The event colours as Google's `colors` endpoint publishes them.
_COLORS = {
    "1": 0xA4BDFC,
    "2": 0x7AE7BF,
    "3": 0xDBADFF,
    "4": 0xFF887C,
    "5": 0xFBD75B,
    "6": 0xFFB878,
    "7": 0x46D6DB,
    "8": 0xE1E1E1,
    "9": 0x5484ED,
    "10": 0x51B749,
    "11": 0xDC2127,
}


def to_google(event: Event, *, request_id: str, conference: bool = True, named_zone: bool = True) -> Mapped:
    """The body of an event, without `id` and our identity.

    Args:
        event: the part.
        request_id: names the request for a Meet link; Google ignores a second one of the same name.
        conference: off to ask for no Meet, after Google refused to make one.
        named_zone: off after Google refused the zone: the offset alone says when.
    """
    notes: list[str] = []
    owned: dict[str, Any] = {
        "status": "tentative" if event.transparency is Transparency.TENTATIVE else "confirmed",
        **_times(event, named_zone=named_zone),
        **_texts(event, notes),
    }
    create: dict[str, Any] = {}
    if event.transparency is not None:
        owned["transparency"] = _transparency(event.transparency, notes)
    if event.reminders is not None:
        (create if event.reminders_create_only else owned)["reminders"] = _reminders(event.reminders, notes)
    if event.tags is not None:
        owned["extendedProperties"] = {"private": {TAGS: tags_text(event.tags, notes)}}
    if event.conferencing is Conferencing.DEFAULT and conference:
        create["conferenceData"] = new_conference(request_id)
    if event.private:
        create["visibility"] = "private"
    if event.color is not None:
        create["colorId"] = _nearest_color(event.color)
    return Mapped(owned=owned, create=create, degraded=(*event.degraded, *notes))


def instants(body: Mapping[str, Any]) -> Period | None:
    """When an event takes place, as Google's resource says; None if it does not say so readably."""
    start, end = _moment(body.get("start")), _moment(body.get("end"))
    if isinstance(start, datetime) and isinstance(end, datetime):
        return Timed(start, end)
    if start is None or end is None or isinstance(start, datetime) or isinstance(end, datetime):
        return None
    return AllDay(start, end)


def _times(event: Event, *, named_zone: bool) -> dict[str, dict[str, str | None]]:
    # A patch merges; the null clears what is left of an all-day event that now has a time, and the reverse.
    if isinstance(event.when, AllDay):
        start, end = ({"date": day.isoformat(), "dateTime": None, "timeZone": None} for day in event.when)
    else:
        zone = event.zone if named_zone else None
        start, end = (
            {"date": None, "dateTime": rfc3339(instant, event.zone), "timeZone": zone}
            for instant in event.when
        )
    return {"start": start, "end": end}


def _texts(event: Event, notes: list[str]) -> dict[str, Any]:
    """Summary, description, location and source.

    A join link stands in the description, and for the place where none is booked. Google takes the conference
    of a third party only from that party's add-on: from others it refuses it, or drops it without a word
    (openclaw/gogcli pull request 590).
    """
    texts: dict[str, Any] = {}
    if event.summary is not None:
        texts["summary"] = cut(event.summary, SUMMARY_LIMIT, "summary", notes, len)
    text = body_text(event, size=lambda plain: len(for_google(plain)), notes=notes)
    if text is not None:
        texts["description"] = for_google(text)
    place = _place(event.location, notes)
    link = event.conferencing
    if isinstance(link, JoinLink) and not place and len(link.url) <= LOCATION_LIMIT:
        place = link.url
    if place is not None:
        texts["location"] = cut(place, LOCATION_LIMIT, "location", notes, len)
    if event.url is not None:
        host = web_host(event.url)
        if host is None:  # it still stands in the description
            notes.append("source_dropped: Google takes only http and https")
        else:
            texts["source"] = {"title": host, "url": event.url}
    return texts


def _place(location: Location | None, notes: list[str]) -> str | None:
    """Google has one text for a place."""
    if location is None:
        return None
    named = [text for text in (location.description, location.address) if text is not None]
    if named:
        if location.lat is not None:
            notes.append("coordinates_dropped: Google has no field for them")
        return ", ".join(dict.fromkeys(filter(None, named)))
    return f"{location.lat}, {location.long}"


def _transparency(value: Transparency, notes: list[str]) -> str:
    if value in (Transparency.OUT_OF_OFFICE, Transparency.WORKING_ELSEWHERE):
        notes.append(f"transparency: {value} is shown as busy")
    return "transparent" if value is Transparency.TRANSPARENT else "opaque"


def _reminders(reminders: tuple[int, ...], notes: list[str]) -> dict[str, Any]:
    clipped = [min(max(minutes, 0), LONGEST_REMINDER) for minutes in reminders]
    if clipped != list(reminders):
        notes.append(f"reminders_clipped: to 0..{LONGEST_REMINDER} minutes")
    distinct = list(dict.fromkeys(clipped))
    if len(distinct) > MOST_REMINDERS:
        notes.append(f"reminders_dropped: {len(distinct) - MOST_REMINDERS}")
    overrides = [{"method": "popup", "minutes": minutes} for minutes in distinct[:MOST_REMINDERS]]
    return {"useDefault": False, "overrides": overrides}


def new_conference(request_id: str) -> dict[str, Any]:
    """Asks Google to make a Meet link."""
    solution = {"type": "hangoutsMeet"}
    return {"createRequest": {"requestId": request_id, "conferenceSolutionKey": solution}}


def _nearest_color(color: str) -> str:
    wanted = _channels(int(color[1:], 16))
    return min(_COLORS, key=lambda number: _distance(wanted, _channels(_COLORS[number])))


def _channels(color: int) -> tuple[int, int, int]:
    return color >> 16, color >> 8 & 0xFF, color & 0xFF


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _moment(value: Any) -> date | None:
    """A `datetime` in UTC, or a day."""
    if not isinstance(value, dict):
        return None
    try:
        if value.get("date"):
            return date.fromisoformat(value["date"])
        moment = datetime.fromisoformat(value["dateTime"])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(known_zone(value["timeZone"]) or ""))
        return moment.astimezone(UTC)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None
