"""The largest query that is allowed: five parts, ten people in each, fifty periods over thirty-five days."""

from datetime import UTC, datetime, timedelta
from random import Random

from scheduler.query import Buffer, Group, Limit, Member, Part, Period, Query

_MONDAY = datetime(2027, 3, 1, tzinfo=UTC)
_DAYS, _PEOPLE = 35, 10
_DURATIONS = (45, 30, 45, 30, 30)
_GROUPS = ((4, 2), (4, 1), (2, 1))
"""How many people are in each group of a part, and how many of them are required."""


def largest(
    seed: int,
    *,
    meetings: int = 200,
    any_order: bool = False,
    limits: tuple[Limit, ...] = (),
    apart: bool = True,
) -> Query:
    """Mornings and afternoons of all working days, and people with so many meetings in these weeks.

    `apart`: whether buffers keep the parts of one person apart.
    """
    random = Random(seed)  # noqa: S311 - a calendar, no secret
    days = [_MONDAY + timedelta(days=day) for day in range(_DAYS) if day % 7 < 5]
    periods = [
        _period(day + timedelta(hours=begins), timedelta(hours=5)) for day in days for begins in (8, 13.5)
    ]
    people = [
        Member(f"acc_{number}", _calendar(random, days, meetings), None, limits) for number in range(_PEOPLE)
    ]
    parts = [
        Part(
            str(place),
            minutes,
            _groups(people[2 * place :] + people[: 2 * place]),
            1 if any_order else place + 1,
            5,
            Buffer(5 if apart else 0, 60),
            Buffer(10 if apart else 0, 60),
        )
        for place, minutes in enumerate(_DURATIONS)
    ]
    return Query(tuple(periods), tuple(parts))


def weeks(people: int, required: int, limit: Limit) -> Query:
    """Five parts in any order in one period of 35 days, of people who are free from nine to five."""
    days = [_MONDAY + timedelta(days=day) for day in range(_DAYS)]
    work = tuple(_period(day + timedelta(hours=9), timedelta(hours=8)) for day in days)
    members = tuple(Member(f"acc_{number}", (), work, (limit,)) for number in range(people))
    parts = [
        Part(str(minutes), minutes, (Group(members, required),), 1, 5) for minutes in (30, 45, 60, 75, 90)
    ]
    return Query((_period(_MONDAY, timedelta(days=_DAYS)),), tuple(parts))


def _groups(people: list[Member]) -> tuple[Group, ...]:
    groups, first = [], 0
    for size, required in _GROUPS:
        groups.append(Group(tuple(people[first : first + size]), required))
        first += size
    return tuple(groups)


def _calendar(random: Random, days: list[datetime], meetings: int) -> tuple[Period, ...]:
    """Meetings in working hours, which begin every five minutes; one in twenty has odd seconds."""
    found = []
    for _ in range(meetings):
        begins = random.choice(days) + timedelta(minutes=5 * random.randrange(8 * 12, 18 * 12))
        odd = timedelta(seconds=random.randrange(60) if random.random() < 0.05 else 0)
        found.append(_period(begins + odd, timedelta(minutes=random.choice((30, 30, 30, 45, 60)))))
    return tuple(sorted(found))


def _period(start: datetime, lasts: timedelta) -> Period:
    return Period(int(start.timestamp()), int((start + lasts).timestamp()))
