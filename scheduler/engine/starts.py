"""When each part can start, as far as it alone decides: its members, its grid, the query periods."""

from typing import NamedTuple

from scheduler.engine.frame import Frame
from scheduler.engine.limits import Headrooms
from scheduler.engine.local_time import on_grid
from scheduler.engine.minutes import Lasting, at_least
from scheduler.query import Member, Part, Period, Query


class PartStarts(NamedTuple):
    """Sets of minutes at which a part can start."""

    all: int
    """With enough members in every group."""
    members: tuple[tuple[int, ...], ...]
    """With this member of this group, as far as the member decides."""


class StartFinder:
    """Finds the starts of the parts of one query; what members share is worked out once."""

    def __init__(self, query: Query, inside: Lasting, frame: Frame, headrooms: Headrooms) -> None:
        self._zone, self._frame, self._headrooms = query.zone, frame, headrooms
        self._inside = inside
        self._least = min(part.before.minimum + part.duration + part.after.minimum for part in query.parts)
        self._grids: dict[int, int] = {}
        self._free: dict[int, Lasting] = {}
        self._known: dict[tuple[int, int, int], int] = {}
        self._available: dict[tuple[Period, ...] | None, int] = {None: frame.every}

    def of(self, part: Part) -> PartStarts:
        """The starts of a part."""
        members = tuple(
            tuple(self._of_member(part, member) for member in group.members) for group in part.groups
        )
        starts = self._inside.of(part.duration)
        if part.start_interval is not None:
            starts &= self._grid(part.start_interval)
        for group, able in zip(part.groups, members, strict=True):
            starts &= at_least(group.size, able, self._frame.every)
        return PartStarts(starts, members)

    def _of_member(self, part: Part, member: Member) -> int:
        """Free from the buffer before to the buffer after; available, and within the limits, in between."""
        before, after = part.before.minimum, part.after.minimum
        starts = self._free_starts(member, before, part.duration + after)
        if member.available is not None or member.limits:
            starts &= Lasting(self._allowed(member)).of(part.duration)
        return starts

    def _free_starts(self, member: Member, before: int, after: int) -> int:
        """The minutes with so many free ones before them, and so many from them on."""
        busy = id(member.busy)  # the query keeps it; comparing hundreds of periods would take longer
        starts = self._known.get((busy, before, after))
        if starts is None:
            if busy not in self._free:
                self._free[busy] = Lasting(self._frame.free(member.busy, self._least))
            starts = self._known[busy, before, after] = self._free[busy].of(before + after) << before
        return starts

    def _allowed(self, member: Member) -> int:
        if member.available not in self._available:
            self._available[member.available] = self._frame.rounded_in(member.available or ())
        allowed = self._available[member.available]
        for limit in member.limits:
            allowed &= ~self._headrooms.of(limit).full(self._frame)
        return allowed

    def _grid(self, interval: int) -> int:
        if interval not in self._grids:
            self._grids[interval] = on_grid(self._zone, interval, self._frame)
        return self._grids[interval]
