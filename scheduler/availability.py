"""The availability engine: when a sequence of parts can take place. Pure; all it needs is in the query.

One integer per person, a bit for each minute, says when they are free. Shifts and ands say where each part
can start and, from the last part back to the first, from which starts all others can follow. Only then, one
start after the other, is somebody picked for each group.
"""

from collections.abc import Iterator
from typing import NamedTuple

from scheduler.engine.chain import Chain
from scheduler.engine.crew import Crews
from scheduler.engine.effort import Effort, OutOfTimeError
from scheduler.engine.frame import Frame, frame_of, whole_minutes
from scheduler.engine.limits import Headrooms
from scheduler.engine.minutes import Lasting, Span, union
from scheduler.engine.order import Steps
from scheduler.engine.reach import Reach, leads
from scheduler.engine.search import Found, free_sequences, tied_sequences
from scheduler.engine.seats import Picks, Seats
from scheduler.engine.starts import StartFinder
from scheduler.engine.tied import TiedParts
from scheduler.engine.ties import Ties
from scheduler.query import Part, Placed, Query, Sequence

_LONG_S = 3600.0


class Answer(NamedTuple):
    """What was found."""

    sequences: tuple[Sequence, ...]
    whole: bool
    """False where later sequences may be missing: there was no time left to look for them."""


def find_sequences(query: Query, effort: Effort | None = None) -> Answer:
    """The tightest sequence of each start that one can have, the earliest first, at most `max_results`.

    The tightest ends first; of several, its order is closer to the listed one, then its starts are earlier.
    Members are picked as they are listed, an earlier part deciding before a later one.
    """
    spans, found = whole_minutes(query.periods), list[Sequence]()
    if not spans:
        return Answer((), whole=True)
    try:
        for sequence in _sequences(query, spans, effort or Effort(_LONG_S)):
            found.append(sequence)
            if len(found) == query.max_results:
                break
    except OutOfTimeError:
        return Answer(tuple(found), whole=False)
    return Answer(tuple(found), whole=True)


def _sequences(query: Query, spans: list[Span], effort: Effort) -> Iterator[Sequence]:
    frame = frame_of(query.parts, spans)
    query_periods = [frame.numbers(span) for span in spans]
    headrooms, inside = Headrooms(frame), Lasting(union(query_periods, frame.width))
    finder = StartFinder(query, inside, frame, headrooms)
    starts = [finder.of(part) for part in query.parts]
    longest = max(span.last - span.first for span in spans)
    lead = leads(query.parts, longest)
    reach = Reach([each.all for each in starts], inside, lead, Steps(query.parts), longest, frame.width)
    ties = Ties(query.parts, headrooms, lead)
    seats = Seats(query.parts, ties, starts, frame, query_periods)
    crews = Crews(query.parts, ties, seats, effort)
    places = _Places(query.parts, frame)
    durations = [part.duration for part in query.parts]
    in_order = [] if ties.any else reach.steps.orders
    for within in query_periods:
        effort.step()
        chain = Chain(reach, within, durations)
        if ties.any:
            found = tied_sequences(chain, seats, crews, TiedParts(chain, seats, crews, effort))
        elif held := [order for order in in_order if reach.within(order, within)]:
            found = free_sequences(chain, seats, held)
        else:
            continue
        yield from map(places.of, found)


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
