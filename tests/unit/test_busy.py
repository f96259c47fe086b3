"""What the events of a calendar mean to availability."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from scheduler.busy import Excluded, busy_periods, counted_periods, to_read
from scheduler.query import Buffer, Group, Limit, Member, Part, Per, Period, Query
from workers.calendars.reading import CalendarEvent, Shown

MIDNIGHT = 1_796_169_600  # 2026-12-02, a Wednesday
HOUR = 3600


@pytest.mark.parametrize(
    ("shown", "blocks", "blocks_without_tentative"),
    [(Shown.BUSY, True, True), (Shown.TENTATIVE, True, False), (Shown.FREE, False, False)],
)
def test_what_is_shown_as_free_does_not_block_and_what_is_tentative_may_not(
    shown: Shown, blocks: bool, blocks_without_tentative: bool
) -> None:
    events = [CalendarEvent(10, 20, shown)]
    assert bool(busy_periods(events)) is blocks
    assert bool(busy_periods(events, ignore_tentative=True)) is blocks_without_tentative


def test_excluded_events_neither_block_nor_count() -> None:
    named, other = CalendarEvent(3, 4, uid="b"), CalendarEvent(5, 6, uid="a")
    excluded = Excluded(frozenset({"a"}), frozenset({"b"}))
    assert busy_periods([named, other], excluded=excluded) == (Period(5, 6),)
    assert counted_periods([named, other], excluded=excluded) == (Period(5, 6),)


def test_an_event_without_an_id_is_not_excluded() -> None:
    assert busy_periods([CalendarEvent(1, 2)], excluded=Excluded()) == (Period(1, 2),)


def test_a_limit_counts_the_events_with_all_its_tags_however_they_are_shown() -> None:
    both = CalendarEvent(1, 2, Shown.FREE, tags=frozenset({"Interview", "Onsite"}))
    one = CalendarEvent(3, 4, tags=frozenset({"Interview"}))
    assert counted_periods([both, one], tags=frozenset({"Interview", "Onsite"})) == (Period(1, 2),)
    assert counted_periods([both, one]) == (Period(1, 2), Period(3, 4))


def test_one_event_in_several_calendars_counts_once_by_its_icalendar_uid() -> None:
    at_google = CalendarEvent(1, 2, uid="g", ical_uid="meeting")
    at_microsoft = CalendarEvent(1, 2, Shown.TENTATIVE, uid="m", ical_uid="meeting")
    next_week = CalendarEvent(8, 9, uid="g2", ical_uid="meeting")
    assert counted_periods([at_google, at_microsoft, next_week]) == (Period(1, 2), Period(8, 9))
    assert len(counted_periods([CalendarEvent(1, 2), CalendarEvent(1, 2)])) == 2


def test_the_copy_that_has_the_tags_counts() -> None:
    tagged = CalendarEvent(1, 2, uid="g", ical_uid="meeting", tags=frozenset({"Interview"}))
    plain = CalendarEvent(1, 2, uid="m", ical_uid="meeting")
    assert counted_periods([plain, tagged, plain], tags=frozenset({"Interview"})) == (Period(1, 2),)


def test_what_is_excluded_in_one_calendar_does_not_count_by_another() -> None:
    copies = (
        CalendarEvent(1, 2, uid="g", ical_uid="meeting"),
        CalendarEvent(1, 2, uid="m", ical_uid="meeting"),
    )
    assert counted_periods(copies, excluded=Excluded(event_uids=frozenset({"g"}))) == ()


def test_free_whole_days_without_tags_do_not_count() -> None:
    holiday = CalendarEvent(1, 2, Shown.FREE, uid="a", all_day=True)
    away = CalendarEvent(3, 4, Shown.BUSY, uid="b", all_day=True)
    ours = CalendarEvent(5, 6, Shown.FREE, uid="c", all_day=True, tags=frozenset({"Onsite"}))
    assert counted_periods([holiday, away, ours]) == (Period(3, 4), Period(5, 6))


def asked(*limits: Limit) -> Query:
    member = Member("recruiter", limits=limits)
    part = Part("1", 30, (Group((member,)),), before=Buffer(10), after=Buffer(20))
    return Query((Period(MIDNIGHT + 9 * HOUR, MIDNIGHT + 10 * HOUR),), (part,))


def test_calendars_are_read_as_far_as_buffers_reach() -> None:
    assert to_read(asked()) == Period(MIDNIGHT + 9 * HOUR - 600, MIDNIGHT + 10 * HOUR + 1200)


def test_calendars_are_read_for_whole_days_and_weeks_of_limits() -> None:
    assert to_read(asked(Limit(Per.DAY, 1))) == Period(MIDNIGHT, MIDNIGHT + 24 * HOUR)
    kolkata = Limit(Per.DAY, 1, ZoneInfo("Asia/Kolkata"))
    assert to_read(asked(kolkata)) == Period(MIDNIGHT - 5 * HOUR - 1800, MIDNIGHT + 18 * HOUR + 1800)
    monday = MIDNIGHT - 48 * HOUR
    assert to_read(asked(Limit(Per.WEEK, 1, UTC))) == Period(monday, monday + 7 * 24 * HOUR)
