"""Times as Graph takes and gives them: a wall clock reading beside the name of a zone."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sandbox import zones
from sandbox.graph_errors import invalid, zone_refused

MAX_DURATION = timedelta(days=1826)
"""Five years; documented for Exchange (EWS reference, ErrorCalendarDurationIsTooLong)."""
YEARS = range(1601, 4501)
"""From the first that Windows can name to the last in which recurrences may end ("can not exceed Sep 1,
4500", reported). That other events are held to them is a guess."""
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?")


class ZoneRules(NamedTuple):
    """What one mailbox server thinks of time zones.

    `refused` are names it does not take although they are documented; `shifted` are zones whose rules it
    has wrong, by so many minutes. UTC is always taken.
    """

    refused: frozenset[str] = frozenset()
    shifted: dict[str, int] = {}  # noqa: RUF012 - never changed; a NamedTuple has no other kind of default

    def zone(self, name: str) -> tuple[ZoneInfo, timedelta]:
        """The rules of a zone and how wrong they are; 400 TimeZoneNotSupportedException if not taken."""
        found = zones.graph(name)
        if found is None or (name in self.refused and name != "UTC"):
            raise zone_refused(name)
        return found, timedelta(minutes=self.shifted.get(name, 0))


class GraphMoment(NamedTuple):
    """A written dateTimeTimeZone: the UTC instant it means to the server, and how it was written."""

    at: datetime
    local: datetime
    zone: str


def moment(value: dict[str, Any] | None, rules: ZoneRules, which: str) -> GraphMoment:
    """A start or end. With an offset beside the zone it is open which of them counts: refused."""
    if value is None:
        raise invalid(f"The {which} of an event is required.")
    local = parse_local(value["dateTime"], which)
    name = value.get("timeZone") or "UTC"
    zone, shift = rules.zone(name)
    return GraphMoment(zones.instant(local, zone, shift), local, name)


def check_span(start: GraphMoment, end: GraphMoment, *, all_day: bool) -> None:
    """400 for an end before its start, or an all-day event not midnight to midnight in one zone."""
    if end.at < start.at:
        raise invalid("The end of an event cannot be earlier than its start.")
    if end.at - start.at > MAX_DURATION:
        raise invalid("The duration of the event is too long.", "ErrorCalendarDurationIsTooLong")
    if not all_day:
        return
    if (
        start.zone != end.zone
        or start.local.time() != time()
        or end.local.time() != time()
        or end.at == start.at
    ):
        raise invalid(
            "An all-day event must start and end at midnight in the same time zone, at least a day apart."
        )


def shown(written: GraphMoment, rules: ZoneRules, zone_name: str, *, all_day: bool) -> dict[str, str]:
    """A moment in the reader's zone, without offset. All-day events float: midnight whatever the zone."""
    if all_day:
        local = written.local
    else:
        zone, shift = rules.zone(zone_name)
        local = zones.wall_clock(written.at, zone, shift)
    return {"dateTime": f"{local:%Y-%m-%dT%H:%M:%S.%f}0", "timeZone": zone_name}


def parse_local(text: str, which: str) -> datetime:
    """A wall clock reading, without offset."""
    if not LOCAL.fullmatch(text):
        raise invalid(f"The dateTime of {which} is not a date and time without offset: '{text}'.")
    try:
        local = datetime.fromisoformat(text[:26])
    except ValueError:
        raise invalid(f"The dateTime of {which} does not exist: '{text}'.") from None
    if local.year not in YEARS:
        raise invalid(f"The dateTime of {which} is out of range.", "ErrorCalendarOutOfRange")
    return local


def parse_instant(text: str, which: str) -> datetime:
    """A startDateTime or endDateTime of a calendarView: with an offset, or else UTC."""
    try:
        parsed = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(f"'{which}' is not a date and time: '{text}'.", "ErrorInvalidParameter") from None
