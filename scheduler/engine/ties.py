"""What ties parts that one person takes: limits that they share, and the buffers between them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from scheduler.engine.limits import Headroom, Headrooms
from scheduler.engine.minutes import Span
from scheduler.engine.reach import Lead
from scheduler.query import Part

Shared = tuple[int, int]
"""A day or week that may not have all events which could be in it: which headroom's, and its place there."""


class Ties:
    """The ties between the parts of one query."""

    def __init__(self, parts: Sequence[Part], headrooms: Headrooms, leads: Sequence[Sequence[Lead]]) -> None:
        self._parts = parts
        self._headrooms: list[Headroom] = []
        self._tight: list[frozenset[int]] = []
        listed = Counter(sub for part in parts for sub in _subs(part))
        self.limits = [
            [
                [
                    self._shared(map(headrooms.of, member.limits), listed[member.sub])
                    for member in group.members
                ]
                for group in part.groups
            ]
            for part in parts
        ]
        """The headrooms of each member of each group of each part that are not enough for all their parts."""
        places = range(len(parts))
        self.apart = [[self._least(one, other, leads) for other in places] for one in places]
        """Minutes from the end of a part to the start of a later one, if somebody takes both."""
        self.reach = [max(row) for row in self.apart]
        """The longest of them, for each part."""
        self.any = bool(self._headrooms) or any(self.reach)
        """Whether there are any; most queries have none."""

    def touched(self, span: Span) -> tuple[Shared, ...]:
        """The shared days and weeks in which an event at that time counts; Unix minutes."""
        return tuple(
            (index, place)
            for index, (headroom, tight) in enumerate(zip(self._headrooms, self._tight, strict=True))
            for place in headroom.touched(span)
            if place in tight
        )

    def left(self, shared: Shared) -> int:
        """How many events there may be in it."""
        index, place = shared
        return self._headrooms[index].left[place]

    def over(self, shared: Shared) -> int:
        """The Unix minute at which it ends."""
        index, place = shared
        return self._headrooms[index].bounds[place + 1]

    def bounds(self) -> set[int]:
        """The Unix minutes at which shared days and weeks begin and end."""
        return {
            headroom.bounds[place + end]
            for headroom, tight in zip(self._headrooms, self._tight, strict=True)
            for place in tight
            for end in (0, 1)
        }

    def _shared(self, headrooms: Iterable[Headroom], events: int) -> tuple[int, ...]:
        found = []
        for headroom in headrooms:
            tight = headroom.tight(events)
            if tight:
                if headroom not in self._headrooms:
                    self._headrooms.append(headroom)
                    self._tight.append(frozenset())
                index = self._headrooms.index(headroom)
                self._tight[index] |= frozenset(tight)
                found.append(index)
        return tuple(found)

    def _least(self, one: int, other: int, leads: Sequence[Sequence[Lead]]) -> int:
        """0 where nobody can take both, or what comes next and what lasts in between see to it."""
        before, after = self._parts[one], self._parts[other]
        least = max(before.after.minimum, after.before.minimum)
        shared = _subs(before) & _subs(after)
        if one == other or not shared:
            return 0
        between = [part.duration for at, part in enumerate(self._parts) if at not in (one, other)]
        next_to = leads[one][other].least >= before.duration + least
        return 0 if next_to and least <= min(between, default=least) else least


def _subs(part: Part) -> set[str]:
    return {member.sub for group in part.groups for member in group.members}
