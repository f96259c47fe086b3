"""Orders in which the parts of a sequence may come."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain, groupby, permutations, product

from msgspec.structs import replace

from scheduler.query import Part

Order = tuple[int, ...]
"""Parts in the order of time, by their places in the query."""


class Steps:
    """The steps of a sequence: parts that may come in any order.

    Of parts that are equal, the one that is listed first comes first: exchanged they are no better.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        def step(place: int) -> tuple[bool, int]:
            ordinal = parts[place].ordinal
            return (True, place) if ordinal is None else (False, ordinal)

        self._steps = [tuple(same) for _, same in groupby(sorted(range(len(parts)), key=step), key=step)]
        self.parts: Order = tuple(chain(*self._steps))
        """All parts, step by step, each step as it is listed."""
        plain = [replace(part, sequence_id=0) for part in parts]
        self._twins = {
            part: {other for other in same if other < part and plain[other] == plain[part]}
            for same in self._steps
            for part in same
        }
        self._nexts: dict[Order, Order] = {}

    @cached_property
    def orders(self) -> list[Order]:
        """All orders that are allowed, those closer to how the parts are listed first."""
        found = (tuple(chain(*each)) for each in product(*map(permutations, self._steps)))
        return [order for order in found if self._is_plain(order)]

    def nexts(self, rest: Order) -> Order:
        """The parts of a rest that may come first."""
        if rest not in self._nexts:
            left = ({*step} & {*rest} for step in self._steps)
            found = next(filter(None, left), set[int]())
            self._nexts[rest] = tuple(
                [part for part in rest if part in found and not self._twins[part] & found]
            )
        return self._nexts[rest]

    def _is_plain(self, order: Order) -> bool:
        return all(not self._twins[part] & {*order[place:]} for place, part in enumerate(order))


def without(parts: Order, part: int) -> Order:
    """The other parts, in the same order."""
    return tuple([each for each in parts if each != part])
