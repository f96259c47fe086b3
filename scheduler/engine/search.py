"""Looking for the tightest sequence that begins at a given start: the one that ends first."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scheduler.engine.chain import Chain
from scheduler.engine.crew import Crews
from scheduler.engine.order import Order, without
from scheduler.engine.seats import Picks, Seats
from scheduler.engine.tied import TiedParts


class Found(NamedTuple):
    """A sequence: its parts in the order of time, with their starts and who takes part."""

    order: Order
    starts: tuple[int, ...]
    picks: tuple[Picks, ...]


def free_sequences(chain: Chain, seats: Seats, orders: Sequence[Order]) -> Iterator[Found]:
    """The tightest sequence of each start that one can have, the earliest first.

    The parts have no ties: anybody who is free can take each. `orders` are those in which the chain has some.
    """
    start = min([chain.next_start(order, 0) for order in orders])
    while start < chain.over:
        best, shortest = None, start + chain.shortest
        for order in orders:
            if chain.next_start(order, start) == start:
                starts = chain.tightest(order, start)
                end = chain.end(order, starts)
                if best is None or end < best[0]:
                    best = (end, order, starts)
                    if end == shortest:
                        break
        if best is not None:
            _, order, starts = best
            yield Found(order, starts, tuple(map(seats.first, order, starts)))
        start = min([chain.next_start(order, start + 1) for order in orders])


def tied_sequences(chain: Chain, seats: Seats, crews: Crews, tied: TiedParts) -> Iterator[Found]:
    """The same of parts that are tied. In their only order, what heeds no tie is tried first."""
    parts = chain.steps.parts
    one_order = len(chain.steps.orders) == 1
    firsts = [(part, without(parts, part)) for part in chain.steps.nexts(parts)]
    start = min([chain.next_open(*first, 0) for first in firsts])
    while start < chain.over:
        found = _in_one_order(chain, seats, crews, start) if one_order else None
        if found is None and (tail := tied.at(start)):
            picks = crews.of(tuple(map(seats.of, tail.order, tail.starts)))
            assert picks is not None
            found = Found(tail.order, tail.starts, picks)
        if found is not None:
            yield found
        start = min([chain.next_open(*first, start + 1) for first in firsts])


def _in_one_order(chain: Chain, seats: Seats, crews: Crews, start: int) -> Found | None:
    starts = chain.tightest(chain.steps.parts, start)
    picks = crews.of(tuple(map(seats.of, chain.steps.parts, starts)))
    return None if picks is None else Found(chain.steps.parts, starts, picks)
