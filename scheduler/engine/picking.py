"""Picking the members who take part, in the order they are listed."""

from collections.abc import Iterator, Sequence
from itertools import combinations, compress, count, islice, product
from typing import NamedTuple

from scheduler.engine.frame import Frame
from scheduler.engine.minutes import Span, as_bytes
from scheduler.engine.reach import Order
from scheduler.engine.shared_limits import Picks, SharedLimits, Taken
from scheduler.engine.starts import PartStarts
from scheduler.query import Part


class Able(NamedTuple):
    """Who can take a part, if it were the only one, and as many of the first of them as are required."""

    all: Picks
    first: Picks


class Meeting(NamedTuple):
    """A part with its time in Unix minutes, and who can take it, if it were the only one."""

    part: int
    span: Span
    able: Picks


class Picker:
    """Picks members for the parts of one query; minutes are those of the frame."""

    def __init__(
        self,
        parts: Sequence[Part],
        limits: SharedLimits,
        starts: Sequence[PartStarts],
        frame: Frame,
        dead_ends: int,
    ) -> None:
        self._parts, self._limits, self._starts, self._frame = parts, limits, starts, frame
        self._listed = [[len(group.members) for group in part.groups] for part in parts]
        self._sizes = [[group.size for group in part.groups] for part in parts]
        self._rows: dict[int, list[bytes]] = {}
        self._bytes: dict[int, bytes] = {}
        self._able: dict[tuple[int, int], Able] = {}
        self._patterns: dict[tuple[int, tuple[int, ...]], Able] = {}
        self._changes: dict[int, str] = {}
        self.dead_ends = dead_ends
        """How often picking may still get stuck; without an end, a few queries would not see theirs."""

    def pick(self, order: Order, starts: Sequence[int]) -> tuple[Picks, ...] | None:
        """Members for the first parts of an order, one part for each start; None where there are not enough.

        Of all that could be picked it is the first as listed, an earlier part deciding before a later one.
        """
        placed = zip(order, starts, strict=False)
        if not self._limits.all:
            return tuple([self._able_at(part, start).first for part, start in placed])
        return self._pick([self._meeting(part, start) for part, start in placed], {})

    def may_find(self, within: Span) -> bool:
        """Whether limits allow the parts at all within a query period; True where that is hard to say."""
        if not self._limits.all:
            return True
        span = Span(self._frame.minute(within.first), self._frame.minute(within.last - 1) + 1)
        if any(len(room.touched(span)) > 1 for room in self._limits.all):
            return True
        wanted = (1 << within.last) - (1 << within.first)
        parts = [
            Meeting(
                part,
                span,
                tuple(
                    tuple(place for place, minutes in enumerate(members) if minutes & wanted)
                    for members in starts.members
                ),
            )
            for part, starts in enumerate(self._starts)
        ]
        return self._pick(parts, {}) is not None or not self.dead_ends

    def next_change(self, part: int, start: int) -> int:
        """When after this start a part may find members, if limits keep them from it now."""
        if part not in self._changes:
            self._changes[part] = f"{self._changing(part):b}"[::-1]
        return self._changes[part].index(
            "1", start + 1
        )  # the last day or week of a limit ends after all starts

    def _changing(self, part: int) -> int:
        """Where others can take part than the minute before, or another day or week is touched."""
        changes = 0
        for members in self._starts[part].members:
            for minutes in members:
                changes |= minutes ^ minutes << 1
        for room in self._limits.all:
            for bound in room.bounds:
                for minute in (bound, bound - self._parts[part].duration + 1):
                    changes |= 1 << self._frame.number(minute)
        return changes

    def _meeting(self, part: int, start: int) -> Meeting:
        begins = self._frame.minute(start)
        span = Span(begins, begins + self._parts[part].duration)
        return Meeting(part, span, self._able_at(part, start).all)

    def _able_at(self, part: int, start: int) -> Able:
        """Who can take a part that starts then."""
        able = self._able.get((part, start))
        if able is None:
            if part not in self._rows:
                self._rows[part] = self._rows_of(part)
            byte, bit = start >> 3, start & 7
            pattern = (part, tuple([row[byte] >> bit & 1 for row in self._rows[part]]))
            if pattern not in self._patterns:
                self._patterns[pattern] = self._able_of(*pattern)
            able = self._able[part, start] = self._patterns[pattern]
        return able

    def _able_of(self, part: int, pattern: Sequence[int]) -> Able:
        """The same where each member in turn is there or is not."""
        there = iter(pattern)
        able = tuple([tuple(compress(count(), islice(there, size))) for size in self._listed[part]])
        first = [places[:size] for places, size in zip(able, self._sizes[part], strict=True)]
        return Able(able, tuple(first))

    def _pick(self, meetings: Sequence[Meeting], taken: Taken) -> tuple[Picks, ...] | None:
        if not meetings:
            return ()
        part, span, able = meetings[0]
        for picks in self._choices(part, self._limits.allowed(part, span, able, taken)):
            later = self._pick(meetings[1:], self._limits.with_picks(taken, part, span, picks))
            if later is not None:
                return (picks, *later)
            if not self.dead_ends:
                return None
        self.dead_ends = max(self.dead_ends - 1, 0)
        return None

    def _choices(self, part: int, able: Picks) -> Iterator[Picks]:
        """All ways to pick as many as each group requires."""
        return product(*map(combinations, able, self._sizes[part]))

    def _rows_of(self, part: int) -> list[bytes]:
        """The starts of each member; those of equal demands are one object, and made bytes of once."""
        members = [minutes for group in self._starts[part].members for minutes in group]
        for minutes in members:
            if id(minutes) not in self._bytes:
                self._bytes[id(minutes)] = as_bytes(minutes, self._frame.width)
        return [self._bytes[id(minutes)] for minutes in members]
