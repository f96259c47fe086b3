"""The tightest sequence of parts that are tied to each other by limits and buffers of the people who take them.

From the last part back: what can follow a part depends on its seat and on the parts before it, as far as
they still tie anything: the days and weeks of their limits are not over, or their buffers reach that far.
Of starts that are the same to all of these only the earliest that still chains matters; the rest is
remembered. Each question is asked in an easier way first, as if everybody were free in all of a cell who is
free somewhere in it: its answer is right if there is a crew for it, and otherwise says what is not worth a try.
"""

from typing import NamedTuple

from scheduler.engine.chain import Chain
from scheduler.engine.crew import Crews
from scheduler.engine.effort import Effort
from scheduler.engine.reach import Order, without
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

    def __init__(self, chain: Chain, seats: Seats, crews: Crews, effort: Effort, *, easy: bool = False) -> None:
        self._chain, self._seats, self._crews, self._effort = chain, seats, crews, effort
        self._easier = None if easy else TiedParts(chain, seats, crews, effort, easy=True)
        self._next_change = seats.next_cell if easy else seats.next_change
        self._tails: dict[tuple[Held, Seat, Order], Tail | None] = {}
        self._latest: dict[tuple[Held, Seat, Order], Known] = {}

    def at(self, start: int) -> Tail | None:
        """The tightest sequence that begins then."""
        best: Tail | None = None
        parts = self._chain.parts
        for part in self._chain.nexts(parts):
            rest = without(parts, part)
            if self._chain.next_open(part, rest, start) == start:
                if best and self._least(part, rest, start) >= best[:2]:
                    continue
                best = _tighter(best, self._from((), self._seat(part, start), rest, best))
        return best

    def _after(self, held: Held, rest: Order) -> Tail | None:
        """The tightest of all parts of the rest, behind those that are held."""
        best: Tail | None = None
        last = held[-1]
        for part in self._chain.nexts(rest):
            others = without(rest, part)
            start, latest = self._chain.window(last.part, last.start, part)
            while True:
                start = self._chain.next_open(part, others, start)
                if start >= self._chain.over or start > latest:
                    break
                if best and self._least(part, others, start) >= best[:2]:
                    break
                seat = self._seat(part, start)
                best = _tighter(best, self._from(held, seat, others, best))
                start = self._next_start(held, seat, others)
        return best

    def _from(self, held: Held, seat: Seat, rest: Order, best: Tail | None) -> Tail | None:
        """The tightest from this seat on, if that may be tighter than `best`."""
        kept = self._kept(held, seat.start)
        if self._easier is None:
            return self.tail(kept, seat, rest)
        easy = self._easier.tail(_eased(kept), seat._replace(able=seat.sometime), rest)
        if easy is None or (best and easy >= best):
            return None
        seats = map(self._seats.of, easy.order, easy.starts)
        return easy if self._crews.of((*kept, *seats)) is not None else self.tail(kept, seat, rest)

    def tail(self, held: Held, seat: Seat, rest: Order) -> Tail | None:
        """The tightest from this seat on, behind those parts of `held` that tie it, or what comes after it."""
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
        alike = (held, seat._replace(start=FAR), rest)
        # What follows the later of two that are alike, follows the earlier one, too.
        same = self._chain.is_loose(seat.part, rest) and all(each.start == FAR for each in held)
        known = self._latest.get(alike) if same else None
        if known is not None and known.start <= seat.start:
            if known.tail is None:
                return None
            end, order, starts = known.tail
            least, _ = self._chain.window(seat.part, seat.start, order[1])
            if starts[1] >= max(least, self._seats.clear(seat)):
                return Tail(end, order, (seat.start, *starts[1:]))
        found = self._after((*held, seat), rest)
        if found is not None:
            found = Tail(found.end, (seat.part, *found.order), (seat.start, *found.starts))
        if same:
            self._latest[alike] = Known(seat.start, found)
        return found

    def _next_start(self, held: Held, seat: Seat, rest: Order) -> int:
        """From when on another start of the part could be better, or be possible at all."""
        kept = self._kept(held, seat.start)
        if self._easier is not None and self._crews.of(_eased((*kept, seat))) is None:
            change = self._seats.next_cell(seat)
        elif self._crews.of((*kept, seat)) is None or self._chain.is_loose(seat.part, rest):
            change = self._next_change(seat)
        else:
            return seat.start + 1
        releases = [self._seats.released(each, seat.part) for each in kept]
        return min([change, *(release for release in releases if release > seat.start)])

    def _least(self, part: int, rest: Order, start: int) -> tuple[int, Order]:
        """What nothing that begins so is tighter than."""
        return self._chain.least_end(part, rest, start), (part, *rest)

    def _kept(self, held: Held, start: int) -> Held:
        """Those that tie what starts then or later, or are tied to one that does; and all after these."""
        first, before = len(held), start
        for place in range(len(held) - 1, -1, -1):
            if self._seats.over(held[place]) > before:
                first, before = place, min(start, held[place].start)
        kept = held[first:]
        if kept and self._seats.clear(kept[-1]) <= start and all(each.start == FAR for each in kept[:-1]):
            return (*kept[:-1], kept[-1]._replace(start=FAR))
        return kept

    def _seat(self, part: int, start: int) -> Seat:
        seat = self._seats.of(part, start)
        return seat if self._easier is not None else seat._replace(able=seat.sometime)


def _eased(seats: Held) -> Held:
    return tuple([seat._replace(able=seat.sometime) for seat in seats])


def _tighter(best: Tail | None, other: Tail | None) -> Tail | None:
    return min(filter(None, (best, other)), default=None)
