"""What is asked of the availability engine, and what it answers.

Instants are Unix seconds, what lasts is minutes. The words are those of Cronofy's sequenced availability
query (docs.cronofy.com/developers/api/scheduling/sequenced-availability/). Nothing is checked here.
"""

from datetime import UTC, tzinfo
from enum import StrEnum
from typing import NamedTuple

import msgspec

MOST_RESULTS = 1000


class Period(NamedTuple):
    """From `start` up to but not including `end`; empty where it does not end after it starts."""

    start: int
    end: int


class Per(StrEnum):
    """What a limit counts in: days of its zone, or weeks from Monday to Sunday UTC."""

    DAY = "day"
    WEEK = "week"


class Limit(msgspec.Struct, frozen=True):
    """An availability constraint: no more than `most` events in any one day or week that an event touches."""

    per: Per
    most: int
    zone: tzinfo = UTC
    """Whose days are counted; of no meaning to weeks."""
    events: tuple[Period, ...] = ()
    """The events that are there already and count."""


class Member(msgspec.Struct, frozen=True):
    """A person as a member of one group. Members that share one tuple of `busy` share the work on it."""

    sub: str
    busy: tuple[Period, ...] = ()
    available: tuple[Period, ...] | None = None
    """When they can meet at all; None for whenever they are not busy, () for never."""
    limits: tuple[Limit, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """People of whom `required` take part, or all. No person is listed twice in one group."""

    members: tuple[Member, ...]
    required: int | None = None

    @property
    def size(self) -> int:
        """How many take part."""
        return len(self.members) if self.required is None else self.required


class Buffer(msgspec.Struct, frozen=True):
    """Minutes on one side of a part.

    Its members are free in their calendars for the minimum; periods of any kind need not reach that far.
    The gap to the part on that side, if there is one, is no longer than the maximum, and at least the minimum
    where somebody has to take both parts: a member of groups of which all are required.
    """

    minimum: int = 0
    maximum: int | None = None


class Part(msgspec.Struct, frozen=True):
    """One event of the sequence."""

    sequence_id: str | int
    duration: int
    groups: tuple[Group, ...]
    ordinal: int | None = None
    """Its step: equal ones may come in any order. Parts without follow all others, as they are listed."""
    start_interval: int | None = None
    """A divisor of 60: the minutes at which it can start, on the clock of the query's zone. None is any."""
    before: Buffer = Buffer()
    after: Buffer = Buffer()


class Query(msgspec.Struct, frozen=True):
    """A sequence to find times for. It lies in one query period, as a whole; those that touch are one."""

    periods: tuple[Period, ...]
    parts: tuple[Part, ...]
    zone: tzinfo = UTC
    max_results: int = MOST_RESULTS


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A part with its time, and the members picked for each of its groups, as these are listed."""

    sequence_id: str | int
    start: int
    end: int
    groups: tuple[tuple[str, ...], ...]

    @property
    def subs(self) -> tuple[str, ...]:
        """Who takes part, each once."""
        return tuple(dict.fromkeys(sub for group in self.groups for sub in group))


Sequence = tuple[Placed, ...]
"""One answer: every part once, in the order of time."""
