"""A second availability engine, over sorted intervals instead of bits, to measure and check ours by.

It shares with ours what a query is, and no code.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from bench.interval_chain import Chains, Room, size
from bench.intervals import Interval, in_as_many, inward, joined, outward, shrunk, without
from scheduler.query import Limit, Member, Part, Per, Placed, Query


def sweep(query: Query) -> list[tuple[Placed, ...]]:
    """What the engine answers, found another way."""
    spans = inward(query.periods)
    if not spans:
        return []
    margin = max(max(part.before.minimum, part.after.minimum) for part in query.parts)
    people = _People((spans[0][0] - margin, spans[-1][1] + margin))
    able = [
        [[people.able(part, member) for member in group.members] for group in part.groups]
        for part in query.parts
    ]
    starts = [_starts(query, part, groups, spans) for part, groups in zip(query.parts, able, strict=True)]
    found: list[tuple[Placed, ...]] = []
    for first, last in spans:
        here = [each[bisect_left(each, first) : bisect_left(each, last)] for each in starts]
        for answer in Chains(query.parts, here, able, people.rooms).answers():
            found.append(answer)
            if len(found) == query.max_results:
                return found
    return found


class _People:
    """When people are free, and what their limits leave; each worked out once."""

    def __init__(self, whole: Interval) -> None:
        self.whole = whole
        self.free: dict[int, list[Interval]] = {}
        self.rooms: dict[Limit, Room] = {}

    def able(self, part: Part, member: Member) -> list[Interval]:
        """When a part can start as far as a member decides."""
        if id(member.busy) not in self.free:
            self.free[id(member.busy)] = without([self.whole], outward(member.busy))
        starts = shrunk(self.free[id(member.busy)], part.before.minimum, part.duration + part.after.minimum)
        if member.available is None and not member.limits:
            return starts
        allowed = [self.whole] if member.available is None else inward(member.available)
        for limit in member.limits:
            if limit not in self.rooms:
                self.rooms[limit] = _room(limit, self.whole)
            full = [(start, end) for start, end, left in self.rooms[limit] if left < 1]
            allowed = without(allowed, joined(full))
        return in_as_many(2, [starts, shrunk(allowed, 0, part.duration)])


def _starts(query: Query, part: Part, able: list[list[list[Interval]]], spans: list[Interval]) -> list[int]:
    sets = [shrunk(spans, 0, part.duration)]
    sets += [in_as_many(size(group), members) for group, members in zip(part.groups, able, strict=True)]
    step = part.start_interval or 1
    return [
        start
        for begin, end in in_as_many(len(sets), sets)
        for start in _on_grid(query.zone, step, begin, end)
    ]


def _on_grid(zone: tzinfo, step: int, begin: int, end: int) -> Iterable[int]:
    offset = _offset(zone, begin)
    if offset == _offset(zone, end):
        return range(begin + -(begin + offset) % step, end, step)
    return [start for start in range(begin, end) if (start + _offset(zone, start)) % step == 0]


def _offset(zone: tzinfo, minute: int) -> int:
    if zone is UTC:
        return 0
    offset = datetime.fromtimestamp(minute * 60, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60


def _room(limit: Limit, whole: Interval) -> Room:
    """Each day or week of a limit, and how many more events it may have."""
    zone = limit.zone if limit.per is Per.DAY else UTC
    day = datetime.fromtimestamp(whole[0] * 60, zone).date() - timedelta(days=1)
    if limit.per is Per.WEEK:
        day -= timedelta(days=day.weekday())
    bounds: list[int] = []
    while not bounds or bounds[-1] < whole[1]:
        bounds.append(int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) // 60)
        day += timedelta(days=1 if limit.per is Per.DAY else 7)
    events = [(start // 60, -(-end // 60)) for start, end in limit.events if start < end]
    return [
        (start, end, limit.most - sum(one < end and start < other for one, other in events))
        for start, end in pairwise(bounds)
    ]
