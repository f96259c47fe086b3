"""Orders of parts, and from which starts on, in a given order, all of them can follow."""

from collections.abc import Sequence
from itertools import chain, groupby, permutations, product
from typing import NamedTuple

from scheduler.engine.minutes import Lasting, Span, ahead, as_bytes, between
from scheduler.query import Part

Order = tuple[int, ...]
"""Parts in the order of time, by their places in the query."""


class Lead(NamedTuple):
    """Minutes from the start of a part to the start of the one after it."""

    least: int
    most: int


def steps(parts: Sequence[Part]) -> list[Order]:
    """The steps of the sequence: parts that may come in any order, as they are listed."""

    def step(place: int) -> tuple[bool, int]:
        ordinal = parts[place].ordinal
        return (True, place) if ordinal is None else (False, ordinal)

    return [tuple(same) for _, same in groupby(sorted(range(len(parts)), key=step), key=step)]


def orders(steps: Sequence[Order]) -> list[Order]:
    """The orders that the steps allow, those closer to how the parts are listed first."""
    return [tuple(chain(*each)) for each in product(*map(permutations, steps))]


def leads(parts: Sequence[Part], longest: int) -> list[list[Lead]]:
    """The lead of each part on each other that comes next, in query periods of at most `longest` minutes.

    The gap between them is at most the buffers' maximum. Who has to take both is not free around the one
    while in the other: then it is at least the buffers' minimum.
    """
    needed = [
        {member.sub for group in part.groups if group.size == len(group.members) for member in group.members}
        for part in parts
    ]

    def lead(before: int, after: int) -> Lead:
        one, other = parts[before], parts[after]
        least = max(one.after.minimum, other.before.minimum) if needed[before] & needed[after] else 0
        most = [gap for gap in (one.after.maximum, other.before.maximum) if gap is not None]
        return Lead(one.duration + least, one.duration + min(most) if most else longest)

    places = range(len(parts))
    return [[lead(before, after) for after in places] for before in places]


class Reach:
    """From which starts on parts can follow each other, all in the same query period.

    All query periods are looked at together, and what each rest of a sequence needs is worked out once.
    """

    def __init__(
        self,
        starts: Sequence[int],
        inside: Lasting,
        leads: Sequence[Sequence[Lead]],
        steps: Sequence[Order],
        longest: int,
        width: int,
    ) -> None:
        self._starts, self._inside, self._width = starts, inside, width
        self.leads, self.steps = leads, steps
        self.parts: Order = tuple(chain(*steps))
        """All parts, step by step."""
        self.longest = longest
        """Minutes of the longest query period."""
        self._minutes: dict[Order, int] = {}
        self._bytes: dict[tuple[Order, bool], bytes] = {}
        self._open: dict[Order, int] = {}

    def within(self, order: Order, span: Span) -> int:
        """The starts of the first part from which all others can follow in this order, from the span's first."""
        key = (order, True)
        if key not in self._bytes:
            self._bytes[key] = as_bytes(self._of(order), self._width)
        return between(self._bytes[key], span)

    def open_within(self, part: int, rest: Order, span: Span) -> int:
        """The starts of a part from which the rest can follow in any order that is allowed, likewise."""
        key = ((part, *rest), False)
        if key not in self._bytes:
            self._bytes[key] = as_bytes(self._open_of(part, rest), self._width)
        return between(self._bytes[key], span)

    def nexts(self, rest: Order) -> Order:
        """The parts of a rest that may come first."""
        for step in self.steps:
            found = tuple([part for part in rest if part in step])
            if found:
                return found
        return ()

    def _of(self, order: Order) -> int:
        if order not in self._minutes:
            first, *_ = order
            minutes = self._starts[first]
            if minutes and len(order) > 1:
                least, most = self.leads[first][order[1]]
                minutes &= ahead(self._of(order[1:]), least, most, self._inside)
            self._minutes[order] = minutes
        return self._minutes[order]

    def _open_of(self, part: int, rest: Order) -> int:
        key = (part, *rest)
        if key not in self._open:
            minutes, follows = self._starts[part], 0 if rest else -1
            for after in self.nexts(rest) if minutes else ():
                least, most = self.leads[part][after]
                follows |= ahead(self._open_of(after, without(rest, after)), least, most, self._inside)
            self._open[key] = minutes & follows
        return self._open[key]


def without(parts: Order, part: int) -> Order:
    """The other parts, in the same order."""
    return tuple([each for each in parts if each != part])
