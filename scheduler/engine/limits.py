"""Limits of events per day or week: what room each of them leaves."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from datetime import tzinfo
from typing import NamedTuple

from scheduler.engine.frame import Frame
from scheduler.engine.local_time import day_bounds, week_bounds
from scheduler.engine.minutes import Span
from scheduler.query import Limit, Per


class Room(NamedTuple):
    """How many more events there may be in each day or week, which begin at `bounds`, Unix minutes.

    An event counts in every day or week that it touches.
    """

    bounds: Sequence[int]
    left: Sequence[int]

    def full(self, frame: Frame) -> int:
        """The minutes of the frame in which there may be no more events."""
        return frame.of(
            Span(self.bounds[place], self.bounds[place + 1])
            for place, left in enumerate(self.left)
            if left < 1
        )

    def is_tight(self, events: int) -> bool:
        """Whether some day or week has room for an event, but not for so many."""
        return any(0 < left < events for left in self.left)

    def fits(self, event: Span, events: Collection[Span]) -> bool:
        """Whether there is room for `events` wherever `event`, which is one of them, counts."""
        return all(
            sum(one.first < self.bounds[place + 1] and self.bounds[place] < one.last for one in events)
            <= self.left[place]
            for place in self.touched(event)
        )

    def touched(self, event: Span) -> range:
        """The places of the days or weeks that the event touches."""
        return _touched(self.bounds, event)


class Rooms:
    """Finds the room that limits leave in a frame, once for equal limits."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._rooms: dict[Limit, Room] = {}
        self._bounds: dict[tuple[Per, tzinfo], list[int]] = {}

    def of(self, limit: Limit) -> Room:
        """The room that this limit leaves."""
        if limit not in self._rooms:
            calendar = (limit.per, limit.zone)
            if calendar not in self._bounds:
                self._bounds[calendar] = bounds_of(limit, self._frame)
            bounds = self._bounds[calendar]
            left = [limit.most] * (len(bounds) - 1)
            for start, end in limit.events:
                if start < end:
                    for place in _touched(bounds, Span(start // 60, -(-end // 60))):
                        left[place] -= 1
            self._rooms[limit] = Room(bounds, left)
        return self._rooms[limit]


def bounds_of(limit: Limit, frame: Frame) -> list[int]:
    """The Unix minutes at which the limit's days or weeks begin, around all minutes of the frame."""
    if limit.per is Per.WEEK:
        return week_bounds(frame.first, frame.last)
    return day_bounds(limit.zone, frame.first, frame.last)


def _touched(bounds: Sequence[int], event: Span) -> range:
    return range(
        max(bisect_right(bounds, event.first) - 1, 0), min(bisect_left(bounds, event.last), len(bounds) - 1)
    )
