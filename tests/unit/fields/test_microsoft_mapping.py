import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import sandbox
from workers.calendars.mapped import Mapped
from workers.calendars.microsoft_fields import instants, to_microsoft
from workers.event import read_event
from workers.times import AllDay, Timed

TIMES = {"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T12:00:00Z"}
LINK = {
    "profile_id": "explicit",
    "join_url": "https://meet.globex.example/j/1?a=1&b=2",
    "provider_description": "Globex Meet",
}
GRAPH_EVENT = jsonschema.Draft202012Validator(
    json.loads((Path(sandbox.__file__).parent / "graph_event.schema.json").read_text(encoding="utf-8"))
)


def graph(
    *, named_zone: bool = True, conference: bool = True, zone: str = "Europe/London", **fields: Any
) -> Mapped:
    event = read_event(json.dumps({**TIMES, **fields}).encode(), outer_zone=zone)
    mapped = to_microsoft(
        event, named_zone=named_zone, conference=conference, category_for_color={"#C6040F": "Interviews"}
    )
    GRAPH_EVENT.validate(mapped.owned | mapped.create)
    assert not mapped.owned.keys() & mapped.create.keys()
    return mapped


def at(time: str, zone: str = "GMT Standard Time") -> dict[str, str]:
    return {"dateTime": time, "timeZone": zone}


def test_a_part_that_says_only_when_sends_only_when() -> None:
    mapped = graph()

    assert mapped.owned == {
        "start": at("2026-04-30T12:00:00"),
        "end": at("2026-04-30T13:00:00"),
        "isAllDay": False,
    }
    assert (mapped.create, mapped.degraded, mapped.tags, mapped.text) == ({}, (), None, "")


def test_times_go_in_utc_where_graph_refused_the_zone() -> None:
    owned = graph(named_zone=False).owned

    assert (owned["start"], owned["end"]) == (
        at("2026-04-30T11:00:00", "UTC"),
        at("2026-04-30T12:00:00", "UTC"),
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"),  # London shows 01:30 twice that night
        ("2026-10-24T20:00:00Z", "2026-10-25T01:00:00Z"),
    ],
)
def test_a_local_time_that_happens_twice_goes_in_utc(start: str, end: str) -> None:
    mapped = graph(start=start, end=end)

    assert mapped.owned["start"] == at(start[:-1], "UTC")
    assert mapped.owned["end"] == at(end[:-1], "UTC")
    assert mapped.degraded == ("zone_as_utc: Europe/London is not certain at Microsoft for these times",)


def test_a_repeated_local_time_that_is_utc_anyway_needs_no_note() -> None:
    mapped = graph(start="2026-10-25T01:30:00Z", end="2026-10-25T02:30:00Z")

    assert mapped.owned["start"] == at("2026-10-25T01:30:00", "UTC")
    assert mapped.degraded == ()


def test_a_part_over_a_clock_change_keeps_its_zone() -> None:
    owned = graph(start="2026-03-29T00:30:00Z", end="2026-03-29T01:30:00Z").owned

    assert (owned["start"], owned["end"]) == (at("2026-03-29T00:30:00"), at("2026-03-29T02:30:00"))


def test_utc_is_utc_without_a_note() -> None:
    mapped = graph(zone="Etc/UTC")

    assert mapped.owned["start"] == at("2026-04-30T11:00:00", "UTC")
    assert mapped.degraded == ()


def test_whole_days_go_from_midnight_to_midnight_in_the_zone() -> None:
    owned = graph(start="2026-04-30", end="2026-05-02", zone="Asia/Tokyo").owned

    assert owned["start"] == at("2026-04-30T00:00:00", "Tokyo Standard Time")
    assert owned["end"] == at("2026-05-02T00:00:00", "Tokyo Standard Time")
    assert owned["isAllDay"] is True


def test_a_day_whose_midnight_does_not_exist_goes_in_utc() -> None:
    owned = graph(start="2026-04-24", end="2026-04-25", zone="Africa/Cairo").owned

    assert owned["start"] == at("2026-04-24T00:00:00", "UTC")


@pytest.mark.parametrize(
    ("sent", "owned"),
    [
        ({"summary": "Interview"}, {"subject": "Interview"}),
        ({"summary": ""}, {"subject": ""}),
        ({"description": "a < b\nc"}, {"body": {"contentType": "text", "content": "a < b\nc"}}),
        ({"description": ""}, {"body": {"contentType": "text", "content": ""}}),
        (
            {"description": "Hi", "url": "https://globex.example/1"},
            {"body": {"contentType": "text", "content": "Hi\n\nhttps://globex.example/1"}},
        ),
        ({"location": {"description": "Room 1"}}, {"location": {"displayName": "Room 1"}}),
        ({"location": {"description": ""}}, {"location": {"displayName": ""}}),
        (
            {"location": {"description": "HQ", "lat": "51.5", "long": "-0.12", "address": "1 High St"}},
            {
                "location": {
                    "displayName": "HQ",
                    "coordinates": {"latitude": 51.5, "longitude": -0.12},
                    "address": {"street": "1 High St"},
                }
            },
        ),
        (
            {"location": {"lat": "51.5", "long": "-0.12"}},
            {
                "location": {
                    "displayName": "51.5, -0.12",
                    "coordinates": {"latitude": 51.5, "longitude": -0.12},
                }
            },
        ),
        ({"transparency": "opaque"}, {"showAs": "busy"}),
        ({"transparency": "transparent"}, {"showAs": "free"}),
        ({"extended_transparency": "tentative"}, {"showAs": "tentative"}),
        ({"extended_transparency": "out_of_office"}, {"showAs": "oof"}),
        ({"extended_transparency": "working_elsewhere"}, {"showAs": "workingElsewhere"}),
        ({"reminders": [{"minutes": 30}]}, {"isReminderOn": True, "reminderMinutesBeforeStart": 30}),
        ({"reminders": []}, {"isReminderOn": False}),
        (
            {"conferencing": LINK},
            {
                "body": {
                    "contentType": "text",
                    "content": "Globex Meet: https://meet.globex.example/j/1?a=1&b=2",
                },
                "location": {"displayName": LINK["join_url"]},
            },
        ),
        (
            {"conferencing": LINK, "location": {"description": "Room 1"}, "description": "Hi"},
            {
                "body": {
                    "contentType": "text",
                    "content": "Hi\n\nGlobex Meet: https://meet.globex.example/j/1?a=1&b=2",
                },
                "location": {"displayName": "Room 1"},
            },
        ),
        ({"conferencing": {"profile_id": "none"}}, {}),
    ],
)
def test_a_field_we_own_is_mapped(sent: Any, owned: dict[str, Any]) -> None:
    mapped = graph(**sent)

    assert mapped.owned == graph().owned | owned
    assert (mapped.create, mapped.degraded) == ({}, ())


@pytest.mark.parametrize(
    ("sent", "create"),
    [
        ({"event_private": True}, {"sensitivity": "private"}),
        ({"color": "#c6040f"}, {"categories": ["Interviews"]}),
        (
            {"reminders": [{"minutes": 5}], "reminders_create_only": True},
            {"isReminderOn": True, "reminderMinutesBeforeStart": 5},
        ),
        (
            {"conferencing": {"profile_id": "default"}},
            {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"},
        ),
    ],
)
def test_a_field_for_creation_only_stays_out_of_updates(sent: Any, create: dict[str, Any]) -> None:
    mapped = graph(**sent)

    assert (mapped.create, mapped.owned, mapped.degraded) == (create, graph().owned, ())


def test_no_teams_meeting_is_asked_for_where_none_may_be() -> None:
    assert graph(conferencing={"profile_id": "default"}, conference=False).create == {}


@pytest.mark.parametrize(
    ("sent", "field", "value", "note"),
    [
        ({"summary": "word " * 60}, "subject", "word " * 50 + "word…", "truncated: summary"),
        ({"summary": "😀" * 1000}, "subject", "😀" * 127 + "…", "truncated: summary"),
        (
            {"location": {"description": "x" * 300}},
            "location",
            {"displayName": "x" * 254 + "…"},
            "truncated: location",
        ),
        (
            {"description": "word " * 3000},
            "body",
            {"contentType": "text", "content": "word " * 1598 + "word…"},
            "truncated: description",
        ),
        (
            {"reminders": [{"minutes": 30}, {"minutes": 10}]},
            "reminderMinutesBeforeStart",
            30,
            "reminders_dropped: 1",
        ),
        (
            {"reminders": [{"minutes": -1}]},
            "reminderMinutesBeforeStart",
            0,
            "reminders_clipped: to 0 minutes",
        ),
        ({"color": "#ffffff"}, "categories", None, "color_dropped: no category is configured for #ffffff"),
    ],
)
def test_what_graph_cannot_hold_is_noted(sent: Any, field: str, value: object, note: str) -> None:
    mapped = graph(**sent)

    assert (mapped.owned | mapped.create).get(field) == value
    assert mapped.degraded == (note,)


def test_a_join_link_too_long_for_the_place_stands_in_the_body_alone() -> None:
    url = "https://meet.globex.example/" + "x" * 300
    owned = graph(conferencing={"profile_id": "explicit", "join_url": url}).owned

    assert owned["body"]["content"] == url
    assert "location" not in owned


def test_the_text_of_an_online_meeting_is_html_in_an_element_of_ours() -> None:
    mapped = graph(conferencing={"profile_id": "default"}, description="a < b\nc")

    assert mapped.owned["body"] == {
        "contentType": "html",
        "content": '<div class="sequence-sync-text">a &lt; b<br>c</div>',
    }
    assert mapped.text == "a < b\nc"


def test_tags_are_a_value_for_a_property_of_the_adapter() -> None:
    mapped = graph(tags={"private": [{"value": "Interview"}]})

    assert mapped.tags == '["Interview"]'
    assert mapped.owned == graph().owned


def test_tags_count_as_a_field_we_own() -> None:
    digests = {
        graph(tags=tags).digest
        for tags in (None, {"private": [{"value": "a"}]}, {"private": [{"value": "b"}]})
    }

    assert len(digests) == 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {
                "start": at("2026-04-30T11:00:00.0000000", "UTC"),
                "end": at("2026-04-30T12:00:00.0000000", "UTC"),
                "isAllDay": False,
            },
            Timed(datetime(2026, 4, 30, 11, tzinfo=UTC), datetime(2026, 4, 30, 12, tzinfo=UTC)),
        ),
        (
            {"start": at("2026-04-30T12:00:00"), "end": at("2026-04-30T13:00:00", "Europe/London")},
            Timed(datetime(2026, 4, 30, 11, tzinfo=UTC), datetime(2026, 4, 30, 12, tzinfo=UTC)),
        ),
        (
            {
                "start": at("2026-04-30T00:00:00.0000000", "UTC"),
                "end": at("2026-05-01T00:00:00.0000000", "UTC"),
                "isAllDay": True,
                "originalStartTimeZone": "Tokyo Standard Time",
                "originalEndTimeZone": "Tokyo Standard Time",
            },
            AllDay(date(2026, 4, 30), date(2026, 5, 1)),
        ),
        (
            {
                "start": at("2026-04-29T15:00:00.0000000", "UTC"),
                "end": at("2026-04-30T15:00:00.0000000", "UTC"),
                "isAllDay": True,
                "originalStartTimeZone": "Tokyo Standard Time",
                "originalEndTimeZone": "Tokyo Standard Time",
            },
            AllDay(date(2026, 4, 30), date(2026, 5, 1)),
        ),
        ({"start": at("2026-04-30T11:00:00", "Mars"), "end": at("2026-04-30T12:00:00", "UTC")}, None),
        ({"start": {"dateTime": "2026-04-30T11:00:00"}, "end": at("2026-04-30T12:00:00", "UTC")}, None),
        ({"start": None, "end": 7}, None),
        ({}, None),
    ],
)
def test_when_an_event_of_graph_takes_place_is_read_back(body: dict[str, Any], expected: object) -> None:
    assert instants(body) == expected
