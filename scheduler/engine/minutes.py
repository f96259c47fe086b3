"""Sets of minutes, each a single integer: bit i is the minute with the number i in a frame.

Whole calendars are compared with a few shifts. This is exact, not an approximation: events of whole minutes
overlap a period just where they overlap the period rounded out to whole minutes.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Minutes, from the first up to but not including the last."""

    first: int
    last: int


def union(spans: Iterable[Span], width: int) -> int:
    """The minutes of spans that do not overlap and end at `width` at the latest.

    It is all that is below their ends, less all that is below their starts. Setting single bits for that
    takes less time than joining large integers.
    """
    starts, ends = bytearray(width // 8 + 1), bytearray(width // 8 + 1)
    for first, last in spans:
        if first < last:
            starts[first >> 3] |= 1 << (first & 7)
            ends[last >> 3] |= 1 << (last & 7)
    return int.from_bytes(ends, "little") - int.from_bytes(starts, "little")


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


def ahead(minutes: int, least: int, most: int, inside: Lasting) -> int:
    """From where a minute of the set is `least` to `most` minutes ahead, and all up to it are inside."""
    if most < least:
        return 0
    found = minutes >> least & inside.of(least + 1)
    wide, done = most - least + 1, 1
    while done < wide:
        more = min(done, wide - done)
        found |= found >> more & inside.of(more + 1)
        done += more
    return found


def every_so_many(interval: int, width: int) -> int:
    """The multiples of `interval` below `width`."""
    minutes, done = 1, interval
    while done < width:
        minutes |= minutes << done
        done *= 2
    return minutes & (1 << width) - 1
