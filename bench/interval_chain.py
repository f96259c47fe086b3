"""The second half of the interval sweep: sequences in one query period, from sorted lists of starts."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product
from typing import NamedTuple

from bench.intervals import Interval
from scheduler.query import Group, Limit, Member, Part, Placed

Able = list[list[list[list[Interval]]]]
"""Of each part, group and member, when a part can start as far as the member decides."""
Room = list[tuple[int, int, int]]
"""Days or weeks, and how many more events each may have."""
_Order = tuple[int, ...]
_Seats = list[list[Member]]
"""The members of each group."""
_FOREVER = 1 << 40


class _Seated(NamedTuple):
    part: int
    start: int
    end: int
    seats: _Seats


class _Way(NamedTuple):
    order: _Order
    starts: tuple[int, ...]
    seats: list[_Seats]
    end: int


class Chains:
    """Looks for sequences in one query period."""

    def __init__(
        self, parts: Sequence[Part], starts: list[list[int]], able: Able, rooms: dict[Limit, Room]
    ) -> None:
        self.parts, self.starts, self.able, self.rooms = parts, starts, able, rooms
        self.known: dict[_Order, list[int]] = {}
        self.seen: dict[tuple[int, int], _Seats] = {}
        self.limited = bool(rooms)

    def answers(self) -> Iterator[tuple[Placed, ...]]:
        """The tightest sequence of each first start."""
        orders = [order for order in _orders(self.parts) if self.reach(order)]
        for start in sorted({start for order in orders for start in self.reach(order)}):
            best: _Way | None = None
            for order in orders:
                reach = self.reach(order)
                place = bisect_left(reach, start)
                if place < len(reach) and reach[place] == start:
                    best = self.in_order(order, start, best)
            if best is not None:
                yield tuple(map(self.placed, best.order, best.starts, best.seats))

    def reach(self, order: _Order) -> list[int]:
        """The starts of the first part from which the others can follow."""
        if order not in self.known:
            starts = self.starts[order[0]]
            if len(order) > 1:
                earliest, latest = self.gap(order)
                following, place, found = self.reach(order[1:]), 0, []
                for start in starts:
                    while place < len(following) and following[place] < start + earliest:
                        place += 1
                    if place == len(following):
                        break
                    if following[place] <= start + latest:
                        found.append(start)
                starts = found
            self.known[order] = starts
        return self.known[order]

    def gap(self, order: _Order) -> tuple[int, int]:
        """How much later than the first part the second one starts, at least and at most."""
        one, other = self.parts[order[0]], self.parts[order[1]]
        most = min(most for most in (one.after.maximum, other.before.maximum, _FOREVER) if most is not None)
        least = max(one.after.minimum, other.before.minimum) if needed(one) & needed(other) else 0
        return one.duration + least, one.duration + most

    def in_order(self, order: _Order, start: int, best: _Way | None) -> _Way | None:
        """The best way in an order, if it ends before the best so far."""
        starts = [start]
        for place in range(len(order) - 1):
            following = self.reach(order[place + 1 :])
            starts.append(following[bisect_left(following, starts[-1] + self.gap(order[place:])[0])])
        end = starts[-1] + self.parts[order[-1]].duration
        if best is not None and end >= best.end:
            return best
        seats = self.seated(order, starts)
        return self.beyond(order, (start,), best) if seats is None else _Way(order, tuple(starts), seats, end)

    def beyond(self, order: _Order, starts: tuple[int, ...], best: _Way | None) -> _Way | None:
        """The same where the earliest starts have nobody to take part: tries all others."""
        seats = self.seated(order, starts)
        end = starts[-1] + self.parts[order[len(starts) - 1]].duration
        if seats is None or (best is not None and end >= best.end):
            return best
        if len(starts) == len(order):
            return _Way(order, starts, seats, end)
        earliest, latest = self.gap(order[len(starts) - 1 :])
        following = self.reach(order[len(starts) :])
        for place in range(bisect_left(following, starts[-1] + earliest), len(following)):
            if following[place] > starts[-1] + latest:
                break
            best = self.beyond(order, (*starts, following[place]), best)
        return best

    def seated(self, order: _Order, starts: Sequence[int]) -> list[_Seats] | None:
        """The first members as listed with whom these parts can take place."""
        placed = list(zip(order, starts, strict=False))
        if not self.limited:
            return [
                [
                    members[: size(group)]
                    for group, members in zip(self.parts[part].groups, self.free(part, start), strict=True)
                ]
                for part, start in placed
            ]
        return self.seat(placed, [])

    def seat(self, placed: list[tuple[int, int]], before: list[_Seated]) -> list[_Seats] | None:
        """Members for the parts that have none yet."""
        if len(before) == len(placed):
            return [one.seats for one in before]
        part, start = placed[len(before)]
        groups = zip(self.parts[part].groups, self.free(part, start), strict=True)
        for seats in product(*(combinations(members, size(group)) for group, members in groups)):
            now = [*before, _Seated(part, start, start + self.parts[part].duration, list(map(list, seats)))]
            if self.agreed(now) and (found := self.seat(placed, now)) is not None:
                return found
        return None

    def free(self, part: int, start: int) -> _Seats:
        """Who can take a part, if it were the only one."""
        if (part, start) not in self.seen:
            self.seen[part, start] = [
                [
                    member
                    for member, able in zip(group.members, members, strict=True)
                    if (place := bisect_right(able, (start, _FOREVER)) - 1) >= 0 and start < able[place][1]
                ]
                for group, members in zip(self.parts[part].groups, self.able[part], strict=True)
            ]
        return self.seen[part, start]

    def agreed(self, seated: list[_Seated]) -> bool:
        """Whether all who take the last part can take it beside the earlier ones."""
        last = seated[-1]
        for sub in {member.sub for group in last.seats for member in group}:
            theirs = [
                one for one in seated if any(member.sub == sub for group in one.seats for member in group)
            ]
            if not all(self.within_limits(one, sub, theirs) for one in theirs):
                return False
        return True

    def within_limits(self, seated: _Seated, sub: str, theirs: list[_Seated]) -> bool:
        """Whether someone keeps the limits they have in one part."""
        return all(
            sum(one.start < end and start < one.end for one in theirs) <= left
            for group in seated.seats
            for member in group
            if member.sub == sub
            for limit in member.limits
            for start, end, left in self.rooms[limit]
            if seated.start < end and start < seated.end
        )

    def placed(self, part: int, start: int, seats: _Seats) -> Placed:
        """A part as it is answered."""
        what = self.parts[part]
        groups = tuple(tuple(member.sub for member in group) for group in seats)
        return Placed(what.sequence_id, start * 60, (start + what.duration) * 60, groups)


def size(group: Group) -> int:
    """How many of a group take part."""
    return len(group.members) if group.required is None else group.required


def needed(part: Part) -> set[str]:
    """Without whom a part does not take place."""
    return {
        member.sub for group in part.groups if size(group) == len(group.members) for member in group.members
    }


def _orders(parts: Sequence[Part]) -> list[_Order]:
    def step(place: int) -> tuple[int, int]:
        ordinal = parts[place].ordinal
        return (0, ordinal) if ordinal is not None else (1, place)

    in_order = sorted(map(step, range(len(parts))))
    return [order for order in permutations(range(len(parts))) if [*map(step, order)] == in_order]
