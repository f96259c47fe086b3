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

    Numbers are left out between windows, and are in no set: nothing lasts from one window into the next. How
    many is such that a number, divided by 60, leaves what its Unix minute does.
    """

    def __init__(self, windows: Iterable[Span]) -> None:
        self.windows: list[Window] = []
        self.width = 0
        """More than the highest number."""
        for first, last in windows:
            number = self.width + (first - self.width) % 60
            self.windows.append(Window(first, last, number))
            self.width = number + last - first + 1
        self.first, self.last = self.windows[0].first, self.windows[-1].last
        self._lasts = [window.last for window in self.windows]
        self._numbers = [window.number for window in self.windows]
        spans = (Span(number, number + last - first) for first, last, number in self.windows)
        self.every = union(spans, self.width)
        """All its minutes."""

    def number(self, minute: int) -> int:
        """The number of a Unix minute, or of the next one that has one; `width` after all of them."""
        place = bisect_right(self._lasts, minute)
        if place == len(self.windows):
            return self.width
        first, _, number = self.windows[place]
        return number + minute - first if minute > first else number

    def numbers(self, span: Span) -> Span:
        """The numbers of Unix minutes that lie in one window."""
        first = self.number(span.first)
        return Span(first, first + span.last - span.first)

    def minute(self, number: int) -> int:
        """The Unix minute of this number."""
        first, _, least = self.windows[bisect_right(self._numbers, number) - 1]
        return first + number - least

    def of(self, spans: Iterable[Span]) -> int:
        """The minutes of spans of Unix minutes, which do not overlap."""
        numbers = (Span(self.number(first), self.number(last)) for first, last in spans)
        return union(numbers, self.width) & self.every

    def rounded_in(self, periods: Iterable[Period]) -> int:
        """The minutes that lie wholly in the periods taken together."""
        return self.of(whole_minutes(periods))

    def free(self, periods: Sequence[Period], least: int) -> int:
        """The minutes that none of the periods touches, where there are at least so many of them on end.

        Shorter ones may be in the set or not. It is made as a `union` is, in one loop: there may be thousands
        of periods.
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
    ordered, spans = sorted(periods), list[Span]()
    begins = ends = ordered[0].start if ordered else 0
    for start, end in ordered:
        if start > ends:
            _add(spans, begins, ends)
            begins = ends = start
        ends = max(ends, end)
    _add(spans, begins, ends)
    return spans


def _add(spans: list[Span], start: int, end: int) -> None:
    first, last = -(-start // 60), end // 60
    if first < last:
        spans.append(Span(first, last))
