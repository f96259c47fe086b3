"""Looking for the tightest sequence that begins at a given start: the one that ends first."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scheduler.engine.chain import Chain
from scheduler.engine.picking import Picker
from scheduler.engine.reach import Order
from scheduler.engine.shared_limits import Picks


class Found(NamedTuple):
    """A sequence: its parts in the order of time, with their starts and who takes part."""

    order: Order
    starts: tuple[int, ...]
    picks: tuple[Picks, ...]
    end: int


class Search:
    """Looks for sequences in one query period, in the orders in which its chain has some."""

    def __init__(self, chain: Chain, picker: Picker, orders: Sequence[Order]) -> None:
        self._chain, self._picker, self._orders = chain, picker, orders

    def found(self) -> Iterator[Found]:
        """The tightest sequence of each start that one can have, the earliest first."""
        start = self._next_start(0)
        while start < self._chain.over:
            if found := self._tightest(start):
                yield found
            start = self._next_start(start + 1)

    def _next_start(self, earliest: int) -> int:
        """The next start from which the parts can follow each other, whoever takes them."""
        return min([self._chain.next_start(order, earliest) for order in self._orders])

    def _tightest(self, start: int) -> Found | None:
        best: Found | None = None
        for order in self._orders:
            if best and best.end == start + self._chain.shortest:
                break
            if self._chain.next_start(order, start) == start:
                best = self._in_order(order, start, best.end if best else None) or best
        return best

    def _in_order(self, order: Order, start: int, before: int | None) -> Found | None:
        """The tightest in one order, if it ends before `before`."""
        starts = self._chain.tightest(order, start)
        end = self._chain.end(order, starts)
        if before is not None and end >= before:
            return None
        picks = self._picker.pick(order, starts)
        if picks is None:
            return self._beyond(order, (start,), before)
        return Found(order, starts, picks, end)

    def _beyond(self, order: Order, starts: tuple[int, ...], before: int | None) -> Found | None:
        """The tightest with these starts and others than the earliest, which found nobody to take part."""
        rest = order[len(starts) :]
        earliest, latest = self._chain.window(order[len(starts) - 1], starts[-1], rest[0])
        best: Found | None = None
        while self._picker.dead_ends:
            start = self._chain.next_start(rest, earliest)
            if start >= self._chain.over or start > latest:
                break
            end = self._chain.end(rest, self._chain.tightest(rest, start))
            if before is not None and end >= before:
                break
            found, earliest = self._at(order, (*starts, start), before)
            if found is not None:
                best, before = found, found.end
        return best

    def _at(self, order: Order, starts: tuple[int, ...], before: int | None) -> tuple[Found | None, int]:
        """The same with one more start, and from when on another one could be better."""
        last = starts[-1]
        picks = self._picker.pick(order, starts)
        if picks is None:
            return None, self._picker.next_change(order[len(starts) - 1], last)
        if len(starts) == len(order):
            return Found(order, starts, picks, self._chain.end(order, starts)), last + 1
        return self._beyond(order, starts, before), last + 1
