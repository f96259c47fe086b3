"""The lines before lanes, as far as they are Python's: where the writes of a part are to stand."""

from collections.abc import Mapping, Sequence

import msgspec

from bookings import part_writes
from bookings.record import Write


class Line(msgspec.Struct, frozen=True):
    """Where a write waits: in the line of its lane or, until it is due, in the lane's queue."""

    lane: str
    most: int
    """How many parts of the lane a worker has under way at a time."""
    at: int
    """When it is due, or the line may go on at the earliest (Unix ms)."""
    queued: bool = False
    """Whether it stands in the line only once it is due."""


class Stands(msgspec.Struct, frozen=True):
    """Where the writes of a part stand, by their ids; what starts sooner goes first.

    Times in Unix milliseconds. `give_up_at` is when the part is looked at in any case, however long the lines
    are.
    """

    lines: Mapping[str, Line] = {}
    start: int = 0
    give_up_at: int = 0

    def text(self, writes: Sequence[Write]) -> str:
        """As `scripts/lines.lua` reads it; empty where no write that is still open stands anywhere."""
        told: dict[str, Line] = {}
        for write in part_writes.unsettled(writes):
            line = self.lines.get(write.id)
            if line is not None and (line.lane not in told or not line.queued):
                told[line.lane] = line
        if not told:
            return ""
        each = (
            f"{self.start} {line.at} {'queue' if line.queued else 'line'} {line.most} {line.lane}\n"
            for line in told.values()
        )
        return f"{self.give_up_at}\n" + "".join(each)


NOWHERE = Stands()
