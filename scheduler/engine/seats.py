"""Parts at a time, as far as it matters who can take them."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import reduce
from itertools import compress, count, islice
from operator import or_
from typing import NamedTuple

from scheduler.engine.frame import Frame
from scheduler.engine.minutes import Span, as_bytes, between
from scheduler.engine.starts import PartStarts
from scheduler.engine.ties import Shared, Ties
from scheduler.query import Part

Picks = tuple[tuple[int, ...], ...]
"""Some of the members of each group of a part, by their places in the group."""
FAR = -(1 << 40)
"""The start of a part from which no other one is kept apart any more."""


class Seat(NamedTuple):
    """A part at a time. All that is equal but the start is the same to limits and to those who are free."""

    part: int
    start: int
    able: int
    """Who can take it, if it were the only one: a place in `Seats.able`."""
    sometime: int
    """Who can take it at some start in the same cell, likewise."""
    cell: int
    """Among which starts it is, all of which count in the same days and weeks."""
    clear: int
    """From which start on no buffer keeps anything from it."""
    over: int
    """From which start on no limit ties anything to it."""

    def eased(self) -> "Seat":
        """The same, if everybody were free who is at some start in the cell."""
        part, start, _, sometime, cell, clear, over = self
        return Seat(part, start, sometime, sometime, cell, clear, over)

    def far(self) -> "Seat":
        """The same to what is far behind it."""
        part, _, able, sometime, cell, _, over = self
        return Seat(part, FAR, able, sometime, cell, FAR, over)


class Seats:
    """Knows the seats of the parts of one query; starts are numbers of the frame."""

    def __init__(
        self,
        parts: Sequence[Part],
        ties: Ties,
        starts: Sequence[PartStarts],
        frame: Frame,
        periods: Sequence[Span],
    ) -> None:
        self._parts, self._ties, self._starts, self._frame = parts, ties, starts, frame
        self._firsts = {period.first for period in periods}
        self._listed = [[len(group.members) for group in part.groups] for part in parts]
        self._rows: dict[int, list[bytes]] = {}
        self._bytes: dict[int, bytes] = {}
        self._patterns: dict[tuple[int, tuple[bool, ...]], int] = {}
        self._sometime: dict[tuple[int, int], int] = {}
        self._touched: dict[tuple[int, int], tuple[Shared, ...]] = {}
        self._over: dict[tuple[int, int], int] = {}
        self._cells: dict[int, list[int]] = {}
        self._changes: dict[int, str] = {}
        self._seats: dict[tuple[int, int], Seat] = {}
        self.able: list[Picks] = []
        """Sets of people who can take a part, each once."""

    def first(self, part: int, start: int) -> Picks:
        """The first of those who can take a part then, as many as are required."""
        able = self.able[self._able_at(part, start)]
        return tuple(
            [places[: group.size] for places, group in zip(able, self._parts[part].groups, strict=True)]
        )

    def of(self, part: int, start: int) -> Seat:
        """The part at this start."""
        seat = self._seats.get((part, start))
        if seat is None:
            cell = bisect_right(self._cells_of(part), start)
            able = self._able_at(part, start)
            if (part, cell) not in self._touched:
                self._touch(part, start, cell)
            clear = start + self._parts[part].duration + self._ties.reach[part]
            seat = Seat(part, start, able, self._able_in(part, cell), cell, clear, self._over[part, cell])
            self._seats[part, start] = seat
        return seat

    def touched(self, part: int, cell: int) -> tuple[Shared, ...]:
        """The shared days and weeks in which the part counts that was seated in this cell."""
        return self._touched[part, cell]

    def released(self, seat: Seat, part: int) -> int:
        """From which start on who takes the seat can take this part."""
        return seat.start + self._parts[seat.part].duration + self._ties.apart[seat.part][part]

    def next_cell(self, seat: Seat) -> int:
        """The first start of the next cell."""
        cells = self._cells_of(seat.part)
        return cells[seat.cell] if seat.cell < len(cells) else self._frame.width

    def next_change(self, seat: Seat) -> int:
        """The first start after it at which others can take the part, or in the next cell."""
        part = seat.part
        if part not in self._changes:
            members = (minutes for group in self._starts[part].members for minutes in group)
            changes = reduce(or_, (minutes ^ minutes << 1 for minutes in members), 0)
            for number in self._cells_of(part):
                changes |= 1 << number
            self._changes[part] = f"{changes:b}"[::-1]
        found = self._changes[part].find("1", seat.start + 1)
        return found if found >= 0 else self._frame.width

    def _cells_of(self, part: int) -> list[int]:
        if part not in self._cells:
            latest = self._parts[part].duration - 1
            numbers = {
                self._frame.number(minute)
                for bound in self._ties.bounds()
                for minute in (bound, bound - latest)
            }
            self._cells[part] = sorted(self._firsts | numbers)
        return self._cells[part]

    def _touch(self, part: int, start: int, cell: int) -> None:
        begins = self._frame.minute(start)
        shared = self._ties.touched(Span(begins, begins + self._parts[part].duration))
        self._touched[part, cell] = shared
        self._over[part, cell] = max(
            [self._frame.number(self._ties.over(each)) for each in shared], default=FAR
        )

    def _able_at(self, part: int, start: int) -> int:
        byte, bit = start >> 3, start & 7
        return self._known(part, tuple([bool(row[byte] >> bit & 1) for row in self._rows_of(part)]))

    def _able_in(self, part: int, cell: int) -> int:
        if (part, cell) not in self._sometime:
            cells = self._cells_of(part)
            span = Span(
                cells[cell - 1] if cell else 0, cells[cell] if cell < len(cells) else self._frame.width
            )
            pattern = tuple([bool(between(row, span)) for row in self._rows_of(part)])
            self._sometime[part, cell] = self._known(part, pattern)
        return self._sometime[part, cell]

    def _known(self, part: int, pattern: tuple[bool, ...]) -> int:
        """The place in `able` of those who are there, of all members in turn."""
        known = self._patterns.get((part, pattern))
        if known is None:
            there = iter(pattern)
            able = tuple([tuple(compress(count(), islice(there, size))) for size in self._listed[part]])
            known = self._patterns[part, pattern] = len(self.able)
            self.able.append(able)
        return known

    def _rows_of(self, part: int) -> list[bytes]:
        """The starts of each member; those of equal demands are one object, and made bytes of once."""
        if part not in self._rows:
            members = [minutes for group in self._starts[part].members for minutes in group]
            for minutes in members:
                if id(minutes) not in self._bytes:
                    self._bytes[id(minutes)] = as_bytes(minutes, self._frame.width)
            self._rows[part] = [self._bytes[id(minutes)] for minutes in members]
        return self._rows[part]
