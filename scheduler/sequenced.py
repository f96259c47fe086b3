"""A sequenced availability query: what was asked, what of the calendars matters to it, what is answered.

Pure; the calendars are read in between. `calendars_of` and `period_to_read` say what of them is needed,
`query_of` puts what they hold into the engine's words, `answer_of` what the engine found into Cronofy's.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace

from scheduler.busy import NOTHING, Excluded, busy_periods, counted_periods, to_read
from scheduler.engine.frame import whole_minutes
from scheduler.query import MOST_RESULTS, Group, Limit, Member, Part, Period, Query, Sequence
from workers.calendars.reading import CalendarEvent

Events = Mapping[str, tuple[CalendarEvent, ...] | None]
"""What is in each calendar, by our name of it. None, or no entry: it could not be read."""


class AskedLimit(msgspec.Struct, frozen=True):
    """An availability constraint; of a person's events it counts those with all of the tags."""

    limit: Limit
    tags: frozenset[str] = frozenset()


class AskedMember(msgspec.Struct, frozen=True):
    """A person as a member of one group, and which of their calendars matter there."""

    sub: str
    calendars: tuple[str, ...]
    available: tuple[Period, ...] | None = None
    ignore_tentative: bool = False
    limits: tuple[AskedLimit, ...] = ()


class AskedGroup(msgspec.Struct, frozen=True):
    """People of whom `required` take part, or all."""

    members: tuple[AskedMember, ...]
    required: int | None = None


class AskedPart(msgspec.Struct, frozen=True):
    """One event of the sequence; `part` is all of it but its groups."""

    part: Part
    groups: tuple[AskedGroup, ...]


class SequencedRequest(msgspec.Struct, frozen=True):
    """A request that was found sound."""

    periods: tuple[Period, ...]
    parts: tuple[AskedPart, ...]
    zone: tzinfo = UTC
    max_results: int = MOST_RESULTS
    excluded: Excluded = NOTHING

    @property
    def members(self) -> list[AskedMember]:
        """Everybody, as often as they are members of a group."""
        return [member for part in self.parts for group in part.groups for member in group.members]


def calendars_of(request: SequencedRequest) -> dict[str, bool]:
    """The calendars to read, by our names: True where each event matters, False where busy times will do."""
    details: dict[str, bool] = {}
    for member in request.members:
        needed = request.excluded != NOTHING or member.ignore_tentative or bool(member.limits)
        for name in member.calendars:
            details[name] = details.get(name, False) or needed
    return details


def period_to_read(request: SequencedRequest) -> Period:
    """From when to when the calendars matter."""
    if not whole_minutes(request.periods):  # of 9:00:30 to 9:01:30, nothing does
        return Period(min(request.periods).start, max(period.end for period in request.periods))
    return to_read(query_of(request, dict.fromkeys(calendars_of(request), ())))


def query_of(request: SequencedRequest, events: Events) -> Query:
    """The question to the engine. A person of whom a calendar could not be read is never available."""
    calendars = _Calendars(events, request.excluded)
    parts = tuple(
        replace(
            asked.part,
            groups=tuple(
                Group(tuple(map(calendars.member, group.members)), group.required) for group in asked.groups
            ),
        )
        for asked in request.parts
    )
    return Query(request.periods, parts, request.zone, request.max_results)


def unavailable(request: SequencedRequest, events: Events) -> tuple[str, ...]:
    """The people who are not available because a calendar of theirs could not be read."""
    return tuple(
        dict.fromkeys(
            member.sub
            for member in request.members
            if any(events.get(name) is None for name in member.calendars)
        )
    )


def answer_of(sequences: Collection[Sequence]) -> dict[str, Any]:
    """The answer, as JSON shows it: instants in UTC, everybody who takes part once."""
    instant, people = cache(_instant), cache(_people)
    shown: dict[int, dict[str, Any]] = {}  # by identity: the engine has one object for a part at one time
    answer = []
    for sequence in sequences:
        for placed in sequence:
            if id(placed) not in shown:
                shown[id(placed)] = {
                    "sequence_id": placed.sequence_id,
                    "start": instant(placed.start),
                    "end": instant(placed.end),
                    "participants": people(placed.groups),
                }
        answer.append({"sequence": [shown[id(placed)] for placed in sequence]})
    return {"sequences": answer}


class _Calendars:
    """What is in the calendars, as it is for the members; those who are equal share one tuple of `busy`."""

    def __init__(self, events: Events, excluded: Excluded) -> None:
        self._events, self._excluded = events, excluded
        self._busy: dict[tuple[tuple[str, ...], bool], tuple[Period, ...]] = {}

    def member(self, asked: AskedMember) -> Member:
        events = self._of(asked.calendars)
        if events is None:
            return Member(asked.sub, available=())
        key = asked.calendars, asked.ignore_tentative
        if key not in self._busy:
            self._busy[key] = busy_periods(
                events, ignore_tentative=asked.ignore_tentative, excluded=self._excluded
            )
        limits = tuple(
            replace(
                each.limit,
                events=counted_periods(events, tags=each.tags, excluded=self._excluded),
            )
            for each in asked.limits
        )
        return Member(asked.sub, self._busy[key], asked.available, limits)

    def _of(self, calendars: tuple[str, ...]) -> list[CalendarEvent] | None:
        """All events of these calendars; None if one of them could not be read."""
        found: list[CalendarEvent] = []
        for name in calendars:
            events = self._events.get(name)
            if events is None:
                return None
            found += events
        return found


def _instant(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}Z"


def _people(groups: tuple[tuple[str, ...], ...]) -> list[dict[str, str]]:
    return [{"sub": sub} for sub in dict.fromkeys(sub for group in groups for sub in group)]
