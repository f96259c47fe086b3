"""Intervals of minutes in sorted lists, their last minute not included: what the sweep is made of."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from scheduler.query import Period

Interval = tuple[int, int]


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals, with those that touch or overlap made one."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found


def inward(periods: Iterable[Period]) -> list[Interval]:
    """The whole minutes in the periods taken together."""
    merged = joined((start, end) for start, end in periods if start < end)
    return [(-(-start // 60), end // 60) for start, end in merged if -(-start // 60) < end // 60]


def outward(periods: Iterable[Period]) -> list[Interval]:
    """The minutes that the periods touch."""
    return joined((start // 60, -(-end // 60)) for start, end in periods if start < end)


def without(intervals: Sequence[Interval], holes: Sequence[Interval]) -> list[Interval]:
    """What the holes leave of the intervals."""
    left = []
    at = 0
    for start, end in intervals:
        begin = start
        while at < len(holes) and holes[at][1] <= start:
            at += 1
        place = at
        while place < len(holes) and holes[place][0] < end:
            if begin < holes[place][0]:
                left.append((begin, holes[place][0]))
            begin = max(begin, holes[place][1])
            place += 1
        if begin < end:
            left.append((begin, end))
    return left


def in_as_many(count: int, sets: Sequence[Sequence[Interval]]) -> list[Interval]:
    """Where `count` or more of the sets overlap: a sweep over all their ends."""
    ends = sorted(
        [(start, 1) for one in sets for start, _ in one] + [(end, -1) for one in sets for _, end in one]
    )
    found, depth, begin = [], 0, 0
    for at, same in groupby(ends, key=lambda end: end[0]):
        before, depth = depth, depth + sum(step for _, step in same)
        if before < count <= depth:
            begin = at
        elif depth < count <= before:
            found.append((begin, at))
    return found


def shrunk(intervals: Iterable[Interval], before: int, after: int) -> list[Interval]:
    """Which minutes have so many of the same interval before them, and so many from them on."""
    return [(start + before, end - after + 1) for start, end in intervals if end - start >= before + after]
