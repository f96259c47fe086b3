"""Chains of parts in one query period: the starts of each, one after the other."""

from collections.abc import Sequence

from scheduler.engine.minutes import Span
from scheduler.engine.order import Order
from scheduler.engine.reach import Reach


class Chain:
    """What can follow what within one query period; minutes are those of the frame."""

    def __init__(self, reach: Reach, within: Span, durations: Sequence[int]) -> None:
        self._reach, self._within, self._durations = reach, within, durations
        self.over = within.last
        """Where the query period ends."""
        self.shortest = sum(durations)
        """Minutes that no sequence is shorter than."""
        self.steps = reach.steps
        self._texts: dict[Order, str] = {}
        self._open: dict[tuple[int, Order], str] = {}
        self._ways: dict[Order, list[tuple[str, int]]] = {}

    def next_start(self, order: Order, earliest: int) -> int:
        """The next start of the first part from which all the others can follow, `over` if there is none."""
        first = self._within.first
        start = self._text(order).find("1", max(earliest - first, 0))
        return self.over if start < 0 else start + first

    def next_open(self, part: int, rest: Order, earliest: int) -> int:
        """The next start of a part from which the rest can follow in some order, `over` if there is none."""
        text, first = self._open.get((part, rest)), self._within.first
        if text is None:
            text = f"{self._reach.open_within(part, rest, self._within):b}"[::-1]
            self._open[part, rest] = text
        start = text.find("1", max(earliest - first, 0))
        return self.over if start < 0 else start + first

    def least_end(self, part: int, rest: Order, start: int) -> int:
        """Before which no sequence ends of a part that starts then, and the rest."""
        return start + self._durations[part] + sum([self._durations[each] for each in rest])

    def is_loose(self, part: int, rest: Order) -> bool:
        """Whether the rest may follow the part however long after it."""
        return all(self._reach.leads[part][each].most >= self._reach.longest for each in rest)

    def window(self, part: int, start: int, following: int) -> tuple[int, int]:
        """Between which starts another part can follow one that has this start."""
        least, most = self._reach.leads[part][following]
        return start + least, start + most

    def tightest(self, order: Order, start: int) -> tuple[int, ...]:
        """The starts of all parts, each as early as can be, where the first has one of its `next_start`s.

        Nothing in this order ends earlier: where something can follow a later start, it, or something before
        it, can follow an earlier one.
        """
        starts, first = [start], self._within.first
        for text, least in self._hops(order):
            start = text.find("1", start + least - first) + first
            starts.append(start)
        return tuple(starts)

    def end(self, order: Order, starts: Sequence[int]) -> int:
        """When the last part of the order ends."""
        return starts[-1] + self._durations[order[-1]]

    def _text(self, order: Order) -> str:
        """The starts from which all others can follow, as a text, in which the next "1" is found at once."""
        if order not in self._texts:
            self._texts[order] = f"{self._reach.within(order, self._within):b}"[::-1]
        return self._texts[order]

    def _hops(self, order: Order) -> list[tuple[str, int]]:
        """Where to look for the starts of all parts but the first, and from how long after the one before."""
        if order not in self._ways:
            self._ways[order] = [
                (self._text(order[place:]), self._reach.leads[order[place - 1]][order[place]].least)
                for place in range(1, len(order))
            ]
        return self._ways[order]
