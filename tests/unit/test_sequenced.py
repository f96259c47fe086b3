"""From a request over what the calendars hold to the answer."""

import json
import re
from typing import Any

import pytest

from config.settings import Calendar, Person, Settings
from scheduler.api.sequenced_request import read_request
from scheduler.availability import find_sequences
from scheduler.query import Period
from scheduler.sequenced import Events, answer_of, calendars_of, period_to_read, query_of, unavailable
from tests.availability_words import at, period
from tests.house.project import ROOT
from tests.sequenced_words import FIRST, MANAGER, NOW, RECRUITER, SECOND, changed, read, without
from workers.calendars.reading import CalendarEvent, Shown

FREE: Events = {"interviews": (), "private": (), "manager": ()}
MEMBER = "sequence.0.participants.0.members.0"


def event(when: str, shown: Shown = Shown.BUSY, uid: str | None = None, tags: str = "") -> CalendarEvent:
    start, end = period(when)
    return CalendarEvent(start, end, shown, uid, frozenset(tags.split()))


def answer(data: dict[str, Any], events: Events = FREE) -> list[list[dict[str, Any]]]:
    answered = answer_of(find_sequences(query_of(read(data), events)).sequences)
    return [each["sequence"] for each in answered["sequences"]]


def starts(data: dict[str, Any], events: Events = FREE) -> list[str]:
    """The first starts, `06 09:00`."""
    return [sequence[0]["start"][8:16].replace("T", " ") for sequence in answer(data, events)]


def one(*people: str, required: object = "all", **members: object) -> dict[str, Any]:
    """One part of an hour, on the hour, on one morning."""
    groups = [{"members": [{"sub": sub, **members} for sub in people], "required": required}]
    part = {
        "sequence_id": 7,
        "participants": groups,
        "required_duration": {"minutes": 60},
        "start_interval": {"minutes": 60},
    }
    return {
        "query_periods": [{"start": "2026-12-06T09:00:00Z", "end": "2026-12-06T12:00:00Z"}],
        "sequence": [part],
    }


def test_cronofys_request_is_answered_in_cronofys_shape() -> None:
    answered = answer(FIRST)
    assert answered[0] == [
        {
            "sequence_id": "123",
            "start": "2026-12-06T09:00:00Z",
            "end": "2026-12-06T10:00:00Z",
            "participants": [{"sub": RECRUITER}],
        },
        {
            "sequence_id": "456",
            "start": "2026-12-06T10:00:00Z",
            "end": "2026-12-06T11:00:00Z",
            "participants": [{"sub": MANAGER}],
        },
    ]
    assert starts(FIRST)[:4] == ["06 09:00", "06 10:00", "07 09:00", "07 10:00"]
    assert len(answered) == 10


def test_nothing_found_is_an_empty_list() -> None:
    assert answer_of([]) == {"sequences": []}


def test_a_sequence_id_comes_back_as_it_was_sent() -> None:
    assert answer(one(MANAGER))[0][0]["sequence_id"] == 7


def test_who_is_in_two_groups_is_shown_once() -> None:
    group = {"members": [{"sub": RECRUITER}, {"sub": MANAGER}], "required": 1}
    both = {"members": [{"sub": MANAGER}, {"sub": RECRUITER}], "required": "all"}
    answered = answer(changed("sequence.0.participants", [group, both], one(RECRUITER)))
    assert answered[0][0]["participants"] == [{"sub": RECRUITER}, {"sub": MANAGER}]


def test_of_a_group_as_many_as_required_take_part_as_they_are_listed() -> None:
    events = {**FREE, "manager": (event("2026-12-06 9:00-10:00"),)}
    answered = answer(one(MANAGER, RECRUITER, required=1), events)
    assert [each[0]["participants"] for each in answered] == [
        [{"sub": RECRUITER}],
        [{"sub": MANAGER}],
        [{"sub": MANAGER}],
    ]


@pytest.mark.parametrize("missing", [{"manager": None}, {}])
def test_a_calendar_that_could_not_be_read_makes_its_person_unavailable(missing: Events) -> None:
    events: Events = {"interviews": (), "private": (), **missing}
    assert unavailable(read(FIRST), events) == (MANAGER,)
    assert answer(FIRST, events) == []
    assert answer(one(MANAGER, RECRUITER), events) == []
    assert {
        each[0]["participants"][0]["sub"] for each in answer(one(MANAGER, RECRUITER, required=1), events)
    } == {RECRUITER}


def test_a_calendar_that_is_not_asked_for_may_be_unreadable() -> None:
    events = {**FREE, "private": None}
    assert unavailable(read(FIRST), events) == ()
    assert len(answer(FIRST, events)) == 10
    assert unavailable(read(one(RECRUITER)), events) == (RECRUITER,)


def test_all_calendars_of_a_person_make_them_busy() -> None:
    events = {
        **FREE,
        "interviews": (event("2026-12-06 9:00-9:01"),),
        "private": (event("2026-12-06 11:59-12:30"),),
    }
    assert starts(one(RECRUITER), events) == ["06 10:00"]
    assert starts(one(RECRUITER, calendar_ids=["cal_private"]), events) == ["06 09:00", "06 10:00"]


def test_a_tentative_event_blocks_unless_it_is_ignored() -> None:
    events = {**FREE, "manager": (event("2026-12-06 10:00-11:00", Shown.TENTATIVE),)}
    assert starts(one(MANAGER), events) == ["06 09:00", "06 11:00"]
    assert starts(one(MANAGER, ignore_tentative=True), events) == ["06 09:00", "06 10:00", "06 11:00"]


def test_an_excluded_event_blocks_nothing() -> None:
    events = {**FREE, "manager": (event("2026-12-06 9:00-12:00", uid="evt_1"),)}
    assert starts(one(MANAGER), events) == []
    assert len(starts({**one(MANAGER), "excluded_events": [{"event_uid": "evt_1"}]}, events)) == 3


def limited(most: int, *tags: str) -> dict[str, Any]:
    private = [{"value": tag} for tag in tags]
    constraint = {"period": "day", "tzid": "Europe/London", "limit": most, "tags": {"private": private}}
    return one(RECRUITER, availability_constraints=[constraint])


def test_a_limit_counts_the_events_with_its_tags() -> None:
    events = {**FREE, "private": (event("2026-12-06 19:00-20:00", uid="a", tags="Interview Onsite"),)}
    assert starts(limited(1), events) == []
    assert starts(limited(1, "Interview"), events) == []
    assert len(starts(limited(1, "Interview", "Remote"), events)) == 3
    assert len(starts(limited(2), events)) == 3


def test_an_event_in_two_calendars_of_a_person_counts_once() -> None:
    same, other = event("2026-12-06 19:00-20:00", uid="a"), event("2026-12-06 19:00-20:00", uid="b")
    nameless = event("2026-12-06 19:00-20:00")
    assert len(starts(limited(2), {"interviews": (same,), "private": (same,)})) == 3
    assert starts(limited(2), {"interviews": (same,), "private": (other,)}) == []
    assert starts(limited(2), {"interviews": (nameless,), "private": (nameless,)}) == []


def test_members_with_the_same_calendars_share_what_they_are_busy() -> None:
    data = changed("sequence.1.participants.0.members.0", {"sub": RECRUITER, "calendar_ids": ["interviews"]})
    events = {**FREE, "interviews": (event("2026-12-06 9:00-10:00"),)}
    first, second = query_of(read(data), events).parts
    assert first.groups[0].members[0].busy is second.groups[0].members[0].busy


@pytest.mark.parametrize(
    ("data", "details"),
    [
        (FIRST, {"interviews": False, "manager": False}),
        (SECOND, {"interviews": True, "manager": True}),
        ({**FIRST, "excluded_events": [{"event_uid": "x"}]}, {"interviews": True, "manager": True}),
        (changed(f"{MEMBER}.ignore_tentative", True), {"interviews": True, "manager": False}),
        (changed("sequence.1.participants.0.members.0", {"sub": RECRUITER, "ignore_tentative": True}),
         {"interviews": True, "private": True}),
        (without(f"{MEMBER}.calendar_ids"), {"interviews": False, "private": False, "manager": False}),
    ],
)  # fmt: skip
def test_each_calendar_is_read_with_as_much_detail_as_needed(
    data: dict[str, Any], details: dict[str, bool]
) -> None:
    assert calendars_of(read(data)) == details


def test_calendars_are_read_as_far_as_buffers_and_limits_reach() -> None:
    assert period_to_read(read(FIRST)) == Period(at("2026-12-06 8:30"), at("2026-12-07 18:15"))
    assert period_to_read(read(SECOND)) == Period(at("2026-11-30 0:00"), at("2026-12-21 0:00"))


def test_a_period_without_a_whole_minute_is_read_and_has_room_for_nothing() -> None:
    data = changed("query_periods", [{"start": "2026-12-06T09:00:30Z", "end": "2026-12-06T09:01:30Z"}])
    assert period_to_read(read(data)) == period("2026-12-06 9:00:30-9:01:30")
    assert answer(data) == []


def test_the_grid_is_that_of_the_zone() -> None:
    assert starts({**one(MANAGER), "tzid": "Asia/Kolkata"}) == ["06 09:30", "06 10:30"]


def test_there_are_no_more_answers_than_asked_for() -> None:
    assert starts({**one(MANAGER), "max_results": 2}) == ["06 09:00", "06 10:00"]


def test_the_example_of_the_documentation_is_true() -> None:
    query, expected = re.findall(
        r"```json\n(.*?)```", (ROOT / "docs/availability.md").read_text(), re.DOTALL
    )[:2]
    settings = Settings(
        calendars=(Calendar(name="recruiter", account="google"), Calendar(name="manager", account="google")),
        people=(
            Person(sub="acc_recruiter", calendars=("recruiter",)),
            Person(sub="acc_manager", calendars=("manager",)),
        ),
    )
    events = {
        "recruiter": (event("2027-01-11 9:30-10:00"),),
        "manager": (event("2027-01-11 9:00-9:30"), event("2027-01-11 10:30-11:00")),
    }
    request = read_request(json.loads(query), settings, NOW)
    assert answer_of(find_sequences(query_of(request, events)).sequences) == json.loads(expected)
