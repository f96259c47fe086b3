"""What the availability engine should answer, found by trying everything, minute after minute.

Straight from the definitions and nothing else: no code of the engine's, no cleverness. Only for small queries.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import combinations, permutations, product
from typing import NamedTuple

from scheduler.query import Limit, Member, Part, Per, Period, Placed, Query


class Meeting(NamedTuple):
    """A part with its time, in Unix minutes."""

    listed: int
    part: Part
    start: int

    @property
    def end(self) -> int:
        return self.start + self.part.duration


Seats = tuple[tuple[Member, ...], ...]
"""Who takes part: some of the members of each group."""


def find_all(query: Query) -> list[tuple[Placed, ...]]:
    """The best sequence of each first start."""
    starts = [possible_starts(query, part) for part in query.parts]
    found: dict[int, list[tuple[int, int, list[Meeting]]]] = {}
    for rank, order in enumerate(allowed_orders(query.parts)):
        for meetings in ways(query, order, starts, []):
            found.setdefault(meetings[0].start, []).append((meetings[-1].end, rank, meetings))
    answers = []
    for first in sorted(found):
        for _, _, meetings in sorted(found[first], key=tightness):
            seats = first_seats(meetings)
            if seats is not None:
                answers.append(tuple(map(placed, meetings, seats)))
                break
    return answers[: query.max_results]


def tightness(way: tuple[int, int, list[Meeting]]) -> tuple[int, int, list[int]]:
    """What ends first comes first; then what is in the earlier order, then what has the earlier starts."""
    end, rank, meetings = way
    return end, rank, [meeting.start for meeting in meetings]


def allowed_orders(parts: Sequence[Part]) -> list[list[int]]:
    """The orders in which no part with an ordinal comes after a higher one, and no part without one moves."""

    def allowed(order: Sequence[int]) -> bool:
        return all(follows(parts, one, other) for at, one in enumerate(order) for other in order[at + 1 :])

    return [list(order) for order in permutations(range(len(parts))) if allowed(order)]


def follows(parts: Sequence[Part], one: int, other: int) -> bool:
    first, second = parts[one].ordinal, parts[other].ordinal
    if first is None:
        return second is None and one < other
    return second is None or first <= second


def ways(
    query: Query, order: Sequence[int], starts: list[list[int]], before: list[Meeting]
) -> Iterator[list[Meeting]]:
    """All ways to place the parts in this order, whoever takes part."""
    if len(before) == len(order):
        yield before
        return
    listed = order[len(before)]
    for start in starts[listed]:
        meeting = Meeting(listed, query.parts[listed], start)
        if not before or fits_behind(query, before, meeting):
            yield from ways(query, order, starts, [*before, meeting])


def fits_behind(query: Query, before: list[Meeting], meeting: Meeting) -> bool:
    """Whether the gap is allowed, and the query period goes on from the first part to the end of this one."""
    previous = before[-1]
    gap = meeting.start - previous.end
    least = 0
    if {*who_has_to(previous.part)} & {*who_has_to(meeting.part)}:
        least = max(previous.part.after.minimum, meeting.part.before.minimum)
    most = [previous.part.after.maximum, meeting.part.before.maximum]
    return (
        gap >= least
        and all(maximum is None or gap <= maximum for maximum in most)
        and all(covered(query.periods, minute) for minute in range(before[0].start, meeting.end))
    )


def who_has_to(part: Part) -> list[str]:
    """Those without whom the part does not take place."""
    return [
        member.sub
        for group in part.groups
        if group.required in (None, len(group.members))
        for member in group.members
    ]


def possible_starts(query: Query, part: Part) -> list[int]:
    """The minutes at which a part alone could start."""
    first = min(period.start for period in query.periods) // 60
    last = max(period.end for period in query.periods) // 60 + 1
    return [minute for minute in range(first, last) if could_start(query, part, minute)]


def could_start(query: Query, part: Part, start: int) -> bool:
    if part.start_interval is not None:
        clock = local(query.zone, start)
        if (clock.hour * 60 + clock.minute) % part.start_interval:
            return False
    if not all(covered(query.periods, minute) for minute in range(start, start + part.duration)):
        return False
    return all(
        sum(can_take(member, part, start) for member in group.members) >= needed
        for group in part.groups
        for needed in [len(group.members) if group.required is None else group.required]
    )


def can_take(member: Member, part: Part, start: int) -> bool:
    """Whether someone could take the part, if it were the only one."""
    end = start + part.duration
    if any(
        busy(member.busy, minute) for minute in range(start - part.before.minimum, end + part.after.minimum)
    ):
        return False
    if member.available is not None and not all(
        covered(member.available, minute) for minute in range(start, end)
    ):
        return False
    return within_limits(member, Meeting(0, part, start), [Meeting(0, part, start)])


def first_seats(meetings: list[Meeting]) -> list[Seats] | None:
    """The first, as listed, of all ways to fill the groups with which everyone keeps their limits."""
    for seats in product(*(seats_of(meeting) for meeting in meetings)):
        if all(
            within_limits(member, meeting, sub_meetings(meetings, seats, member.sub))
            for meeting, taken in zip(meetings, seats, strict=True)
            for group in taken
            for member in group
        ):
            return list(seats)
    return None


def seats_of(meeting: Meeting) -> list[Seats]:
    """All ways to fill the groups of one part."""
    return list(
        product(
            *(
                combinations(
                    [member for member in group.members if can_take(member, meeting.part, meeting.start)],
                    len(group.members) if group.required is None else group.required,
                )
                for group in meeting.part.groups
            )
        )
    )


def sub_meetings(meetings: list[Meeting], seats: Sequence[Seats], sub: str) -> list[Meeting]:
    """The parts that a person takes."""
    return [
        meeting
        for meeting, taken in zip(meetings, seats, strict=True)
        if any(member.sub == sub for group in taken for member in group)
    ]


def within_limits(member: Member, meeting: Meeting, theirs: list[Meeting]) -> bool:
    """Whether in each day or week that the part touches there are no more events than the limit."""
    for limit in member.limits:
        for when in touched(limit, meeting.start * 60, meeting.end * 60):
            there = sum(when in touched(limit, event.start, event.end) for event in limit.events)
            new = sum(when in touched(limit, one.start * 60, one.end * 60) for one in theirs)
            if there + new > limit.most:
                return False
    return True


def touched(limit: Limit, start: int, end: int) -> set[object]:
    """The days or weeks of a limit that something touches, from its first second to its last."""
    if end <= start:
        return set()
    zone = limit.zone if limit.per is Per.DAY else UTC
    day, last = (datetime.fromtimestamp(second, zone).date() for second in (start, end - 1))
    found: set[object] = set()
    while day <= last:
        found.add(day if limit.per is Per.DAY else week(day))
        day += timedelta(days=1)
    return found


def week(day: date) -> tuple[int, int]:
    year, number, _ = day.isocalendar()
    return year, number


@lru_cache(20_000)
def covered(periods: tuple[Period, ...], minute: int) -> bool:
    """Whether every second of the minute is in one of the periods."""
    return all(
        any(start <= second < end for start, end in periods)
        for second in range(minute * 60, minute * 60 + 60)
    )


@lru_cache(20_000)
def busy(periods: tuple[Period, ...], minute: int) -> bool:
    """Whether any second of the minute is in one of the periods."""
    return any(max(start, minute * 60) < min(end, minute * 60 + 60) for start, end in periods)


def local(zone: tzinfo, minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, zone)


def placed(meeting: Meeting, seats: Seats) -> Placed:
    return Placed(
        meeting.part.sequence_id,
        meeting.start * 60,
        meeting.end * 60,
        tuple(tuple(member.sub for member in group) for group in seats),
    )
