"""Limits that parts of a sequence share: taking one may keep a person from another of that day or week."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scheduler.engine.limits import Room, Rooms
from scheduler.engine.minutes import Span
from scheduler.query import Part

Picks = tuple[tuple[int, ...], ...]
"""Some of the members of each group of a part, by their places in the group."""


class Turn(NamedTuple):
    """A part that a person takes, and the shared limits they have there."""

    part: int
    span: Span
    rooms: Sequence[Room]


Taken = Mapping[str, tuple[Turn, ...]]
"""The parts that people with shared limits take."""


class SharedLimits:
    """The shared limits of one query's parts. Those who may take some parts may also take fewer of them."""

    def __init__(self, parts: Sequence[Part], rooms: Rooms) -> None:
        self._parts = parts
        listed = Counter(
            sub for part in parts for sub in {member.sub for group in part.groups for member in group.members}
        )
        self._rooms = [
            [
                [
                    [room for room in map(rooms.of, member.limits) if room.is_tight(listed[member.sub])]
                    for member in group.members
                ]
                for group in part.groups
            ]
            for part in parts
        ]
        members = [member for part in parts for group in part.groups for member in group.members]
        flat = [some for part in self._rooms for group in part for some in group]
        self.all = [room for some in flat for room in some]
        """All of them; most queries have none."""
        self._subs = frozenset(member.sub for member, some in zip(members, flat, strict=True) if some)

    def allowed(self, part: int, span: Span, able: Picks, taken: Taken) -> Picks:
        """Those of the able whom nothing they take keeps from this part."""
        return tuple(
            tuple(
                place
                for place in places
                if (turns := taken.get(group.members[place].sub)) is None
                or _fit((*turns, Turn(part, span, rooms[place])))
            )
            for places, group, rooms in zip(able, self._parts[part].groups, self._rooms[part], strict=True)
        )

    def with_picks(self, taken: Taken, part: int, span: Span, picks: Picks) -> Taken:
        """What is taken when these members take the part as well."""
        more = dict(taken)
        for places, group, rooms in zip(picks, self._parts[part].groups, self._rooms[part], strict=True):
            for place in places:
                sub = group.members[place].sub
                if sub in self._subs:
                    more[sub] = (*more.get(sub, ()), Turn(part, span, rooms[place]))
        return more


def _fit(turns: Sequence[Turn]) -> bool:
    """Whether one person can take all these parts."""
    spans = {turn.part: turn.span for turn in turns}.values()
    return all(room.fits(turn.span, spans) for turn in turns for room in turn.rooms)
