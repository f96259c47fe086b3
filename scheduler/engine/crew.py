"""Picking the members who take the parts, in the order they are listed, where parts are tied to each other.

A person takes some of the parts: which sets of them they can take, limits and buffers say. By how much each
person adds to each set of parts at most, a crew that cannot be is mostly told without a try (the condition
of matroid union, which is exact where days lie within weeks and no buffer matters; elsewhere it is needed,
not enough).
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import NamedTuple

from scheduler.engine.effort import Effort
from scheduler.engine.seats import FAR, Picks, Seat, Seats
from scheduler.engine.ties import Shared, Ties
from scheduler.query import Part

Rule = tuple[int, int]
"""Of these parts, as bits by their places in time, at most so many."""


class Load(NamedTuple):
    """What a person takes: parts, as bits, and the rules that this brings."""

    parts: int
    rules: tuple[Rule, ...]


class Slot(NamedTuple):
    """A group of one of the parts, and those who can be picked for it: place, name, rules."""

    seat: int
    needed: int
    able: tuple[tuple[int, str, tuple[Rule, ...]], ...]


Loads = dict[str, Load]
Offers = dict[int, list[tuple[Rule, ...]]]
"""Parts that a person can be picked for; for each of its groups the rules that this brings."""
_NOTHING = Load(0, ())
_WIDE = 12
"""Bits of a number in a row."""


class Crews:
    """Finds crews for seats in the order of time, each question once."""

    def __init__(self, parts: Sequence[Part], ties: Ties, seats: Seats, effort: Effort) -> None:
        self._parts, self._ties, self._seats, self._effort = parts, ties, seats, effort
        self._found: dict[tuple[object, ...], tuple[Picks, ...] | None] = {}

    def of(self, seats: tuple[Seat, ...]) -> tuple[Picks, ...] | None:
        """Members for each of the parts, or None where there are not enough.

        Of all that could be picked it is the first as listed, an earlier part deciding before a later one.
        """
        near = self._near(seats)
        key = (near, *[(seat[0], seat[2], seat[4]) for seat in seats])  # part, able, cell
        if key not in self._found:
            self._found[key] = self._alike(seats, near)
        return self._found[key]

    def _alike(self, seats: tuple[Seat, ...], near: tuple[int, ...]) -> tuple[Picks, ...] | None:
        """The same; the question is often that of another day."""
        counted: dict[Shared, int] = {}
        for place, seat in enumerate(seats):
            for each in self._seats.touched(seat.part, seat.cell):
                counted[each] = counted.get(each, 0) | 1 << place
        rules = tuple([(each[0], counts, self._ties.left(each)) for each, counts in counted.items()])
        key = (near, *[(seat.part, seat.able) for seat in seats], *rules)
        if key not in self._found:
            self._effort.step()
            crew = _Crew(self._slots(seats, rules), near, len(seats), self._effort)
            self._found[key] = crew.picks(len(seats))
        return self._found[key]

    def _near(self, seats: Sequence[Seat]) -> tuple[int, ...]:
        """For each part those, as bits, that nobody can take who takes it: buffers keep them apart."""
        near = [0] * len(seats)
        for place, seat in enumerate(seats):
            if seat.start == FAR:
                continue
            over = seat.clear
            for other in range(place + 1, len(seats)):
                start = seats[other].start
                if start < over and start < self._seats.released(seat, seats[other].part):
                    near[place] |= 1 << other
                    near[other] |= 1 << place
        return tuple(near)

    def _slots(self, seats: Sequence[Seat], rules: Sequence[tuple[int, int, int]]) -> list[Slot]:
        slots = []
        for place, seat in enumerate(seats):
            here: dict[int, tuple[Rule, ...]] = {}
            for index, counts, most in rules:
                if counts >> place & 1:
                    here[index] = (*here.get(index, ()), (counts, most))
            groups = self._parts[seat.part].groups
            for able, group, limits in zip(
                self._seats.able[seat.able], groups, self._ties.limits[seat.part], strict=True
            ):
                members = tuple(
                    [
                        (
                            member,
                            group.members[member].sub,
                            tuple([rule for index in limits[member] for rule in here.get(index, ())]),
                        )
                        for member in able
                    ]
                )
                slots.append(Slot(place, group.size, members))
        return slots


class _Crew:
    """One question: `near` as of `Crews`."""

    def __init__(self, slots: Sequence[Slot], near: Sequence[int], seats: int, effort: Effort) -> None:
        self._slots, self._near, self._effort = slots, near, effort
        self._every = (1 << seats) - 1
        sets = range(self._every + 1)
        self._carry = sum([1 << _WIDE * parts + _WIDE - 1 for parts in sets])
        self._with_seat = [
            sum([1 << _WIDE * parts for parts in sets if parts >> seat & 1]) for seat in range(seats)
        ]
        self._pools = [frozenset([sub for _, sub, _ in slot.able]) for slot in slots]
        self._gains: dict[tuple[int, str, Load], int] = {}
        self._rows: dict[tuple[object, ...], int] = {}

    @cached_property
    def _offers(self) -> list[dict[str, Offers]]:
        return [self._offered_from(place) for place in range(len(self._slots) + 1)]

    @cached_property
    def _asked(self) -> list[list[tuple[frozenset[str], int]]]:
        return [self._asked_from(place) for place in range(len(self._slots))]

    def picks(self, seats: int) -> tuple[Picks, ...] | None:
        chosen = self._at_once() or (self._search(0, 0, (), {}) if self._may_be(0, 0, 0, {}) else None)
        if chosen is None:
            return None
        return tuple(
            tuple(picked for slot, picked in zip(self._slots, chosen, strict=True) if slot.seat == seat)
            for seat in range(seats)
        )

    def _at_once(self) -> list[tuple[int, ...]] | None:
        """Where nobody has to be spared for a later part, who is picked first is right."""
        loads: Loads = {}
        chosen = []
        for slot in self._slots:
            picked: list[int] = []
            for member, sub, rules in slot.able:
                if len(picked) == slot.needed:
                    break
                load = self._with(loads.get(sub, _NOTHING), slot.seat, rules)
                if load is not None:
                    loads[sub] = load
                    picked.append(member)
            if len(picked) < slot.needed:
                return None
            chosen.append(tuple(picked))
        return chosen

    def _with(self, load: Load, seat: int, rules: tuple[Rule, ...]) -> Load | None:
        parts = load.parts | 1 << seat
        if load.parts & self._near[seat]:
            return None
        rules = (*load.rules, *rules)
        if all((parts & counted).bit_count() <= most for counted, most in rules):
            return Load(parts, rules)
        return None

    def _search(
        self, place: int, at: int, picked: tuple[int, ...], loads: Loads
    ) -> list[tuple[int, ...]] | None:
        """Members for the slots from `place` on; of the first, the able up to `at` have been looked at."""
        if place == len(self._slots):
            return []
        slot = self._slots[place]
        if len(picked) == slot.needed:
            later = self._search(place + 1, 0, (), loads)
            return None if later is None else [picked, *later]
        self._effort.step()
        for index in range(at, len(slot.able)):
            member, sub, rules = slot.able[index]
            load = self._with(loads.get(sub, _NOTHING), slot.seat, rules)
            if load is None:
                continue
            more = {**loads, sub: load}
            if self._may_be(place, index + 1, len(picked) + 1, more):
                found = self._search(place, index + 1, (*picked, member), more)
                if found is not None:
                    return found
        return None

    def _may_be(self, place: int, at: int, picked: int, loads: Loads) -> bool:
        """Whether there may be enough people for the slots from `place` on; False is certain.

        Of the first of them so many are picked, and the able up to `at` have been looked at. Each number that
        is added or compared here is a row of them, one for each set of parts.
        """
        slot = self._slots[place]
        passed = {sub for _, sub, _ in slot.able[:at]}
        gains = {
            sub: self._gain(place + (sub in passed), sub, loads.get(sub, _NOTHING))
            for sub in self._offers[place]
        }
        done = picked * self._with_seat[slot.seat]
        for pool, needed in self._asked[place]:
            offered = sum([gain for sub, gain in gains.items() if sub in pool])
            missing = needed - done if self._pools[place] <= pool else needed
            if (offered + self._carry - missing) & self._carry != self._carry:
                return False
        return True

    def _offered_from(self, place: int) -> dict[str, Offers]:
        """For everybody, the parts that they can be picked for from this slot on."""
        offers: dict[str, Offers] = {}
        for slot in self._slots[place:]:
            for _, sub, rules in slot.able:
                offers.setdefault(sub, {}).setdefault(slot.seat, []).append(rules)
        return offers

    def _asked_from(self, place: int) -> list[tuple[frozenset[str], int]]:
        """For groups of people, how many of them at least are needed from this slot on."""
        asked: dict[frozenset[str], int] = {}
        for slot, pool in zip(self._slots[place:], self._pools[place:], strict=True):
            asked[pool] = asked.get(pool, 0) + slot.needed * self._with_seat[slot.seat]
        return [
            (pool, sum([row for other, row in asked.items() if other <= pool]))
            for pool in {*asked, frozenset[str]().union(*asked)}
        ]

    def _gain(self, place: int, sub: str, load: Load) -> int:
        """For each set of parts in how many slots from `place` on a person can be, beside their load."""
        key = (place, sub, load)
        if key not in self._gains:
            self._gains[key] = self._gain_of(load, self._offers[place].get(sub, {}))
        return self._gains[key]

    def _gain_of(self, load: Load, offers: Offers) -> int:
        alike = (load, *[(seat, *each) for seat, each in offers.items()])
        if alike not in self._rows:
            binding = [
                (1 << seat, rule)
                for seat, each in offers.items()
                for rule in set(each[0]).intersection(*each[1:])
            ]
            offered = sum([1 << seat for seat in offers])
            gain, row = [0] * (self._every + 1), 0
            for parts in range(1, self._every + 1):
                if parts & ~offered:
                    most = gain[parts & offered]
                else:
                    seats = _bits(parts)
                    most = max([gain[parts & ~(1 << seat)] for seat in seats])
                    if self._can(load, parts, binding):
                        most = max(most, sum([len(offers[seat]) for seat in seats]))
                gain[parts] = most
                row |= most << _WIDE * parts
            self._rows[alike] = row
        return self._rows[alike]

    def _can(self, load: Load, parts: int, binding: Sequence[tuple[int, Rule]]) -> bool:
        taken = load.parts | parts
        return (
            all(not self._near[seat] & taken for seat in _bits(parts))
            and all((taken & counted).bit_count() <= most for counted, most in load.rules)
            and all(
                (taken & counted).bit_count() <= most for part, (counted, most) in binding if part & parts
            )
        )


@cache
def _bits(parts: int) -> tuple[int, ...]:
    """The parts of a set, by their places in time."""
    return tuple(place for place in range(parts.bit_length()) if parts >> place & 1)
