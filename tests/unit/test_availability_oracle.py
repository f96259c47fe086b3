"""The availability engine answers what trying everything finds, on random small queries."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from scheduler.availability import find_sequences
from scheduler.query import Buffer, Group, Limit, Member, Part, Per, Period, Query
from tests.availability_oracle import find_all

ZONES: list[tzinfo] = [
    UTC,
    *map(
        ZoneInfo,
        (
            "Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago",
            "Asia/Kathmandu",
        ),
    ),
]  # fmt: skip
MOMENTS = [
    int(datetime.fromisoformat(text).timestamp())
    for text in (
        "2026-03-29T01:00Z", "2026-10-25T01:00Z",  # London
        "2026-03-29T00:00Z", "2026-10-24T23:00Z",  # London's midnights before
        "2026-03-08T07:00Z", "2026-11-01T06:00Z",  # New York
        "2026-04-04T15:00Z", "2026-10-03T15:30Z",  # Lord Howe, by half an hour
        "2026-04-23T22:00Z", "2026-10-29T21:00Z",  # Cairo; there is no midnight in spring
        "2026-04-05T03:00Z", "2026-09-06T04:00Z",  # Santiago; there is no midnight in September
        "2026-11-30T00:00Z", "2026-12-02T00:00Z",  # a Monday, and a midnight in the week
    )
]  # fmt: skip
"""Changes of clocks, and ends of days and weeks."""


SUBS = ("recruiter", "manager", "engineer", "director")


@st.composite
def periods(
    draw: st.DrawFn, near: int, number: int, *, within: int, lasting: tuple[int, int]
) -> tuple[Period, ...]:
    """So many periods that start within so many minutes of a moment and last so many, some with odd seconds."""
    found = []
    for _ in range(number):
        start = near + draw(st.integers(-within, within)) * 60 + draw(st.sampled_from((0, 0, 0, 1, 30, 59)))
        end = start + draw(st.integers(*lasting)) * 60 + draw(st.sampled_from((0, 0, 0, -1, 29)))
        found.append(Period(start, end))
    return tuple(found)


@st.composite
def limits(draw: st.DrawFn, near: int) -> Limit:
    return Limit(
        draw(st.sampled_from(Per)),
        draw(st.sampled_from((0, 1, 1, 1, 2, 2, 3))),
        draw(st.sampled_from(ZONES)),
        draw(periods(near, draw(st.integers(0, 2)), within=1500, lasting=(0, 200))),
    )


@st.composite
def groups(draw: st.DrawFn, near: int, calendars: dict[str, tuple[Period, ...]]) -> Group:
    members = []
    for sub in draw(st.lists(st.sampled_from(SUBS), min_size=1, max_size=3, unique=True)):
        read = sub if draw(st.integers(0, 4)) else draw(st.sampled_from(SUBS))  # other calendars of theirs
        available = None
        if draw(st.integers(0, 4)) == 0:
            available = draw(
                periods(near, draw(st.sampled_from((1, 1, 2, 2, 0))), within=90, lasting=(30, 200))
            )
        limited = draw(st.lists(limits(near), max_size=2)) if draw(st.integers(0, 2)) == 0 else []
        members.append(Member(sub, calendars[read], available, tuple(limited)))
    return Group(tuple(members), draw(st.sampled_from((None, 1, len(members)))))


buffers = st.builds(
    Buffer,
    st.sampled_from((0, 0, 0, 0, 1, 7, 20)),
    st.sampled_from((None, None, None, None, None, None, 0, 5, 20, 60)),
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """One to three parts within some hours around a moment; fewer and shorter ones where any minute is a start."""
    near = draw(st.sampled_from(MOMENTS))
    any_minute = draw(st.integers(0, 3)) == 0
    calendars = {
        sub: draw(periods(near, draw(st.integers(0, 2)), within=150, lasting=(0, 30))) for sub in SUBS
    }
    ordinals = draw(st.sampled_from(((None,), (1,), (1, 2, 3), (1, 1, 2, None))))
    parts = [
        Part(
            str(number),
            draw(st.integers(1, 25)),
            tuple(
                draw(st.lists(groups(near, calendars), min_size=1, max_size=draw(st.sampled_from((1, 1, 2)))))
            ),
            draw(st.sampled_from(ordinals)),
            draw(st.sampled_from((None, 5) if any_minute else (5, 5, 10, 10, 15, 20, 30, 60))),
            draw(buffers),
            draw(buffers),
        )
        for number in range(draw(st.sampled_from((1, 2, 2) if any_minute else (1, 2, 3, 3))))
    ]
    within, lasting = (30, (20, 60)) if any_minute else (80, (60, 200))
    return Query(
        draw(periods(near, draw(st.integers(1, 2)), within=within, lasting=lasting)),
        tuple(parts),
        draw(st.sampled_from(ZONES)),
        draw(st.sampled_from((1000, 1000, 1000, 1, 2))),
    )


@st.composite
def limited_queries(draw: st.DrawFn) -> Query:
    """Around a midnight, people who take several parts and have nothing but limits of one or two."""
    near = draw(st.sampled_from(MOMENTS[-2:]))
    few = st.builds(Limit, st.sampled_from(Per), st.sampled_from((1, 1, 2)))
    people = {
        sub: Member(
            sub, draw(periods(near, draw(st.integers(0, 1)), within=60, lasting=(5, 30))), None, limits
        )
        for sub in SUBS[:3]
        for limits in [tuple(draw(st.lists(few, max_size=2)))]
    }
    group = st.lists(st.sampled_from(sorted(people)), min_size=1, max_size=3, unique=True).map(
        lambda subs: Group(tuple(people[sub] for sub in subs), 1 if len(subs) > 1 else None)
    )
    maximum = st.sampled_from((None, None, None, 10, 45))
    ordinals = draw(st.sampled_from(((None,), (1,), (1, 2))))
    parts = [
        Part(
            str(number),
            draw(st.integers(5, 25)),
            tuple(draw(st.lists(group, min_size=1, max_size=draw(st.sampled_from((1, 1, 2)))))),
            draw(st.sampled_from(ordinals)),
            draw(st.sampled_from((5, 10, 15))),
            Buffer(0, draw(maximum)),
        )
        for number in range(draw(st.sampled_from((2, 3, 3))))
    ]
    around = Period(near - draw(st.integers(20, 50)) * 60, near + draw(st.integers(20, 50)) * 60)
    return Query((around,), tuple(parts))


@given(queries())
def test_the_engine_answers_what_trying_everything_finds(query: Query) -> None:
    assert list(find_sequences(query).sequences) == find_all(query)


@given(limited_queries())
def test_so_it_does_where_limits_move_parts_to_another_day(query: Query) -> None:
    assert list(find_sequences(query).sequences) == find_all(query)
