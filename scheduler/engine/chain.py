"""Chains of parts in one query period: from which starts on, in a given order, all of them can follow."""

from collections.abc import Sequence
from itertools import chain, groupby, permutations, product
from typing import NamedTuple

from scheduler.engine.minutes import Span, ahead, between
from scheduler.query import Part

Order = tuple[int, ...]
"""Parts in the order of time, by their places in the query."""


class Gap(NamedTuple):
    """Minutes between a part and the one after it; None is as many as there are."""

    least: int
    most: int | None


def orders(parts: Sequence[Part]) -> list[Order]:
    """The orders that the ordinals allow, those closer to how the parts are listed first."""

    def step(place: int) -> tuple[bool, int]:
        ordinal = parts[place].ordinal
        return (True, place) if ordinal is None else (False, ordinal)

    steps = [tuple(same) for _, same in groupby(sorted(range(len(parts)), key=step), key=step)]
    return [tuple(chain(*each)) for each in product(*map(permutations, steps))]


def gaps(parts: Sequence[Part]) -> list[list[Gap]]:
    """The gap from each part to each other that comes next: at most the buffers' maximum.

    Who has to take both is not free around the one while in the other: then at least the buffers' minimum.
    """
    needed = [
        {member.sub for group in part.groups if group.size == len(group.members) for member in group.members}
        for part in parts
    ]
    return [
        [
            Gap(
                max(one.after.minimum, other.before.minimum) if needed[before] & needed[after] else 0,
                min(
                    (most for most in (one.after.maximum, other.before.maximum) if most is not None),
                    default=None,
                ),
            )
            for after, other in enumerate(parts)
        ]
        for before, one in enumerate(parts)
    ]


class Chain:
    """The starts of each part, given `as_bytes`, within one query period, and what can follow on them.

    Minutes are those of the frame. What each tail of an order needs is worked out once.
    """

    def __init__(
        self,
        starts: Sequence[bytes],
        within: Span,
        durations: Sequence[int],
        gaps: Sequence[Sequence[Gap]],
    ) -> None:
        self._first, self._within = within.first, within
        self._starts, self._durations, self._gaps = starts, durations, gaps
        self._here: dict[int, int] = {}
        self.shortest = sum(durations)
        """Minutes that no sequence is shorter than."""
        self._reach: dict[Order, int] = {}
        self._texts: dict[Order, str] = {}
        self._ways: dict[Order, list[tuple[str, int]]] = {}

    def holds(self, order: Order) -> bool:
        """Whether all the parts find room in this order."""
        return bool(self._reached(order))

    def next_start(self, order: Order, earliest: int) -> int | None:
        """The next start of the first part from which all the others can follow."""
        start = self._text(order).find("1", max(earliest - self._first, 0))
        return None if start < 0 else start + self._first

    def window(self, part: int, start: int, following: int) -> tuple[int, int | None]:
        """Between which starts another part can follow one that has this start; None is however late."""
        least, most = self._gaps[part][following]
        end = start + self._durations[part]
        return end + least, None if most is None else end + most

    def tightest(self, order: Order, start: int) -> tuple[int, ...]:
        """The starts of all parts, each as early as can be, where the first has one of its `next_start`s.

        Nothing in this order ends earlier: where something can follow a later start, it, or something before
        it, can follow an earlier one.
        """
        starts = [start]
        for text, later in self._hops(order):
            start = text.find("1", start + later - self._first) + self._first
            starts.append(start)
        return tuple(starts)

    def end(self, order: Order, starts: Sequence[int]) -> int:
        """When the last part of the order ends."""
        return starts[-1] + self._durations[order[-1]]

    def _reached(self, order: Order) -> int:
        """The starts of the first part from which all others can follow, counted from the query period's."""
        if order not in self._reach:
            part, rest = order[0], order[1:]
            if part not in self._here:
                self._here[part] = between(self._starts[part], self._within)
            minutes = self._here[part]
            if rest and minutes:
                earliest, latest = self.window(part, 0, rest[0])
                minutes &= ahead(self._reached(rest), earliest, latest)
            self._reach[order] = minutes
        return self._reach[order]

    def _text(self, order: Order) -> str:
        """The same as a text, in which the next "1" is found at once."""
        if order not in self._texts:
            self._texts[order] = f"{self._reached(order):b}"[::-1]
        return self._texts[order]

    def _hops(self, order: Order) -> list[tuple[str, int]]:
        """Where to look for the starts of all parts but the first, and from how long after the one before."""
        if order not in self._ways:
            self._ways[order] = [
                (self._text(order[place:]), self.window(order[place - 1], 0, order[place])[0])
                for place in range(1, len(order))
            ]
        return self._ways[order]
