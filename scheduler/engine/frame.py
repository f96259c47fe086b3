"""The minutes that matter to a query, numbered one after the other; sets of them are single integers.

They are those of a few windows: the query periods, with the buffers around them. What lies between has no
numbers, which makes the integers of working hours a third as long as those of whole weeks.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import ge
from typing import NamedTuple

from scheduler.engine.minutes import Span, union
from scheduler.query import Part, Period


class Window(NamedTuple):
    """Unix minutes, from the first up to but not including the last, and the number of the first."""

    first: int
    last: int
    number: int


class Frame:
    """Numbers the minutes of windows, which do not touch and are in the order of time.

    After each window a number is left out, which is in no set: nothing lasts from one window into the next.
    """

    def __init__(self, windows: Iterable[Span]) -> None:
        self.windows: list[Window] = []
        self.width = 0
        """More than the highest number."""
        for first, last in windows:
            self.windows.append(Window(first, last, self.width))
            self.width += last - first + 1
        self.first, self.last = self.windows[0].first, self.windows[-1].last
        self._lasts = [window.last for window in self.windows]
        self._numbers = [window.number for window in self.windows]
        self.every = union(Span(number, number + last - first) for first, last, number in self.windows)
        """All its minutes."""

    def number(self, minute: int) -> int:
        """The number of a Unix minute, or of the next one that has one; `width` after all of them."""
        place = bisect_right(self._lasts, minute)
        if place == len(self.windows):
            return self.width
        first, _, number = self.windows[place]
        return number + max(minute - first, 0)

    def numbers(self, span: Span) -> Span:
        """The numbers of Unix minutes that lie in one window."""
        first = self.number(span.first)
        return Span(first, first + span.last - span.first)

    def minute(self, number: int) -> int:
        """The Unix minute of this number."""
        first, _, least = self.windows[bisect_right(self._numbers, number) - 1]
        return first + number - least

    def of(self, spans: Iterable[Span]) -> int:
        """The minutes of spans of Unix minutes."""
        return union(Span(self.number(first), self.number(last)) for first, last in spans) & self.every

    def rounded_in(self, periods: Iterable[Period]) -> int:
        """The minutes that lie wholly in the periods taken together."""
        return self.of(whole_minutes(periods))

    def free(self, periods: Sequence[Period], least: int) -> int:
        """The minutes that none of the periods touches, where there are at least so many of them on end.

        Shorter ones may be in the set or not. What is free is all that is below where busy times start, less
        what is below where they end. Setting single bits for this takes less time than joining large
        integers, once for each of thousands of events.
        """
        if not periods:
            return self.every
        unsorted_starts, unsorted_ends = zip(*periods, strict=True)
        if any(map(ge, unsorted_starts, unsorted_ends)):
            return self.free([period for period in periods if period.start < period.end], least)
        below_starts, below_ends = bytearray(self.width // 8 + 1), bytearray(self.width // 8 + 1)
        windows = iter(self.windows)
        first, last, number = next(windows)
        least_s = least * 60
        # From the n-th of all ends to the n-th of all starts but the first, there is nothing.
        starts = sorted((*unsorted_starts, self.last * 60))
        ends = sorted((*unsorted_ends, self.first * 60))
        for end, start in zip(ends, starts, strict=True):
            if start - end >= least_s:
                begins, over = (end + 59) // 60, start // 60
                while last <= begins:
                    first, last, number = next(windows)
                if over <= first:
                    continue  # it lies between two windows
                bit = number + begins - first if begins > first else number
                below_ends[bit >> 3] |= 1 << (bit & 7)
                while last < over:
                    first, last, number = next(windows)
                bit = number + over - first if over > first else number
                below_starts[bit >> 3] |= 1 << (bit & 7)
        free = int.from_bytes(below_starts, "little") - int.from_bytes(below_ends, "little")
        return free & self.every


def frame_of(parts: Sequence[Part], spans: Sequence[Span]) -> Frame:
    """The frame of the query periods, of which there is one, and the buffers around them."""
    before = max(part.before.minimum for part in parts)
    after = max(part.after.minimum for part in parts)
    windows = [Span(spans[0].first - before, spans[0].last + after)]
    for first, last in spans[1:]:
        if first - before <= windows[-1].last:
            windows[-1] = Span(windows[-1].first, last + after)
        else:
            windows.append(Span(first - before, last + after))
    return Frame(windows)


def whole_minutes(periods: Iterable[Period]) -> list[Span]:
    """Spans of the Unix minutes that lie wholly in the periods, where those that touch or overlap are one."""
    joined: list[Period] = []
    for start, end in sorted(periods):
        if joined and start <= joined[-1].end:
            joined[-1] = Period(joined[-1].start, max(joined[-1].end, end))
        else:
            joined.append(Period(start, end))
    spans = (Span(-(-start // 60), end // 60) for start, end in joined)
    return [span for span in spans if span.first < span.last]
