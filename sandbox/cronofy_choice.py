"""Which times a link offers, and what is booked when one of them is chosen. No I/O.

No calendar is looked at, nor when members are available: a time is offered if everything fits into a query
period. Parts follow each other as they are listed, each starting as the one before has ended. Of a group of
which all are required everybody takes part, else the first so many.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from sandbox.cronofy_link import CronofyLink, Kind

OFFERED = 6
"""How many times a page shows."""
_STEP = 30
"""Minutes between them unless the request says."""
_REQUEST_MINUTES = 30
"""How long a scheduler request's meeting lasts: Cronofy takes it from preferences that the sandbox lacks."""
Subs = Mapping[str, Sequence[str]]
"""Who is to take part, by `sequence_id`; the whole of a link without a sequence is named by nothing."""


class ChoiceError(ValueError):
    """A choice that cannot be made; the text says why."""


class Part(msgspec.Struct, frozen=True):
    """One event of a link before a time is chosen. `subs` take part unless somebody says otherwise."""

    sequence_id: str | int | None
    event: dict[str, Any]
    duration: timedelta
    members: tuple[str, ...] = ()
    subs: tuple[str, ...] = ()


class Chosen(msgspec.Struct, frozen=True):
    """One event of a link, booked."""

    part: Part
    start: datetime
    end: datetime
    subs: tuple[str, ...]


def parts_of(link: CronofyLink) -> list[Part]:
    """The events of a link, as they are listed in its request."""
    request = link.request
    if link.kind is Kind.REQUEST:
        return [Part(None, request["event"], timedelta(minutes=_REQUEST_MINUTES))]
    if link.kind is Kind.SCHEDULING:
        return [_part(None, request["event"], request["availability"])]
    return [_part(each["sequence_id"], each["event"], each) for each in request["availability"]["sequence"]]


def offered(link: CronofyLink, now: float) -> list[datetime]:
    """The first few times that can be chosen."""
    lasts = sum((part.duration for part in parts_of(link)), timedelta())
    present = datetime.fromtimestamp(now, UTC)
    if link.kind is Kind.REQUEST:
        tomorrow = present.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return [tomorrow + timedelta(minutes=_STEP * number) for number in range(OFFERED)]
    query = link.request["availability"]
    return list(islice((start for start in _starts(query, lasts) if start > present), OFFERED))


def choose(link: CronofyLink, now: float, start: str | None = None, subs: Subs | None = None) -> list[Chosen]:
    """What is booked if `start` is chosen, by default the first time that is offered. Raises ChoiceError."""
    parts, wanted = parts_of(link), dict(subs or {})
    at = _first(link, now) if start is None else _instant(start)
    chosen: list[Chosen] = []
    for part in parts:
        taking = tuple(wanted.pop("" if part.sequence_id is None else str(part.sequence_id), part.subs))
        if strangers := set(taking) - set(part.members):
            raise ChoiceError(f"{strangers.pop()} is no member of part {part.sequence_id!r}")
        chosen.append(Chosen(part, at, at + part.duration, taking))
        at += part.duration
    if wanted:
        raise ChoiceError(f"there is no part {next(iter(wanted))!r}")
    return chosen


def zone_of(link: CronofyLink) -> str:
    """The time zone of a link's event."""
    return str(link.request["event"].get("tzid") or link.request.get("tzid") or "Etc/UTC")


def utc(at: datetime) -> str:
    """A time as Cronofy writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _part(sequence_id: str | int | None, event: dict[str, Any], query: dict[str, Any]) -> Part:
    members: list[str] = []
    picked: list[str] = []
    for group in query["participants"]:
        subs = [member["sub"] for member in group["members"]]
        members += subs
        picked += subs if group["required"] == "all" else subs[: group["required"]]
    lasts = _length(query["required_duration"])
    return Part(sequence_id, event, lasts, tuple(members), tuple(dict.fromkeys(picked)))


def _length(duration: dict[str, Any]) -> timedelta:
    return timedelta(hours=duration.get("hours") or 0, minutes=duration.get("minutes") or 0)


def _starts(query: dict[str, Any], lasts: timedelta) -> Iterator[datetime]:
    if query.get("query_slots"):
        yield from sorted(_instant(slot["start"]) for slot in query["query_slots"])
        return
    first = query["sequence"][0] if "sequence" in query else query
    step = _length(first.get("start_interval") or {"minutes": _STEP})
    periods = query.get("query_periods") or query["available_periods"]
    for start, end in sorted((_instant(each["start"]), _instant(each["end"])) for each in periods):
        at = start
        while at + lasts <= end:
            yield at
            at += step


def _first(link: CronofyLink, now: float) -> datetime:
    times = offered(link, now)
    if not times:
        raise ChoiceError("there is no time left to choose")
    return times[0]


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ChoiceError(f"{text!r} is no time with an offset from UTC")
