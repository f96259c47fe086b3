"""The availability engine: when a sequence of parts can take place. Pure; all it needs is in the query.

One integer per person, a bit for each minute, says when they are free. Shifts and ands say where each part
can start and, from the last part back to the first, from which starts all others can follow. Only then, one
start after the other, is somebody picked for each group.
"""

from collections.abc import Iterator
from itertools import islice

from scheduler.engine.chain import Chain
from scheduler.engine.frame import Frame, frame_of, whole_minutes
from scheduler.engine.limits import Rooms
from scheduler.engine.minutes import Lasting, Span, union
from scheduler.engine.picking import Picker
from scheduler.engine.reach import Reach, leads, orders
from scheduler.engine.search import Found, Search
from scheduler.engine.shared_limits import Picks, SharedLimits
from scheduler.engine.starts import StartFinder
from scheduler.query import Part, Placed, Query, Sequence

MOST_DEAD_ENDS = 2_000
"""How often picking members may get stuck in one query, which only limits can make it. After that, starts
where the first picks do not fit are left out."""


def find_sequences(query: Query) -> tuple[Sequence, ...]:
    """The tightest sequence of each start that one can have, the earliest first, at most `max_results`.

    The tightest ends first; of several, its order is closer to the listed one, then its starts are earlier.
    Members are picked as they are listed, an earlier part deciding before a later one.
    """
    spans = whole_minutes(query.periods)
    return tuple(islice(_sequences(query, spans), query.max_results)) if spans else ()


def _sequences(query: Query, spans: list[Span]) -> Iterator[Sequence]:
    frame = frame_of(query.parts, spans)
    query_periods = [frame.numbers(span) for span in spans]
    rooms, inside = Rooms(frame), Lasting(union(query_periods, frame.width))
    finder = StartFinder(query, inside, frame, rooms)
    starts = [finder.of(part) for part in query.parts]
    longest = max(span.last - span.first for span in spans)
    reach = Reach([each.all for each in starts], inside, leads(query.parts, longest), frame.width)
    limits = SharedLimits(query.parts, rooms)
    picker = Picker(query.parts, limits, starts, frame, MOST_DEAD_ENDS)
    places = _Places(query.parts, frame)
    durations, in_order = [part.duration for part in query.parts], orders(query.parts)
    for within in query_periods:
        held = [order for order in in_order if reach.within(order, within)]
        if held and picker.may_find(within):
            search = Search(Chain(reach, within, durations), picker, held)
            yield from map(places.of, search.found())


class _Places:
    """Puts what was found as it is answered; sequences share many of their parts."""

    def __init__(self, parts: tuple[Part, ...], frame: Frame) -> None:
        self._parts, self._frame = parts, frame
        self._placed: dict[tuple[int, int, Picks], Placed] = {}
        self._groups: dict[tuple[int, Picks], tuple[tuple[str, ...], ...]] = {}

    def of(self, found: Found) -> Sequence:
        """The sequence that was found."""
        return tuple(map(self._place, found.order, found.starts, found.picks))

    def _place(self, place: int, start: int, picks: Picks) -> Placed:
        key = (place, start, picks)
        if key not in self._placed:
            part, begins = self._parts[place], self._frame.minute(start) * 60
            ends = begins + part.duration * 60
            self._placed[key] = Placed(part.sequence_id, begins, ends, self._subs(place, picks))
        return self._placed[key]

    def _subs(self, place: int, picks: Picks) -> tuple[tuple[str, ...], ...]:
        if (place, picks) not in self._groups:
            self._groups[place, picks] = tuple(
                tuple([group.members[member].sub for member in members])
                for group, members in zip(self._parts[place].groups, picks, strict=True)
            )
        return self._groups[place, picks]
