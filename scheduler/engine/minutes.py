"""Sets of minutes, each a single integer: bit i is minute i, counted from where a frame begins.

Whole calendars are compared with a few shifts. This is exact, not an approximation: events of whole minutes
overlap a period just where they overlap the period rounded out to whole minutes.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scheduler.query import Period


class Span(NamedTuple):
    """Whole minutes, from the first up to but not including the last."""

    first: int
    last: int


class Frame(NamedTuple):
    """The Unix minute that is bit 0, and how many minutes there are."""

    first: int
    width: int

    @property
    def every(self) -> int:
        """All its minutes."""
        return (1 << self.width) - 1

    def rounded_out(self, periods: Iterable[Period]) -> int:
        """The minutes that any of the periods touches.

        Of numbers apart from each other, what is below all ends less what is below all starts. Setting single
        bits takes less time than joining large integers, once for each of thousands of events.
        """
        first, width = self
        starts, ends = bytearray(width // 8 + 1), bytearray(width // 8 + 1)
        done = 0
        for start, end in sorted(periods):
            begins, over = start // 60 - first, (end + 59) // 60 - first
            if begins < done:  # noqa: PLR1730 - a call of max or min takes half as long as all the rest
                begins = done
            if over > width:  # noqa: PLR1730
                over = width
            if start < end and begins < over:
                starts[begins >> 3] |= 1 << (begins & 7)
                ends[over >> 3] |= 1 << (over & 7)
                done = over
        return int.from_bytes(ends, "little") - int.from_bytes(starts, "little")

    def rounded_in(self, periods: Iterable[Period]) -> int:
        """The minutes that lie wholly in the periods taken together."""
        return self.of(whole_minutes(periods))

    def of(self, spans: Iterable[Span]) -> int:
        """The minutes of these spans of Unix minutes."""
        minutes = 0
        for span in spans:
            first, last = max(span.first - self.first, 0), min(span.last - self.first, self.width)
            if first < last:
                minutes |= ((1 << last - first) - 1) << first
        return minutes


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


class Lasting:
    """From which minutes on a set holds without a break, for one length after the other.

    What lasts 1, 2, 4, 8 … minutes is found once; any length overlaps two of the longest of these that fits.
    """

    def __init__(self, minutes: int) -> None:
        self._doubled = [minutes]

    def of(self, length: int) -> int:
        """The minutes from which `length` minutes on, at least 1, are all in the set."""
        steps = length.bit_length() - 1
        while len(self._doubled) <= steps:
            half = self._doubled[-1]
            self._doubled.append(half & half >> (1 << len(self._doubled) - 1))
        longest = self._doubled[steps]
        return longest & longest >> length - (1 << steps)


def as_bytes(minutes: int, width: int) -> bytes:
    """The set as bytes, eight minutes in each, where some of up to `width` minutes are looked up faster."""
    return minutes.to_bytes(width // 8 + 1, "little")


def between(data: bytes, span: Span) -> int:
    """The minutes of a set given `as_bytes` that lie in the span, counted from its first."""
    found = int.from_bytes(data[span.first >> 3 : span.last + 7 >> 3], "little") >> (span.first & 7)
    return found & (1 << span.last - span.first) - 1


def at_least(count: int, sets: Sequence[int], every: int) -> int:
    """The minutes that are in `count` or more of the sets."""
    reached = [every] + [0] * count
    for minutes in sets:
        for so_many in range(count, 0, -1):
            reached[so_many] |= reached[so_many - 1] & minutes
    return reached[count]


def ahead(minutes: int, least: int, most: int | None) -> int:
    """From where a minute of the set is `least` to `most` minutes ahead; None is however far."""
    found = minutes >> least
    if most is None:
        return (1 << found.bit_length()) - 1
    wide = most - least + 1
    if wide < 1:
        return 0
    done = 1
    while done * 2 <= wide:
        found |= found >> done
        done *= 2
    return found | found >> wide - done


def every_so_many(interval: int, phase: int, width: int) -> int:
    """The minutes up to `width` whose number, increased by `phase`, is a multiple of `interval`."""
    minutes, done = 1, interval
    while done < width + interval:
        minutes |= minutes << done
        done *= 2
    return minutes << -phase % interval & (1 << width) - 1
