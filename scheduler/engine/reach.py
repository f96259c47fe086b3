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


def orders(parts: Sequence[Part]) -> list[Order]:
    """The orders that the ordinals allow, those closer to how the parts are listed first."""

    def step(place: int) -> tuple[bool, int]:
        ordinal = parts[place].ordinal
        return (True, place) if ordinal is None else (False, ordinal)

    steps = [tuple(same) for _, same in groupby(sorted(range(len(parts)), key=step), key=step)]
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

    All query periods are looked at together, and what each tail of an order needs is worked out once.
    """

    def __init__(
        self, starts: Sequence[int], inside: Lasting, leads: Sequence[Sequence[Lead]], width: int
    ) -> None:
        self._inside, self._width = inside, width
        self.leads = leads
        self._minutes: dict[Order, int] = {(part,): minutes for part, minutes in enumerate(starts)}
        self._bytes: dict[Order, bytes] = {}

    def within(self, order: Order, span: Span) -> int:
        """The starts of the first part from which all others can follow, counted from the span's first."""
        if order not in self._bytes:
            self._bytes[order] = as_bytes(self._of(order), self._width)
        return between(self._bytes[order], span)

    def _of(self, order: Order) -> int:
        if order not in self._minutes:
            first, *_ = order
            minutes = self._of(order[:1])
            if minutes:
                least, most = self.leads[first][order[1]]
                minutes &= ahead(self._of(order[1:]), least, most, self._inside)
            self._minutes[order] = minutes
        return self._minutes[order]
