"""Start and end of a Google event: what is refused, which instant is meant, how it is shown again."""

import re
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sandbox import zones
from sandbox.google_errors import invalid, refused, required

# Google documents no range of years; these are the sandbox's.
RFC3339 = re.compile(r"[12]\d{3}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")
DATE = re.compile(r"[12]\d{3}-\d\d-\d\d")


class Span(NamedTuple):
    """A checked start and end: as they are shown, and the UTC instants they mean."""

    start: dict[str, str]
    end: dict[str, str]
    starts_at: datetime
    ends_at: datetime


def span(
    fields: dict[str, Any], calendar_zone: ZoneInfo, refused_zones: frozenset[str] = frozenset()
) -> Span:
    """The times of an event. Dates count from midnight of the calendar's zone; the end is exclusive."""
    start, starts_at = _moment(fields.get("start"), calendar_zone, refused_zones, "start")
    end, ends_at = _moment(fields.get("end"), calendar_zone, refused_zones, "end")
    if ("date" in start) != ("date" in end):
        raise invalid("The start and end times must either both be date or both be dateTime.")
    if ends_at < starts_at:
        raise refused(400, "timeRangeEmpty", "The specified time range is empty.")
    return Span(start, end, starts_at, ends_at)


def shown(at: datetime, zone: ZoneInfo) -> str:
    """An instant with the zone's offset, as Google renders it; Z for UTC."""
    return at.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")


def query_instant(text: str, name: str) -> datetime:
    """A timeMin or timeMax; the vendor insists on an offset."""
    if not RFC3339.fullmatch(text):
        raise invalid("Bad Request", name)
    parsed = _parsed(text, name)
    if parsed.tzinfo is None:
        raise invalid("Bad Request", name)
    return parsed.astimezone(UTC)


def query_zone(name: str | None) -> ZoneInfo | None:
    """The zone a reader asks for with the timeZone parameter."""
    if name is None:
        return None
    zone = zones.iana(name)
    if zone is None:
        raise invalid("Invalid time zone definition.", "timeZone")
    return zone


def _moment(
    value: dict[str, Any] | None, calendar_zone: ZoneInfo, refused_zones: frozenset[str], which: str
) -> tuple[dict[str, str], datetime]:
    value = {name: item for name, item in (value or {}).items() if item is not None}
    if "date" in value and "dateTime" in value:
        raise invalid(f"Invalid {which} time: date and dateTime are both set.")
    zone = calendar_zone
    named = {}
    if "timeZone" in value:
        found = zones.iana(value["timeZone"])
        if found is None or value["timeZone"] in refused_zones:
            raise invalid(f"Invalid time zone definition for {which} time.")
        zone = found
        named = {"timeZone": value["timeZone"]}
    if "date" in value:
        if not DATE.fullmatch(value["date"]):
            raise invalid(f"Invalid {which} time.")
        day = _parsed_date(value["date"], which)
        midnight = datetime.combine(day, time(), calendar_zone).astimezone(UTC)
        return {"date": value["date"]} | named, midnight
    if "dateTime" not in value:
        raise required(f"Missing {which} time.")
    if not RFC3339.fullmatch(value["dateTime"]):
        raise invalid(f"Invalid {which} time.")
    parsed = _parsed(value["dateTime"], which)
    if parsed.tzinfo is None:
        if not named:
            raise required(f"Missing time zone definition for {which} time.")
        parsed = parsed.replace(tzinfo=zone)
    at = parsed.astimezone(UTC)
    return {"dateTime": shown(at, calendar_zone)} | named, at


def _parsed(text: str, which: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise invalid(f"Invalid {which} time.") from None


def _parsed_date(text: str, which: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(f"Invalid {which} time.") from None
