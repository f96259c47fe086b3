"""What the availability engine should answer, found by trying everything.

Straight from the definitions and nothing else: no code of the engine's, no cleverness. Only for queries of few
starts, which may be of weeks.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
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
    """The best sequence of each first start: every sequence is tried that could end before the best so far."""
    starts = [possible_starts(query, part) for part in query.parts]
    orders = allowed_orders(query.parts)
    answers = []
    for first in sorted({start for order in orders for start in starts[order[0]]}):
        best: Tightness | None = None
        for rank, order in enumerate(orders):
            if first in starts[order[0]]:
                meeting = Meeting(order[0], query.parts[order[0]], first)
                best = tightest(query, (rank, order), starts, [meeting], best)
        if best is not None:
            seats = first_seats(best[-1])
            assert seats is not None
            answers.append(tuple(map(placed, best[-1], seats)))
            if len(answers) == query.max_results:
                break
    return answers


Tightness = tuple[int, int, list[int], list[Meeting]]
"""What ends first comes first; then what is in the earlier order, then what has the earlier starts."""


def tightest(
    query: Query,
    ranked: tuple[int, Sequence[int]],
    starts: list[list[int]],
    before: list[Meeting],
    best: Tightness | None,
) -> Tightness | None:
    """The best of `best` and all that goes on from the parts that are placed, in one order."""
    if first_seats(before) is None:  # nor could they be taken with others beside them
        return best
    rank, order = ranked
    if len(before) == len(order):
        found = (before[-1].end, rank, [meeting.start for meeting in before], before)
        return found if best is None or found[:3] < best[:3] else best
    listed = order[len(before)]
    still = sum(query.parts[other].duration for other in order[len(before) :])
    for start in starts[listed]:
        if start < before[-1].end:
            continue
        if best is not None and start + still > best[0]:
            break
        meeting = Meeting(listed, query.parts[listed], start)
        if fits_behind(query, before, meeting):
            best = tightest(query, ranked, starts, [*before, meeting], best)
    return best


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


def fits_behind(query: Query, before: list[Meeting], meeting: Meeting) -> bool:
    """Whether the gap is allowed, and the query period goes on from the first part to the end of this one."""
    previous = before[-1]
    gap = meeting.start - previous.end
    most = [previous.part.after.maximum, meeting.part.before.maximum]
    return (
        gap >= 0
        and all(maximum is None or gap <= maximum for maximum in most)
        and covered(query.periods, before[0].start, meeting.end)
    )


def possible_starts(query: Query, part: Part) -> list[int]:
    """The minutes at which a part alone could start. No zone of ours is off by less than five minutes."""
    first = min(period.start for period in query.periods) // 300 * 5
    last = max(period.end for period in query.periods) // 60 + 1
    step = 1 if part.start_interval is None else 5
    return [minute for minute in range(first, last, step) if could_start(query, part, minute)]


def could_start(query: Query, part: Part, start: int) -> bool:
    if part.start_interval is not None:
        clock = local(query.zone, start)
        if (clock.hour * 60 + clock.minute) % part.start_interval:
            return False
    if not covered(query.periods, start, start + part.duration):
        return False
    return all(
        sum(can_take(member, part, start) for member in group.members) >= needed
        for group in part.groups
        for needed in [len(group.members) if group.required is None else group.required]
    )


def can_take(member: Member, part: Part, start: int) -> bool:
    """Whether someone could take the part, if it were the only one."""
    end = start + part.duration
    if busy(member.busy, start - part.before.minimum, end + part.after.minimum):
        return False
    if member.available is not None and not covered(member.available, start, end):
        return False
    return within_limits(member, Meeting(0, part, start), [Meeting(0, part, start)])


def first_seats(meetings: list[Meeting], taken: tuple[Seats, ...] = ()) -> list[Seats] | None:
    """The first, as listed, of all ways to fill the groups with which everyone keeps limits and buffers."""
    if not all_right(meetings, taken):
        return None
    if len(taken) == len(meetings):
        return list(taken)
    for seats in seats_of(meetings[len(taken)]):
        found = first_seats(meetings, (*taken, seats))
        if found is not None:
            return found
    return None


def all_right(meetings: list[Meeting], seats: Sequence[Seats]) -> bool:
    """Whether everybody may take what they take of the first parts."""
    seated = meetings[: len(seats)]
    for meeting, taken in zip(seated, seats, strict=True):
        for group in taken:
            for member in group:
                theirs = sub_meetings(seated, seats, member.sub)
                if not within_limits(member, meeting, theirs) or not apart(theirs):
                    return False
    return True


def apart(theirs: list[Meeting]) -> bool:
    """Whether the buffers between any two parts of one person are kept."""
    return all(
        other.start - one.end >= max(one.part.after.minimum, other.part.before.minimum)
        for at, one in enumerate(theirs)
        for other in theirs[at + 1 :]
    )


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


def covered(periods: tuple[Period, ...], first: int, last: int) -> bool:
    """Whether every second of these minutes is in one of the periods."""
    second = first * 60
    while second < last * 60:
        ends = [end for start, end in periods if start <= second < end]
        if not ends:
            return False
        second = max(ends)
    return True


def busy(periods: tuple[Period, ...], first: int, last: int) -> bool:
    """Whether any second of these minutes is in one of the periods."""
    return any(max(start, first * 60) < min(end, last * 60) for start, end in periods)


def local(zone: tzinfo, minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, zone)


def placed(meeting: Meeting, seats: Seats) -> Placed:
    return Placed(
        meeting.part.sequence_id,
        meeting.start * 60,
        meeting.end * 60,
        tuple(tuple(member.sub for member in group) for group in seats),
    )
