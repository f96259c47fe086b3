"""Limits of events per day or week: how many more each of these may have."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import tzinfo
from typing import NamedTuple

from scheduler.engine.frame import Frame
from scheduler.engine.local_time import day_bounds, week_bounds
from scheduler.engine.minutes import Span
from scheduler.query import Limit, Per


class Headroom(NamedTuple):
    """How many more events there may be in each day or week, which begin at `bounds`, Unix minutes.

    An event counts in every day or week that it touches.
    """

    bounds: tuple[int, ...]
    left: tuple[int, ...]

    def full(self, frame: Frame) -> int:
        """The minutes of the frame in which there may be no more events."""
        return frame.of(
            Span(self.bounds[place], self.bounds[place + 1])
            for place, left in enumerate(self.left)
            if left < 1
        )

    def tight(self, events: int) -> list[int]:
        """The places of the days or weeks that may have an event, but not so many."""
        return [place for place, left in enumerate(self.left) if 0 < left < events]

    def touched(self, event: Span) -> range:
        """The places of the days or weeks that the event touches."""
        return _touched(self.bounds, event)


class Headrooms:
    """Finds the headroom that limits leave in a frame, once for equal limits."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._found: dict[Limit, Headroom] = {}
        self._bounds: dict[tuple[Per, tzinfo], tuple[int, ...]] = {}

    def of(self, limit: Limit) -> Headroom:
        """The headroom that this limit leaves."""
        if limit not in self._found:
            calendar = (limit.per, limit.zone)
            if calendar not in self._bounds:
                self._bounds[calendar] = tuple(bounds_of(limit, self._frame))
            bounds = self._bounds[calendar]
            left = [limit.most] * (len(bounds) - 1)
            for start, end in limit.events:
                if start < end:
                    for place in _touched(bounds, Span(start // 60, -(-end // 60))):
                        left[place] -= 1
            self._found[limit] = Headroom(bounds, tuple(left))
        return self._found[limit]


def bounds_of(limit: Limit, frame: Frame) -> list[int]:
    """The Unix minutes at which the limit's days or weeks begin, around all minutes of the frame."""
    if limit.per is Per.WEEK:
        return week_bounds(frame.first, frame.last)
    return day_bounds(limit.zone, frame.first, frame.last)


def _touched(bounds: Sequence[int], event: Span) -> range:
    return range(
        max(bisect_right(bounds, event.first) - 1, 0), min(bisect_left(bounds, event.last), len(bounds) - 1)
    )
