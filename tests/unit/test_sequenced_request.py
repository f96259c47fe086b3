"""Reading the request of a sequenced availability query: the rules of Cronofy's page, each by itself."""

from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduler.api.problems import Invalid, Key
from scheduler.busy import Excluded
from scheduler.query import Buffer, Limit, Per, Period
from scheduler.sequenced import AskedLimit
from tests.availability_words import period
from tests.sequenced_words import FIRST, MANAGER, NOW, RECRUITER, SECOND, changed, read, without, wrong

MEMBER = "sequence.0.participants.0.members.0"
MEMBERS = "sequence.0.participants.0.members"


def test_the_first_request_of_cronofys_page() -> None:
    request = read(FIRST)
    assert request.periods == (period("2026-12-06 9:00-18:00"), period("2026-12-07 9:00-18:00"))
    first, second = request.parts
    assert [each.part.sequence_id for each in request.parts] == ["123", "456"]
    assert [each.part.ordinal for each in request.parts] == [1, 2]
    assert (first.part.duration, first.part.start_interval) == (60, 60)
    assert (first.part.before, first.part.after) == (Buffer(30, 60), Buffer(15, 30))
    (recruiter,), (manager,) = first.groups[0].members, second.groups[0].members
    assert first.groups[0].required is None
    assert (recruiter.sub, recruiter.calendars, recruiter.available) == (RECRUITER, ("interviews",), None)
    assert (manager.sub, manager.calendars) == (MANAGER, ("manager",))
    assert manager.available == (period("2026-12-06 9:00-12:00"), period("2026-12-07 10:00-20:00"))
    assert (request.zone, request.max_results, request.excluded) == (UTC, 1000, Excluded())


def test_all_of_a_group_take_part_where_it_does_not_say_how_many() -> None:
    request = read(without("sequence.0.participants.0.required"))
    assert request.parts[0].groups[0].required is None


def test_an_integer_of_64_bits_names_an_event_or_a_part() -> None:
    named = changed("sequence.0.sequence_id", 2**63)
    request = read(changed("excluded_events", [{"event_id": 2**63}], named))
    assert request.parts[0].part.sequence_id == 2**63
    assert request.excluded.event_ids == {str(2**63)}


def test_the_second_request_of_cronofys_page() -> None:
    request = read(SECOND)
    limits = [member.limits for member in request.members]
    tags = frozenset({"Interview"})
    assert limits == [(AskedLimit(Limit(Per.WEEK, 3), tags),), (AskedLimit(Limit(Per.WEEK, 5), tags),)]
    assert request.parts[0].part.before == Buffer()


def several(count: int, start: str = "2026-12-06T09:00:00Z") -> list[dict[str, str]]:
    return [{"start": start, "end": "2026-12-06T10:00:00Z"}] * count


def parts(count: int) -> list[dict[str, Any]]:
    return [{**FIRST["sequence"][0], "sequence_id": str(at)} for at in range(count)]


def people(count: int) -> list[dict[str, str]]:
    return [{"sub": f"acc_{at}"} for at in range(count)]


def groups(*counts: int) -> list[dict[str, Any]]:
    return [{"members": people(count), "required": 1} for count in counts]


def limit(**members: object) -> list[dict[str, object]]:
    return [{"period": "day", "tzid": "Europe/London", "limit": 3, **members}]


R, T, I, U = Key.REQUIRED, Key.TYPE, Key.INVALID, Key.UNKNOWN  # noqa: E741
FEW, MANY, TWICE, NOT = Key.TOO_FEW, Key.TOO_MANY, Key.DUPLICATE, Key.UNSUPPORTED
START, END = "query_periods.0.start", "query_periods.0.end"
PART, GROUP = "sequence.0", "sequence.0.participants.0"
CONSTRAINTS = f"{MEMBER}.availability_constraints"
OWN = f"{MEMBER}.available_periods"


@pytest.mark.parametrize(
    ("place", "value", "key", "path"),
    [
        ("query_periods", [], FEW, None),
        ("query_periods", several(51), MANY, None),
        ("query_periods", {}, T, None),
        ("query_periods.0", "2026-12-06", T, None),
        ("query_periods.0", None, R, None),
        (START, None, R, None),
        (START, "", I, None),
        (START, 1796500000, T, None),
        (START, "tomorrow", I, None),
        (START, "2026-12-06", I, None),
        (START, "2026-12-06T09:00:00", I, None),
        (START, "2026-02-30T09:00:00Z", I, None),
        (START, {"time": "2026-12-06T09:00:00Z", "tzid": "Etc/UTC"}, T, None),
        (START, "2026-12-01T07:59:30Z", I, None),
        (START, "2020-01-01T00:00:00Z", I, None),
        (START, "2026-12-06T17:59:01Z", I, END),
        (END, None, R, None),
        (END, "2026-12-06T09:00:59Z", I, None),
        (END, "2026-12-06T08:00:00Z", I, None),
        (END, "2027-01-10T09:00:01Z", I, None),
        ("query_periods.1.end", "2027-01-10T09:00:01Z", I, None),
        ("query_periods.1", {"start": "2126-12-01T00:00:00Z", "end": "2126-12-01T01:00:00Z"}, I, "query_periods[1].start"),
        ("sequence", None, R, None),
        ("sequence", [], FEW, None),
        ("sequence", parts(6), MANY, None),
        ("sequence.1", [], T, None),
        (f"{PART}.sequence_id", None, R, None),
        (f"{PART}.sequence_id", " ", I, None),
        (f"{PART}.sequence_id", "x" * 1025, I, None),
        (f"{PART}.sequence_id", "\ud83d", I, None),
        (f"{PART}.sequence_id", 1.5, T, None),
        (f"{PART}.sequence_id", True, T, None),
        (f"{PART}.sequence_id", "456", TWICE, "sequence[1].sequence_id"),
        (f"{PART}.sequence_id", 456, TWICE, "sequence[1].sequence_id"),
        (f"{PART}.ordinal", "1", T, None),
        (f"{PART}.ordinal", True, T, None),
        (f"{PART}.ordinal", 2**31, I, None),
        (f"{PART}.participants", None, R, None),
        (f"{PART}.participants", [], FEW, None),
        (f"{PART}.participants", groups(*[1] * 11), MANY, None),
        (f"{PART}.participants", groups(5, 10), MANY, "sequence.1.participants"),  # the manager is the eleventh
        (f"{PART}.participants", {"members": people(1), "required": "all"}, T, None),
        (f"{GROUP}.members", None, R, None),
        (f"{GROUP}.members", [], FEW, None),
        (f"{GROUP}.members", [{"sub": RECRUITER}, {"sub": RECRUITER}], TWICE, f"{GROUP}.members.1"),
        (f"{GROUP}.required", "ALL", I, None),
        (f"{GROUP}.required", 0, I, None),
        (f"{GROUP}.required", 2, I, None),
        (f"{GROUP}.required", 1.0, T, None),
        (MEMBER, RECRUITER, T, None),
        (f"{MEMBER}.sub", None, R, None),
        (f"{MEMBER}.sub", 5, T, None),
        (f"{MEMBER}.sub", "acc_\u00e4", I, None),
        (f"{MEMBER}.sub", "acc_nobody", U, None),
        (f"{PART}.required_duration", None, R, None),
        (f"{PART}.required_duration", 60, T, None),
        (f"{PART}.required_duration", {}, I, None),
        (f"{PART}.required_duration", {"minutes": 0}, I, None),
        (f"{PART}.required_duration", {"minutes": -5}, I, None),
        (f"{PART}.required_duration", {"minutes": 1.5}, I, None),
        (f"{PART}.required_duration", {"minutes": "60"}, I, None),
        (f"{PART}.required_duration", {"minutes": True}, I, None),
        (f"{PART}.required_duration", {"minutes": 35 * 1440 + 1}, I, None),
        (f"{PART}.required_duration", {"hours": 1, "minutes": 60}, I, None),
        (f"{PART}.required_duration", {"seconds": 60}, I, None),
        (f"{PART}.start_interval", {"minutes": 25}, I, None),
        (f"{PART}.start_interval", {"minutes": 0}, I, None),
        (f"{PART}.start_interval", 15, T, None),
        (f"{PART}.buffer", [], T, None),
        (f"{PART}.buffer.before", 30, T, None),
        (f"{PART}.buffer.before.minimum", {"minutes": -1}, I, None),
        (f"{PART}.buffer.before.minimum", {"minutes": 61}, I, f"{PART}.buffer.before.maximum"),
        (f"{PART}.buffer.after.maximum", {"minutes": 14}, I, None),
        (f"{PART}.buffer.after.maximum", 30, T, None),
        (f"{PART}.buffer.after", {"minutes": 5, "maximum": {"minutes": 10}}, I, None),
        (OWN, [], FEW, None),
        (OWN, several(51), MANY, None),
        (OWN, several(1, "2026-11-30T00:00:00Z"), I, f"{OWN}.0.start"),
        (OWN, several(1, "2026-12-06T09:59:01Z"), I, f"{OWN}.0.end"),
        (OWN, [*several(1, "2026-12-02T00:00:00Z"), {"start": "2027-01-05T00:00:00Z", "end": "2027-01-06T00:00:01Z"}],
         I, f"{OWN}.1.end"),
        (f"{PART}.available_periods", several(51), MANY, None),
        (f"{MEMBER}.calendar_ids", "cal_private", T, None),
        (f"{MEMBER}.calendar_ids", ["cal_other"], U, f"{MEMBER}.calendar_ids.0"),
        (f"{MEMBER}.calendar_ids", ["manager"], U, f"{MEMBER}.calendar_ids.0"),
        (f"{MEMBER}.calendar_ids", ["cal_private"] * 101, MANY, None),
        (f"{MEMBER}.ignore_tentative", "yes", T, None),
        (f"{MEMBER}.managed_availability", True, NOT, None),
        (f"{MEMBER}.availability_rule_ids", ["default"], NOT, None),
        (CONSTRAINTS, limit()[0], T, None),
        (CONSTRAINTS, limit(period=None), R, f"{CONSTRAINTS}.0.period"),
        (CONSTRAINTS, limit(period="month"), I, f"{CONSTRAINTS}.0.period"),
        (CONSTRAINTS, limit(tzid=None), R, f"{CONSTRAINTS}.0.tzid"),
        (CONSTRAINTS, limit(tzid="Europe/Atlantis"), U, f"{CONSTRAINTS}.0.tzid"),
        (CONSTRAINTS, limit(tzid="../../etc/passwd"), U, f"{CONSTRAINTS}.0.tzid"),
        (CONSTRAINTS, limit(period="week"), I, f"{CONSTRAINTS}.0.tzid"),
        (CONSTRAINTS, limit(limit=None), R, f"{CONSTRAINTS}.0.limit"),
        (CONSTRAINTS, limit(limit=-1), I, f"{CONSTRAINTS}.0.limit"),
        (CONSTRAINTS, limit(limit="3"), T, f"{CONSTRAINTS}.0.limit"),
        (CONSTRAINTS, limit(tags=["Interview"]), T, f"{CONSTRAINTS}.0.tags"),
        (CONSTRAINTS, limit(tags={"public": []}), NOT, f"{CONSTRAINTS}.0.tags"),
        (CONSTRAINTS, limit(tags={"private": {}}), T, f"{CONSTRAINTS}.0.tags.private"),
        (CONSTRAINTS, limit(tags={"private": ["x"]}), T, f"{CONSTRAINTS}.0.tags.private.0"),
        (CONSTRAINTS, limit(tags={"private": [{}]}), R, f"{CONSTRAINTS}.0.tags.private.0.value"),
        ("excluded_events", {}, T, None),
        ("excluded_events", [{}], I, "excluded_events.0"),
        ("excluded_events", [{"event_id": "a", "event_uid": "b"}], I, "excluded_events.0"),
        ("excluded_events", [{"event_id": 1.5}], T, "excluded_events.0.event_id"),
        ("tzid", "Mars/Olympus", U, None),
        ("tzid", 5, T, None),
        ("max_results", 0, I, None),
        ("max_results", 1001, I, None),
        ("max_results", "5", T, None),
    ],
)  # fmt: skip
def test_one_wrong_value_is_named_by_its_place(place: str, value: object, key: Key, path: str | None) -> None:
    steps = (path or place).split(".")
    named = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in steps)[1:]
    found = wrong(changed(place, value))
    assert found == {named.replace(".[", "["): key}


@pytest.mark.parametrize(
    "place",
    ["sequence.0.sequence_id", "sequence.1.participants", "sequence.1.required_duration", "query_periods.0.end",
     f"{MEMBERS}.0.sub", "query_periods", "sequence"],
)  # fmt: skip
def test_what_is_left_out_is_required(place: str) -> None:
    with pytest.raises(Invalid) as raised:
        read(without(place))
    (field,) = raised.value.errors
    assert field == place.rpartition(".")[2]
    assert [(each.key, each.description) for each in raised.value.errors[field]] == [
        (Key.REQUIRED, "required")
    ]


@pytest.mark.parametrize("body", [None, [], "x", 5, 1.5, True])
def test_a_body_that_is_no_object_is_named(body: object) -> None:
    with pytest.raises(Invalid) as raised:
        read(body)
    assert list(raised.value.errors) == ["body"]


def test_one_answer_names_everything_that_is_wrong() -> None:
    data = {
        "query_periods": [{"start": "2020-01-01T00:00:00Z", "end": "x"}, 5],
        "sequence": [
            {"sequence_id": 1, "participants": [{"members": [{"sub": "acc_x", "ignore_tentative": 1}]}]},
            {"sequence_id": "1", "required_duration": {"minutes": 0}, "start_interval": {"minutes": 7}},
            {},
        ],
        "excluded_events": [{}],
        "tzid": "x",
        "max_results": 0,
    }  # fmt: skip
    assert wrong(data) == {
        "query_periods[0].start": I,
        "query_periods[0].end": I,
        "query_periods[1]": T,
        "sequence[0].participants[0].members[0].sub": U,
        "sequence[0].participants[0].members[0].ignore_tentative": T,
        "sequence[0].required_duration": R,
        "sequence[1].sequence_id": TWICE,
        "sequence[1].participants": R,
        "sequence[1].required_duration": I,
        "sequence[1].start_interval": I,
        "sequence[2].sequence_id": R,
        "sequence[2].participants": R,
        "sequence[2].required_duration": R,
        "excluded_events[0]": I,
        "tzid": U,
        "max_results": I,
    }


def test_ten_accounts_may_be_spread_over_all_groups_of_all_parts_but_not_eleven() -> None:
    ten = [{**each, "participants": groups(6, 10)} for each in parts(2)]
    assert wrong(changed("sequence", ten)) == {}
    eleven = changed("participants.0.members.0.sub", "acc_10", ten[1])
    assert wrong(changed("sequence", [ten[0], eleven])) == {"sequence[1].participants": Key.TOO_MANY}


def test_what_the_configuration_needs_is_said() -> None:
    with pytest.raises(Invalid, match=r'add \[\[people\]\] with sub = "acc_nobody"'):
        read(changed(f"{MEMBER}.sub", "acc_nobody"))
    with pytest.raises(Invalid, match=r'add cronofy_id = "cal_new" to one of their'):
        read(changed(f"{MEMBER}.calendar_ids", ["cal_new"]))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("query_periods", several(50)),
        ("sequence", parts(5)),
        (END, "2026-12-06T09:01:00Z"),
        ("query_periods.1.end", "2027-01-10T09:00:00Z"),
        (START, "2026-12-01T08:00:00Z"),
        (f"{PART}.required_duration", {"hours": 1, "minutes": 30}),
        (f"{GROUP}.required", 1),
        (f"{PART}.buffer", None),
        (f"{PART}.buffer", {"before": {}, "after": None}),
        (f"{PART}.ordinal", None),
        (f"{PART}.ordinal", -1),
        (f"{MEMBER}.available_periods", None),
        (f"{MEMBER}.calendar_ids", []),
        (f"{MEMBER}.managed_availability", False),
        (f"{MEMBER}.availability_rule_ids", []),
        (f"{MEMBER}.availability_constraints", []),
        (f"{MEMBER}.availability_constraints", limit(limit=0)),
        (f"{MEMBER}.availability_constraints", limit(tzid="europe/london")),
        ("excluded_events", []),
        ("hinted_by_some_library", {"x": [1]}),
        (f"{PART}.event", {"summary": "Panel"}),
    ],
)
def test_what_is_just_allowed_is_accepted(place: str, value: object) -> None:
    assert wrong(changed(place, value)) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-06T09:00:00Z", "9:00"),
        ("2026-12-06 09:00:00Z", "9:00"),
        ("2026-12-06T09:00:00.000Z", "9:00"),
        ("2026-12-06T10:00:00+01:00", "9:00"),
        ("2026-12-06T04:00:00-0500", "9:00"),
        ("2026-12-06T09:00Z", "9:00"),
        ("2026-12-06T09:00:00.5Z", "9:00:01"),
    ],
)
def test_times_are_read_with_any_offset_and_a_start_is_rounded_up(text: str, expected: str) -> None:
    assert read(changed(START, text)).periods[0] == Period(period(f"2026-12-06 {expected}-18:00").start,
                                                          period("2026-12-06 9:00-18:00").end)  # fmt: skip


def test_an_end_is_rounded_down() -> None:
    assert read(changed(END, "2026-12-06T17:00:00.9Z")).periods[0] == period("2026-12-06 9:00-17:00")


def test_a_start_that_has_just_passed_is_now() -> None:
    request = read(changed(START, "2026-12-01T08:00:00Z"), NOW + timedelta(milliseconds=200))
    assert request.periods[0].start == int(NOW.timestamp()) + 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"minutes": 30}, Buffer(30)),
        ({"hours": 1}, Buffer(60)),
        ({"minimum": {"minutes": 10}}, Buffer(10)),
        ({"maximum": {"minutes": 10}}, Buffer(0, 10)),
        ({"minimum": None, "maximum": {"hours": 2}}, Buffer(0, 120)),
        ({}, Buffer()),
    ],
)
def test_a_buffer_is_a_duration_or_a_minimum_and_a_maximum(given: object, expected: Buffer) -> None:
    part = read(changed(f"{PART}.buffer.before", given)).parts[0].part
    assert (part.before, part.after) == (expected, Buffer(15, 30))


def test_calendars_go_by_cronofys_name_or_ours_in_the_persons_order() -> None:
    def calendars(*ids: str) -> tuple[str, ...]:
        return read(changed(f"{MEMBER}.calendar_ids", list(ids))).members[0].calendars

    assert calendars("private", "cal_n23kjnwrw2_jsdfjksn234") == ("interviews", "private")
    assert calendars("cal_private", "private") == ("private",)
    assert calendars() == ("interviews", "private")
    assert read(without(f"{MEMBER}.calendar_ids")).members[0].calendars == ("interviews", "private")


@pytest.mark.parametrize("tags", [None, {}, {"private": []}, {"private": None}])
def test_tags_may_be_empty_in_any_way(tags: object) -> None:
    request = read(changed(CONSTRAINTS, limit(tags=tags)))
    day = Limit(Per.DAY, 3, ZoneInfo("Europe/London"))
    assert request.members[0].limits == (AskedLimit(day),)


def test_excluded_events_go_by_our_id_or_the_providers() -> None:
    data = changed(
        "excluded_events", [{"event_id": "interview_123"}, {"event_uid": "evt_1"}, {"event_uid": "evt_2"}]
    )
    assert read(data).excluded == Excluded(frozenset({"interview_123"}), frozenset({"evt_1", "evt_2"}))


def test_our_additions_are_the_zone_of_the_grid_and_how_many_answers() -> None:
    request = read({**FIRST, "tzid": "Asia/Kolkata", "max_results": 5})
    assert (request.zone, request.max_results) == (ZoneInfo("Asia/Kolkata"), 5)


def test_of_both_names_for_the_periods_the_new_one_counts() -> None:
    both = {**FIRST, "available_periods": "not looked at"}
    assert read(both).periods == read(FIRST).periods


def test_what_pycronofy_sends() -> None:
    part = {**FIRST["sequence"][0], "start_interval": None, "buffer": {}}
    request = read({"sequence": [part], "available_periods": FIRST["query_periods"]})
    assert request.periods == read(FIRST).periods
    assert request.parts[0].part.start_interval is None
    assert request.parts[0].part.before == Buffer()


def test_a_problem_of_the_old_name_is_named_by_it() -> None:
    data = {"sequence": FIRST["sequence"], "available_periods": several(1, "x")}
    assert wrong(data) == {"available_periods[0].start": Key.INVALID}


def test_what_the_csharp_library_sends() -> None:
    part = {**without("buffer", FIRST["sequence"][0]), "available_periods": []}
    periods = [{"start": "2027-01-03 09:00:00Z", "end": "2027-01-03 18:00:00Z"}]
    request = read({"sequence": [part], "available_periods": periods})
    assert request.periods == (period("2027-01-03 9:00-18:00"),)
    assert request.members[0].available is None


def test_what_the_ruby_library_sends() -> None:
    request = read(changed(f"{PART}.sequence_id", 1234))
    assert request.parts[0].part.sequence_id == 1234


def test_periods_of_a_part_restrict_all_its_members() -> None:
    own = [{"start": "2026-12-06T10:00:00Z", "end": "2026-12-07T11:00:00Z"}]
    recruiter, manager = read(
        changed("sequence.1.available_periods", own, changed(f"{PART}.available_periods", own))
    ).members
    assert recruiter.available == (
        Period(period("2026-12-06 10:00-11:00").start, period("2026-12-07 10:00-11:00").end),
    )
    assert manager.available == (period("2026-12-06 10:00-12:00"), period("2026-12-07 10:00-11:00"))
