"""One event in the words of Google Calendar v3 (discovery document, schema `Event`). No I/O.

Times carry an offset and the zone's name, so the instant is certain whatever rules Google has for the zone.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from workers.calendars.body_text import as_html, body_text, cut, web_host
from workers.calendars.mapped import Mapped, tags_text
from workers.event import Conferencing, Event, JoinLink, Location, Transparency
from workers.times import AllDay, Period, Timed, known_zone, rfc3339

KEY = "sequenceSyncKey"  # our private properties
REVISION = "sequenceSyncRevision"
DIGEST = "sequenceSyncDigest"

SUMMARY_LIMIT = 1024  # Cronofy's; Google documents none
LOCATION_LIMIT = 1024
MOST_REMINDERS = 5
LONGEST_REMINDER = 40320  # minutes: four weeks
LONGEST_ENTRY_POINT = 1300  # characters

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
        conference: off after Google refused conference data: no Meet, and a join link becomes text.
        named_zone: off after Google refused the zone: the offset alone says when.
    """
    notes: list[str] = []
    link = event.conferencing if isinstance(event.conferencing, JoinLink) else None
    entry_point = link if link is not None and conference and _is_entry_point(link, notes) else None
    owned: dict[str, Any] = {
        "status": "tentative" if event.transparency is Transparency.TENTATIVE else "confirmed",
        **_times(event, named_zone=named_zone),
        **_texts(event, link if entry_point is None else None, notes),
    }
    create: dict[str, Any] = {}
    if event.transparency is not None:
        owned["transparency"] = _transparency(event.transparency, notes)
    if event.reminders is not None:
        (create if event.reminders_create_only else owned)["reminders"] = _reminders(event.reminders, notes)
    if event.tags is not None:
        owned["extendedProperties"] = {"private": {"tags": tags_text(event.tags, notes)}}
    if entry_point is not None:
        owned["conferenceData"] = _existing_conference(entry_point)
    if event.conferencing is Conferencing.DEFAULT and conference:
        create["conferenceData"] = _new_conference(request_id)
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


def _texts(event: Event, link: JoinLink | None, notes: list[str]) -> dict[str, Any]:
    """Summary, description, location and source; `link` is a join link that has no other place."""
    texts: dict[str, Any] = {}
    if event.summary is not None:
        texts["summary"] = cut(event.summary, SUMMARY_LIMIT, "summary", notes, len)
    text = body_text(event, join_link=link is not None, size=lambda plain: len(as_html(plain)), notes=notes)
    if text is not None:
        texts["description"] = as_html(text)
    place = _place(event.location, notes)
    if link is not None and not place and len(link.url) <= LOCATION_LIMIT:
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


def _is_entry_point(link: JoinLink, notes: list[str]) -> bool:
    fits = web_host(link.url) is not None and len(link.url) <= LONGEST_ENTRY_POINT
    if not fits:
        notes.append("join_link_as_text: Google takes no such URL for a conference")
    return fits


def _existing_conference(link: JoinLink) -> dict[str, Any]:
    """The shape for a conference of a third party; Google wants a solution beside the entry point."""
    name = link.provider or web_host(link.url) or ""
    return {
        "conferenceSolution": {"key": {"type": "addOn"}, "name": name},
        "entryPoints": [{"entryPointType": "video", "uri": link.url}],
    }


def _new_conference(request_id: str) -> dict[str, Any]:
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
