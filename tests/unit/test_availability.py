"""When a sequence of parts can take place."""

import pytest

from scheduler.availability import find_sequences
from scheduler.query import Buffer, Member, Part, Period, Query
from tests.availability_words import (
    CYD,
    KOLKATA,
    LORD_HOWE,
    MANAGER,
    RECRUITER,
    at,
    names,
    needs,
    part,
    periods,
    person,
    picked,
    query,
    times,
)

# Starts.


def test_a_part_can_start_wherever_its_members_are_free_on_the_grid() -> None:
    asked = query(part(needs(person("recruiter", "10:15-10:45"))), during=("9:00-13:00",))
    assert times(asked) == ["09:00", "11:00", "12:00"]


def test_an_answer_says_when_a_part_starts_and_ends_and_who_takes_part() -> None:
    [[placed]] = find_sequences(
        query(part(needs(RECRUITER, MANAGER), name="x", minutes=45), during=("9:00-10:00",))
    ).sequences
    assert (placed.sequence_id, placed.start, placed.end) == ("x", at("9:00"), at("9:45"))
    assert placed.groups == (("recruiter", "manager"),)


def test_without_a_start_interval_a_part_can_start_at_any_minute() -> None:
    assert times(query(part(every=None), during=("9:01-10:03",))) == ["09:01", "09:02", "09:03"]


def test_an_integer_sequence_id_comes_back_as_it_was() -> None:
    [[placed]] = find_sequences(Query(periods("9:00-10:00"), (Part(7, 60, (needs(RECRUITER),)),))).sequences
    assert placed.sequence_id == 7


def test_an_event_that_only_touches_a_part_does_not_keep_it_from_taking_place() -> None:
    assert times(query(part(needs(person("recruiter", "8:00-9:00", "10:00-12:00"))))) == ["09:00"]


def test_busy_seconds_block_their_whole_minute() -> None:
    free_from = person("recruiter", "9:00-9:30:01", "10:32:59-12:00")
    assert times(query(part(needs(free_from), every=None))) == ["09:31", "09:32"]


def test_seconds_of_query_and_available_periods_do_not_make_a_minute() -> None:
    assert times(query(part(every=None), during=("9:00:01-10:02:59",))) == ["09:01", "09:02"]
    available = person("recruiter", available=("9:00:01-10:02:59",))
    assert times(query(part(needs(available), every=None))) == ["09:01", "09:02"]


@pytest.mark.parametrize("nothing", [("10:00-10:00",), ("10:30-10:15",), ("9:59:30-9:59:30",)])
def test_events_that_do_not_end_after_they_start_block_nothing(nothing: tuple[str, ...]) -> None:
    assert times(query(part(needs(person("recruiter", *nothing))))) == ["09:00", "10:00", "11:00"]


def test_overlapping_events_of_several_calendars_block_what_any_of_them_does() -> None:
    assert times(query(part(needs(person("recruiter", "9:30-10:30", "10:00-11:00", "9:45-10:15"))))) == [
        "11:00"
    ]


def test_someone_is_available_in_available_periods_only() -> None:
    assert times(query(part(needs(person("recruiter", available=("9:30-11:30",)))))) == ["10:00"]
    assert times(query(part(needs(person("recruiter", available=()))))) == []


def test_a_part_takes_place_across_available_periods_that_touch() -> None:
    assert times(query(part(needs(person("recruiter", available=("9:00-9:30", "9:30-10:00")))))) == ["09:00"]


def test_an_event_far_outside_costs_nothing() -> None:
    assert times(query(part(needs(person("recruiter", "2026-12-02 9:00-9:30"))), during=("9:00-11:00",))) == [
        "10:00"
    ]
    ages = Member("recruiter", (Period(0, at("9:30")), Period(at("10:30"), at("9999-12-31 0:00"))))
    assert times(query(part(needs(ages), minutes=30, every=30))) == ["09:30", "10:00"]


def test_events_between_query_periods_cost_nothing() -> None:
    between = ("11:00-11:10", "11:40-11:50", "12:20-12:30")
    recruiter = person("recruiter", "9:30-10:00", *between, "13:30-14:00")
    asked = query(part(needs(recruiter), minutes=30, every=30), during=("9:00-10:00", "13:00-14:00"))
    assert times(asked) == ["09:00", "13:00"]


# The grid.


def test_the_grid_is_that_of_the_zones_clock() -> None:
    assert times(query(part(), during=("9:00-11:00",), zone=KOLKATA)) == ["09:30"]


def test_the_grid_follows_a_clock_that_changes_by_half_an_hour() -> None:
    change = ("2026-04-04 13:00-19:00",)  # the clock goes back from 2:00 to 1:30 at 15:00Z
    asked = query(part(minutes=10), during=change, zone=LORD_HOWE)
    assert times(asked, LORD_HOWE) == ["00:00", "01:00", "02:00", "03:00", "04:00", "05:00"]


# Groups.


def test_all_of_a_group_are_needed_unless_a_number_is_given() -> None:
    recruiter, manager = person("recruiter", "9:00-10:00"), person("manager", "10:00-11:00")
    assert times(query(part(needs(recruiter, manager)))) == ["11:00"]
    assert times(query(part(needs(recruiter, manager, required=1)))) == ["09:00", "10:00", "11:00"]


def test_those_listed_first_are_picked_first() -> None:
    recruiter, manager = person("recruiter", "9:00-10:00"), person("manager", "10:00-11:00")
    assert picked(query(part(needs(recruiter, manager, CYD, required=2)))) == [
        "manager,engineer",
        "recruiter,engineer",
        "recruiter,manager",
    ]


def test_a_number_of_a_group_is_free_for_the_whole_part_and_not_in_turns() -> None:
    early, late = person("early", "9:30-12:00"), person("late", "9:00-9:30", "10:00-12:00")
    assert times(query(part(needs(early, late, required=1)))) == []


def test_every_group_has_to_be_satisfied() -> None:
    recruiter, manager = person("recruiter", "9:00-10:00"), person("manager", "10:00-11:00")
    assert times(query(part(needs(recruiter), needs(manager)))) == ["11:00"]


def test_one_person_in_two_groups_counts_for_both() -> None:
    asked = query(
        part(needs(RECRUITER, MANAGER, required=1), needs(RECRUITER, CYD, required=1)), during=("9:00-10:00",)
    )
    assert picked(asked) == ["recruiter+recruiter"]
    [[placed]] = find_sequences(asked).sequences
    assert placed.subs == ("recruiter",)


# Query periods.


def test_a_part_lies_inside_one_query_period() -> None:
    assert times(query(part(every=30), during=("9:00-9:30", "9:40-10:40"))) == []
    assert times(query(part(every=30), during=("9:00-9:30", "9:30-10:00"))) == ["09:00"]


def test_a_sequence_lies_inside_one_query_period() -> None:
    assert times(query(part(), part(), during=("9:00-10:00", "10:01-12:00"))) == []
    assert times(query(part(), part(), during=("9:00-10:00", "9:59-11:00"))) == ["09:00 10:00"]
    three = ("7:00-7:30", "9:00-9:30:30", "9:30:30-11:00")
    assert times(query(part(), part(), during=three)) == ["09:00 10:00"]
    short = part(minutes=5, every=None)
    assert times(query(short, short, during=("9:00-9:06", "9:07-9:12"))) == []


def test_a_query_without_a_whole_minute_has_no_answer() -> None:
    assert times(query(part(), during=("9:00:10-9:00:50",))) == []


def test_answers_come_earliest_first_however_the_periods_are_listed() -> None:
    assert times(query(part(), during=("11:00-12:00", "9:00-10:00"))) == ["09:00", "11:00"]


# Sequences.


def test_each_part_follows_as_soon_as_it_can() -> None:
    first, second = part(needs(RECRUITER)), part(needs(person("manager", "10:00-11:00")))
    assert times(query(first, second, during=("9:00-13:00",))) == [
        "09:00 11:00",
        "10:00 11:00",
        "11:00 12:00",
    ]


def test_parts_do_not_overlap_whoever_takes_them() -> None:
    assert times(query(part(needs(RECRUITER), minutes=90), part(needs(MANAGER)), during=("9:00-12:00",))) == [
        "09:00 11:00"
    ]


def test_each_start_has_one_answer_and_no_more_are_given_than_asked_for() -> None:
    parts = part(every=30, minutes=30), part(every=30, minutes=30)
    assert times(query(*parts, during=("9:00-11:00",))) == ["09:00 09:30", "09:30 10:00", "10:00 10:30"]
    assert times(query(*parts, during=("9:00-11:00",), most=2)) == ["09:00 09:30", "09:30 10:00"]


def test_parts_come_in_the_order_of_their_ordinals() -> None:
    parts = part(name="b", ordinal=2), part(name="a", ordinal=1)
    assert names(query(*parts, during=("9:00-11:00",))) == ["ab"]


def test_without_ordinals_parts_come_as_they_are_listed() -> None:
    assert names(query(part(name="b"), part(name="a"), during=("9:00-11:00",))) == ["ba"]


def test_parts_without_an_ordinal_follow_those_with_one() -> None:
    parts = part(name="x"), part(name="y"), part(name="z", ordinal=9)
    assert names(query(*parts, during=("9:00-12:00",))) == ["zxy"]


def test_parts_of_one_step_come_in_whichever_order_ends_first() -> None:
    late = person("manager", "9:00-10:00")
    parts = part(needs(late), name="b", ordinal=1), part(name="a", ordinal=1), part(name="c", ordinal=2)
    assert names(query(*parts, during=("9:00-12:00",))) == ["abc"]


def test_of_orders_that_end_together_it_is_the_listed_one() -> None:
    parts = part(name="b", ordinal=1), part(name="a", ordinal=1)
    assert names(query(*parts, during=("9:00-11:00",))) == ["ba"]


# Buffers.


def test_members_are_free_for_the_minimum_before_and_after() -> None:
    recruiter = person("recruiter", "8:00-9:00", "12:00-13:00")
    assert times(query(part(needs(recruiter), before=Buffer(minimum=60)))) == ["10:00", "11:00"]
    assert times(query(part(needs(recruiter), after=Buffer(minimum=60)))) == ["09:00", "10:00"]
    assert times(query(part(needs(recruiter), before=Buffer(minimum=61)))) == ["11:00"]


def test_a_minimum_reaches_beyond_query_and_available_periods() -> None:
    around = part(needs(person("recruiter", available=("9:00-10:00",))), before=Buffer(30), after=Buffer(15))
    assert times(query(around, during=("9:00-10:00",))) == ["09:00"]
    blocked = part(needs(person("recruiter", "8:00-8:31")), before=Buffer(30))
    assert times(query(blocked, during=("9:00-10:00",))) == []


def test_a_minimum_asks_nothing_of_members_of_other_parts() -> None:
    parts = part(needs(RECRUITER), after=Buffer(minimum=30)), part(needs(MANAGER), before=Buffer(minimum=30))
    assert times(query(*parts, during=("9:00-11:00",))) == ["09:00 10:00"]


def test_who_has_to_take_two_parts_has_the_longer_minimum_between_them() -> None:
    parts = part(every=5, after=Buffer(minimum=10)), part(every=5, before=Buffer(minimum=15))
    assert times(query(*parts, during=("9:00-11:15",))) == ["09:00 10:15"]


def test_a_gap_is_no_longer_than_the_maximum_of_either_side() -> None:
    late = needs(person("manager", "9:00-10:30"))
    for sides in ({"after": 0, "before": 60}, {"after": 60, "before": 0}):
        first = part(every=15, after=Buffer(maximum=sides["after"]))
        second = part(late, every=15, before=Buffer(maximum=sides["before"]))
        assert times(query(first, second, during=("9:00-11:45",))) == ["09:30 10:30", "09:45 10:45"]
    second = part(late, every=15, before=Buffer(maximum=15))
    assert times(query(part(every=15), second, during=("9:00-11:30",))) == ["09:15 10:30", "09:30 10:30"]


def test_the_maximum_before_the_first_and_after_the_last_part_says_nothing() -> None:
    parts = part(before=Buffer(maximum=0)), part(after=Buffer(maximum=0))
    assert times(query(*parts, during=("9:00-11:00",))) == ["09:00 10:00"]


# -- buffers of one person


def test_who_takes_two_parts_has_the_buffer_between_them_whatever_lies_in_between() -> None:
    short = Buffer(60)
    parts = (
        part(needs(RECRUITER), every=30, name="a"),
        part(needs(MANAGER), every=30, minutes=30, name="b"),
        part(needs(RECRUITER), every=30, before=short, name="c"),
    )
    assert times(query(*parts, during=("9:00-12:00",))) == ["09:00 10:00 11:00"]
    assert times(query(*parts, during=("9:00-11:30",))) == []


def test_the_member_is_picked_who_keeps_the_buffer() -> None:
    pool = needs(RECRUITER, MANAGER, required=1)
    parts = part(pool), part(pool, before=Buffer(30))
    assert picked(query(*parts, during=("9:00-11:00",))) == ["recruiter manager"]


def test_where_nobody_else_can_come_the_buffer_makes_a_gap() -> None:
    pool = needs(RECRUITER, person("manager", "0:00-23:59"), required=1)
    parts = part(pool, every=30), part(pool, every=30, before=Buffer(30))
    assert times(query(*parts, during=("9:00-12:00",))) == ["09:00 10:30", "09:30 11:00"]


def test_two_of_three_twice_share_somebody_who_has_the_buffer() -> None:
    pool = needs(RECRUITER, MANAGER, CYD, required=2)
    parts = part(pool, every=30), part(pool, every=30, before=Buffer(30))
    assert times(query(*parts, during=("9:00-12:00",))) == ["09:00 10:30", "09:30 11:00"]
