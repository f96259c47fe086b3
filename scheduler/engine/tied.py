"""The tightest sequence of parts that are tied to each other: by limits and buffers of who takes them.

From the last part back: what can follow a part depends on its seat and on the parts before it, as far as
they still tie anything: the days and weeks of their limits are not over, or their buffers reach that far.
Of starts that are the same to all of these only the earliest that still chains matters; the rest is
remembered. Each question is asked in an easier way first, as if everybody were free in all of a cell who
is free somewhere in it. That answer is right if there is a crew for it; otherwise it says what is not worth
a try.
"""

from typing import NamedTuple

from scheduler.engine.chain import Chain
from scheduler.engine.crew import Crews
from scheduler.engine.effort import Effort
from scheduler.engine.order import Order, without
from scheduler.engine.seats import FAR, Seat, Seats

Held = tuple[Seat, ...]
"""Parts that come before, in the order of time."""


class Tail(NamedTuple):
    """The rest of a sequence. What ends first is tightest; then what is in the earlier order; then starts."""

    end: int
    order: Order
    starts: tuple[int, ...]


class Known(NamedTuple):
    """What was found for a seat, of those that differ by their start alone."""

    start: int
    tail: Tail | None


class TiedParts:
    """Finds the tightest sequences in one query period."""

    def __init__(
        self, chain: Chain, seats: Seats, crews: Crews, effort: Effort, *, easy: bool = False
    ) -> None:
        self._chain, self._seats, self._crews, self._effort = chain, seats, crews, effort
        self._easier = None if easy else TiedParts(chain, seats, crews, effort, easy=True)
        self._tails: dict[tuple[Held, Seat, Order], Tail | None] = {}
        self._latest: dict[tuple[Held, Seat, Order], Known] = {}

    def at(self, start: int) -> Tail | None:
        """The tightest sequence that begins then."""
        best: Tail | None = None
        parts = self._chain.steps.parts
        for part in self._chain.steps.nexts(parts):
            rest = without(parts, part)
            if self._chain.next_open(part, rest, start) == start:
                best = self._better((), self._seats.of(part, start), rest, best)
        return best

    def _after(self, held: Held, rest: Order) -> Tail | None:
        """The tightest of all parts of the rest, behind those that are held."""
        best: Tail | None = None
        last = held[-1]
        for part in self._chain.steps.nexts(rest):
            others = without(rest, part)
            start, latest = self._chain.window(last.part, last.start, part)
            while True:
                start = self._chain.next_open(part, others, start)
                if start > latest or start >= self._chain.over:
                    break
                if best and (self._chain.least_end(part, others, start), (part, *others)) >= best[:2]:
                    break
                seat = self._seats.of(part, start)
                if self._easier is None:
                    seat = seat.eased()
                kept = _kept(held, start)
                best = self._better(kept, seat, others, best)
                start = self._next_start(kept, seat, others)
        return best

    def _better(self, held: Held, seat: Seat, rest: Order, best: Tail | None) -> Tail | None:
        """The tightest from this seat on, or `best` if that is no less tight."""
        if best and (self._chain.least_end(seat.part, rest, seat.start), (seat.part, *rest)) >= best[:2]:
            return best
        if self._easier is None:
            found = None if best and self.is_beaten(held, seat, rest, best) else self.tail(held, seat, rest)
        else:
            eased, easier = tuple([each.eased() for each in held]), seat.eased()
            if best and self._easier.is_beaten(eased, easier, rest, best):
                return best
            found = self._easier.tail(eased, easier, rest)
            if found is None or (best and found >= best):
                return best
            if self._crews.of((*held, *map(self._seats.of, found.order, found.starts))) is None:
                found = self.tail(held, seat, rest)
        return found if best is None or (found and found < best) else best

    def is_beaten(self, held: Held, seat: Seat, rest: Order, best: Tail) -> bool:
        """Whether an earlier start that was alike was not tighter than `best`; this one has no more."""
        known = self._latest.get((held, seat.far(), rest)) if rest else None
        if known is None or known.start > seat.start or not self._is_alike(held, seat, rest):
            return False
        return known.tail is None or known.tail[:2] >= best[:2]

    def _is_alike(self, held: Held, seat: Seat, rest: Order) -> bool:
        """Whether what follows this start follows all earlier ones that are alike."""
        return self._chain.is_loose(seat.part, rest) and all(each.start == FAR for each in held)

    def tail(self, held: Held, seat: Seat, rest: Order) -> Tail | None:
        """The tightest from this seat on, behind `held`: parts that tie it, or what comes after it."""
        key = (held, seat, rest)
        if key not in self._tails:
            self._effort.step()
            self._tails[key] = self._found(held, seat, rest)
        return self._tails[key]

    def _found(self, held: Held, seat: Seat, rest: Order) -> Tail | None:
        if self._crews.of((*held, seat)) is None:
            return None
        if not rest:
            return Tail(self._chain.end((seat.part,), (seat.start,)), (seat.part,), (seat.start,))
        if not self._is_alike(held, seat, rest):
            return self._first(seat, self._after((*held, seat), rest))
        alike = (held, seat.far(), rest)
        known = self._latest.get(alike)
        if known is not None and known.start <= seat.start:
            if known.tail is None:
                return None
            end, order, starts = known.tail
            least, _ = self._chain.window(seat.part, seat.start, order[1])
            if starts[1] >= max(least, seat.clear):
                return Tail(end, order, (seat.start, *starts[1:]))
        found = self._first(seat, self._after((*held, seat), rest))
        self._latest[alike] = Known(seat.start, found)
        return found

    def _next_start(self, kept: Held, seat: Seat, rest: Order) -> int:
        """From when on another start of the part could be better, or be possible at all."""
        if self._easier is None:
            impossible, change = self._crews.of((*kept, seat)) is None, self._seats.next_cell(seat)
        elif self._crews.of(tuple([each.eased() for each in (*kept, seat)])) is None:
            impossible, change = True, self._seats.next_cell(seat)
        else:
            impossible, change = self._crews.of((*kept, seat)) is None, self._seats.next_change(seat)
        if not impossible and not self._chain.is_loose(seat.part, rest):
            return seat.start + 1
        for each in kept:
            released = self._seats.released(each, seat.part)
            if seat.start < released < change:
                change = released
        return change

    @staticmethod
    def _first(seat: Seat, rest: Tail | None) -> Tail | None:
        return rest and Tail(rest.end, (seat.part, *rest.order), (seat.start, *rest.starts))


def _kept(held: Held, start: int) -> Held:
    """Those that tie what starts then or later, or are tied to one that does; and all after these."""
    first, before = len(held), start
    for place in range(len(held) - 1, -1, -1):
        seat = held[place]
        if seat.over > before or seat.clear > before:
            first, before = place, min(before, seat.start)
    kept = held[first:]
    if kept and kept[-1].clear <= start and all(each.start == FAR for each in kept[:-1]):
        return (*kept[:-1], kept[-1].far())
    return kept
