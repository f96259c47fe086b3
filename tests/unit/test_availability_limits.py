"""Limits of events per day and week, and the parts of a sequence that count towards them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from scheduler.availability import find_sequences
from scheduler.query import Limit, Member, Per, Period, Query
from tests.availability_words import (
    CYD,
    KOLKATA,
    MANAGER,
    RECRUITER,
    at,
    limit,
    needs,
    part,
    person,
    picked,
    query,
    times,
)


def test_nobody_takes_part_on_a_day_that_has_its_events() -> None:
    full = person("recruiter", limits=limit(2, "7:00-8:00", "18:00-19:00"))
    free = person("recruiter", limits=limit(3, "7:00-8:00", "18:00-19:00"))
    assert times(query(part(needs(full)), during=("9:00-10:00",))) == []
    assert times(query(part(needs(free)), during=("9:00-10:00",))) == ["09:00"]


def test_a_limit_of_none_allows_none() -> None:
    assert times(query(part(needs(person("recruiter", limits=limit(0)))))) == []


def test_the_parts_of_the_sequence_count_as_well() -> None:
    recruiter = person("recruiter", limits=limit(2, "7:00-8:00"))
    assert times(query(part(needs(recruiter)), during=("9:00-11:00",))) == ["09:00", "10:00"]
    assert times(query(part(needs(recruiter)), part(needs(recruiter)), during=("9:00-11:00",))) == []
    overnight = (Period(at("22:00"), at("2026-12-03 1:00")),)
    assert times(Query(overnight, (part(needs(recruiter)), part(needs(recruiter))))) == [
        "22:00 00:00",
        "23:00 00:00",
    ]


def test_who_is_needed_later_is_not_picked_before() -> None:
    recruiter = person("recruiter", limits=limit(1))
    parts = part(needs(recruiter, MANAGER, required=1)), part(needs(recruiter))
    assert picked(query(*parts, during=("9:00-11:00",))) == ["manager recruiter"]


def test_a_part_in_two_groups_counts_once() -> None:
    recruiter = person("recruiter", limits=limit(1))
    parts = part(needs(recruiter), needs(recruiter, MANAGER, required=1)), part(needs(CYD))
    assert picked(query(*parts, during=("9:00-11:00",))) == ["recruiter+recruiter engineer"]


def test_a_day_is_one_of_the_limits_zone() -> None:
    evening = limit(1, "2026-12-01 22:00-23:00", zone=KOLKATA)  # 3:30 on Wednesday there
    assert times(query(part(needs(person("recruiter", limits=evening))), during=("17:00-20:00",))) == [
        "19:00"
    ]


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("Europe/London", "2026-03-29", "00:00", "22:00"),  # 23 hours, the last of which begins at 22:00Z
        ("Europe/London", "2026-10-25", "23:00", "23:00"),  # 25 hours
        ("Africa/Cairo", "2026-04-24", "22:00", "20:00"),  # its clock leaps over midnight
        ("America/Santiago", "2026-09-06", "04:00", "02:00"),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone: str, day: str, first: str, last: str) -> None:
    noon = at(f"{day} 12:00")
    around = (Period(noon - 36 * 3600, noon + 36 * 3600),)
    everywhere = set(find_sequences(Query(around, (part(),))).sequences)
    full = Member("recruiter", limits=(Limit(Per.DAY, 1, ZoneInfo(zone), (Period(noon, noon + 60),)),))
    kept = sorted(
        one[0].start
        for one in everywhere - set(find_sequences(Query(around, (part(needs(full)),))).sequences)
    )
    assert [f"{datetime.fromtimestamp(start, UTC):%H:%M}" for start in (kept[0], kept[-1])] == [first, last]


def test_an_event_counts_on_every_day_that_it_touches() -> None:
    late = Limit(Per.DAY, 1, UTC, (Period(at("2026-12-01 23:00"), at("0:00:01")),))
    early = Limit(Per.DAY, 1, UTC, (Period(at("2026-12-01 23:00"), at("0:00")),))
    assert times(query(part(needs(person("recruiter", limits=(late,)))))) == []
    assert times(query(part(needs(person("recruiter", limits=(early,)))))) == ["09:00", "10:00", "11:00"]


def test_an_event_does_not_count_on_the_day_that_it_ends_or_the_day_before_it_starts() -> None:
    night = (Period(at("22:00"), at("2026-12-03 2:00")),)
    busy_day = Limit(Per.DAY, 1, UTC, (Period(at("2026-12-03 0:00"), at("2026-12-04 0:00")),))
    assert times(Query(night, (part(needs(person("recruiter", limits=(busy_day,)))),))) == ["22:00", "23:00"]


def test_an_event_that_takes_no_time_does_not_count() -> None:
    assert times(
        query(part(needs(person("recruiter", limits=limit(1, "10:30-10:30")))), during=("9:00-10:00",))
    ) == ["09:00"]


def test_a_limit_counts_parts_in_which_the_person_has_none() -> None:
    night = (Period(at("23:30"), at("2026-12-03 1:30")),)
    limited, free = (
        part(needs(person("recruiter", limits=limit(1))), every=30),
        part(needs(RECRUITER), every=30),
    )
    assert times(Query(night, (limited, free))) == []
    assert times(Query(night, (limited, part(needs(MANAGER), every=30)))) == ["23:30 00:30"]


def test_a_week_goes_from_monday_to_sunday_utc() -> None:
    week = person("recruiter", limits=limit(1, "2026-12-06 23:00-23:59", per=Per.WEEK, zone=KOLKATA))
    across = (Period(at("2026-12-06 22:00"), at("2026-12-07 1:00")),)
    assert times(Query(across, (part(needs(week)),))) == ["00:00"]
    before = person("recruiter", limits=limit(1, "2026-11-29 23:00-23:59", per=Per.WEEK))
    assert times(query(part(needs(before)))) == ["09:00", "10:00", "11:00"]


def test_a_query_that_limits_make_hopeless_is_given_up_in_time() -> None:
    people = tuple(person(f"acc_{number}", limits=limit(2, per=Per.WEEK)) for number in range(10))
    parts = tuple(part(needs(*people, required=5), every=5, name=str(number)) for number in range(5))
    assert times(query(*parts, during=("0:00-23:59",))) == []


WORK = tuple(f"2026-12-{day:02} 9:00-17:00" for day in range(1, 15))
FORTNIGHT = (Period(at("2026-12-01 0:00"), at("2026-12-15 0:00")),)


def over_days(most: int, per: Per, *, parts: int, days: int) -> int:
    """How many starts one person has for so many parts of an hour, in days from nine to five."""
    someone = person("recruiter", available=WORK[:days], limits=limit(most, per=per))
    during = (Period(at("2026-12-01 0:00"), at("2026-12-01 0:00") + days * 86_400),)
    return len(times(Query(during, tuple(part(needs(someone), name=str(each)) for each in range(parts)))))


def test_parts_go_on_in_the_next_week_where_one_week_has_its_events() -> None:
    # Tuesday the 1st to Monday the 14th: two may be in each of the weeks, of which the last is one day.
    assert over_days(2, Per.WEEK, parts=3, days=13) == 6 * 8


def test_parts_go_on_day_after_day() -> None:
    assert over_days(1, Per.DAY, parts=4, days=6) == 3 * 8


def test_a_crew_is_spread_over_as_many_days_as_its_limits_need() -> None:
    people = [person(f"acc_{each}", available=WORK, limits=limit(1)) for each in range(8)]
    parts = [part(needs(*people, required=3), name=str(each)) for each in range(5)]
    assert len(times(Query(FORTNIGHT, tuple(parts)))) == 12 * 8
