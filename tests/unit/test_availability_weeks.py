"""The availability engine over two days to five weeks, where limits and buffers tie parts far apart.

Ten thousand queries: `pytest tests/unit/test_availability_weeks.py --hypothesis-profile thorough`; with
`--hypothesis-show-statistics` it tells how many answers said that they were not whole.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from scheduler.availability import find_sequences
from scheduler.engine.effort import Effort
from scheduler.query import Buffer, Group, Limit, Member, Part, Per, Period, Query
from tests.availability_oracle import find_all

FIRST_DAY = datetime(2027, 3, 25, tzinfo=UTC)
"""A Thursday. Three days later clocks change in London."""
SUBS = ("recruiter", "manager", "engineer", "director")
HOURS = st.sampled_from(((9, 12), (9, 11), (14, 16), (10, 13)))
SECONDS_A_DAY = 86_400


def at(day: int, hour: float) -> int:
    return int((FIRST_DAY + timedelta(days=day, hours=hour)).timestamp())


@st.composite
def calendars(draw: st.DrawFn, days: int) -> tuple[Period, ...]:
    """Hours in some of these days."""
    taken = draw(st.lists(st.tuples(st.integers(0, days - 1), st.integers(9, 15)), max_size=2 + days // 3))
    return tuple(Period(at(day, hour), at(day, hour + 1)) for day, hour in taken)


@st.composite
def limits(draw: st.DrawFn, days: int) -> tuple[Limit, ...]:
    found = []
    for per in draw(st.sampled_from(((), (Per.DAY,), (Per.DAY,), (Per.WEEK,), (Per.DAY, Per.WEEK)))):
        most = draw(st.sampled_from((1, 1, 2) if per is Per.DAY else (1, 2, 2, 3)))
        found.append(Limit(per, most, UTC, draw(calendars(days)) if draw(st.booleans()) else ()))
    return tuple(found)


@st.composite
def weeks(draw: st.DrawFn) -> Query:
    """Two to four parts in one query period; the longer it is, the fewer hours a day people have."""
    days = draw(st.integers(2, 35))
    hours = draw(HOURS) if days < 10 else (9, 11)
    open_days = range(0, days, 1 if days < 10 else draw(st.sampled_from((2, 3, 5))))
    available = tuple(Period(at(day, hours[0]), at(day, hours[1])) for day in open_days)
    people = {
        sub: Member(sub, draw(calendars(days)), available, draw(limits(days)))
        for sub in SUBS[: draw(st.integers(1, 4))]
    }
    buffer = st.builds(
        Buffer,
        st.sampled_from((0, 0, 0, 0, 30, 60)),
        st.sampled_from((None, None, None, None, 60, 2 * 1440)),
    )
    some = st.lists(st.sampled_from(sorted(people)), min_size=1, max_size=3, unique=True)
    parts = []
    ordinals = draw(st.sampled_from(((None,), (1,), (1,), (1, 2), (1, 1, 2))))
    for number in range(draw(st.sampled_from((2, 3, 3, 3, 4)))):
        groups = []
        for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
            subs = draw(some)
            required = draw(st.sampled_from((None, 1, min(2, len(subs)))))
            groups.append(Group(tuple(people[sub] for sub in subs), required))
        parts.append(
            Part(
                str(number),
                draw(st.sampled_from((30, 60, 60))),
                tuple(groups),
                draw(st.sampled_from(ordinals)),
                draw(st.sampled_from((30, 60, 60))),
                draw(buffer),
                draw(buffer),
            )
        )
    return Query(
        (Period(at(0, 0), at(days, 0)),), tuple(parts), max_results=draw(st.sampled_from((5, 15, 40)))
    )


@settings(suppress_health_check=list(HealthCheck))
@given(weeks())
def test_what_is_found_over_weeks_is_what_trying_everything_finds(query: Query) -> None:
    found, whole = find_sequences(query, Effort(1))
    right = find_all(query)
    event("whole" if whole else "not whole")
    assert list(found) == (right if whole else right[: len(found)])
