"""From which starts on the parts of a sequence can follow each other."""

from collections.abc import Sequence
from typing import NamedTuple

from scheduler.engine.minutes import Lasting, Span, ahead, as_bytes, between
from scheduler.engine.order import Order, Steps, without
from scheduler.query import Part


class Lead(NamedTuple):
    """Minutes from the start of a part to the start of the one after it."""

    least: int
    most: int


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
        steps: Steps,
        longest: int,
        width: int,
    ) -> None:
        self._starts, self._inside, self._width = starts, inside, width
        self.leads, self.steps = leads, steps
        self.longest = longest
        """Minutes of the longest query period."""
        self._minutes: dict[Order, int] = {}
        self._bytes: dict[tuple[Order, bool], bytes] = {}
        self._open: dict[Order, int] = {}

    def within(self, order: Order, span: Span) -> int:
        """The starts of the first part from which the others can follow so, counted from the span's first."""
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
            for after in self.steps.nexts(rest) if minutes else ():
                least, most = self.leads[part][after]
                follows |= ahead(self._open_of(after, without(rest, after)), least, most, self._inside)
            self._open[key] = minutes & follows
        return self._open[key]
