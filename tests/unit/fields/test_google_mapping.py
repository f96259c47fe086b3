import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sandbox.google_schema import problems
from workers.calendars.google_fields import instants, to_google
from workers.calendars.mapped import Mapped
from workers.event import read_event
from workers.times import AllDay, Timed

TIMES = {"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T12:00:00Z"}
LINK = {
    "profile_id": "explicit",
    "join_url": "https://meet.globex.example/j/1?a=1&b=2",
    "provider_description": "Globex Meet",
}


def google(*, conference: bool = True, named_zone: bool = True, **fields: Any) -> Mapped:
    event = read_event(json.dumps({**TIMES, **fields}).encode(), outer_zone="Europe/London")
    mapped = to_google(event, request_id="r1", conference=conference, named_zone=named_zone)
    assert problems("Event", mapped.owned | mapped.create) == []
    assert not mapped.owned.keys() & mapped.create.keys()
    return mapped


def moment(time: str, zone: str | None = "Europe/London") -> dict[str, str | None]:
    return {"date": None, "dateTime": time, "timeZone": zone}


def day(text: str) -> dict[str, str | None]:
    return {"date": text, "dateTime": None, "timeZone": None}


def test_a_part_that_says_only_when_sends_only_when() -> None:
    mapped = google()

    assert mapped.owned == {
        "status": "confirmed",
        "start": moment("2026-04-30T12:00:00+01:00"),
        "end": moment("2026-04-30T13:00:00+01:00"),
    }
    assert mapped.create == {}
    assert mapped.degraded == ()


def test_an_instant_goes_with_offset_alone_where_google_refused_the_zone() -> None:
    assert google(named_zone=False).owned["start"] == moment("2026-04-30T12:00:00+01:00", None)


def test_whole_days_go_as_dates_and_clear_earlier_times() -> None:
    mapped = google(start="2026-04-30", end="2026-05-02")

    assert (mapped.owned["start"], mapped.owned["end"]) == (day("2026-04-30"), day("2026-05-02"))


@pytest.mark.parametrize(
    ("sent", "owned"),
    [
        ({"summary": "Interview"}, {"summary": "Interview"}),
        ({"summary": ""}, {"summary": ""}),
        ({"description": "a < b & c\nd"}, {"description": "a < b & c\nd"}),
        ({"description": ""}, {"description": ""}),
        ({"location": {"description": "Room 1"}}, {"location": "Room 1"}),
        ({"location": {"description": "HQ", "address": "1 High St"}}, {"location": "HQ, 1 High St"}),
        ({"location": {"description": "HQ", "address": "HQ"}}, {"location": "HQ"}),
        ({"location": {"description": ""}}, {"location": ""}),
        ({"location": {"lat": "51.5", "long": "-0.12"}}, {"location": "51.5, -0.12"}),
        (
            {"url": "https://globex.example/1?a&b", "description": "Hi"},
            {
                "description": "Hi\n\nhttps://globex.example/1?a&b",
                "source": {"title": "globex.example", "url": "https://globex.example/1?a&b"},
            },
        ),
        (
            {"url": "https://globex.example/1", "description": "see https://globex.example/1 first"},
            {
                "description": "see https://globex.example/1 first",
                "source": {"title": "globex.example", "url": "https://globex.example/1"},
            },
        ),
        (
            {"reminders": [{"minutes": 30}, {"minutes": 10}, {"minutes": 30}]},
            {
                "reminders": {
                    "useDefault": False,
                    "overrides": [{"method": "popup", "minutes": 30}, {"method": "popup", "minutes": 10}],
                }
            },
        ),
        ({"reminders": []}, {"reminders": {"useDefault": False, "overrides": []}}),
        ({"transparency": "opaque"}, {"transparency": "opaque"}),
        ({"transparency": "transparent"}, {"transparency": "transparent"}),
        ({"extended_transparency": "tentative"}, {"transparency": "opaque", "status": "tentative"}),
        (
            {"tags": {"private": [{"value": "Interview"}, {"value": "Größe"}]}},
            {"extendedProperties": {"private": {"tags": '["Interview","Größe"]'}}},
        ),
        ({"tags": {"private": []}}, {"extendedProperties": {"private": {"tags": "[]"}}}),
        (
            {"conferencing": LINK},
            {
                "description": f"Globex Meet: {LINK['join_url']}",
                "location": LINK["join_url"],
            },
        ),
    ],
)
def test_a_field_we_own_is_mapped(sent: Any, owned: dict[str, Any]) -> None:
    mapped = google(**sent)

    assert mapped.owned == google().owned | owned
    assert mapped.create == {}
    assert mapped.degraded == ()


@pytest.mark.parametrize(
    ("sent", "create"),
    [
        ({"event_private": True}, {"visibility": "private"}),
        ({"event_private": False}, {}),
        ({"color": "#dc2127"}, {"colorId": "11"}),
        ({"color": "#c6040f"}, {"colorId": "11"}),
        ({"color": "#0000ff"}, {"colorId": "9"}),
        ({"color": "#ffffff"}, {"colorId": "8"}),
        (
            {"reminders": [{"minutes": 5}], "reminders_create_only": True},
            {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}},
        ),
        (
            {"conferencing": {"profile_id": "default"}},
            {
                "conferenceData": {
                    "createRequest": {
                        "requestId": "r1",
                        "conferenceSolutionKey": {"type": "hangoutsMeet"},
                    }
                }
            },
        ),
        ({"conferencing": {"profile_id": "none"}}, {}),
    ],
)
def test_a_field_for_creation_only_stays_out_of_updates(sent: Any, create: dict[str, Any]) -> None:
    mapped = google(**sent)

    assert mapped.create == create
    assert mapped.owned == google().owned


@pytest.mark.parametrize(
    ("sent", "field", "value", "note"),
    [
        ({"summary": "word " * 300}, "summary", "word " * 203 + "word…", "truncated: summary"),
        (
            {"location": {"description": "HQ", "lat": "51.5", "long": "-0.12"}},
            "location",
            "HQ",
            "coordinates_dropped: Google has no field for them",
        ),
        (
            {"url": "tel:+441234567890"},
            "description",
            "tel:+441234567890",
            "source_dropped: Google takes only http and https",
        ),
        (
            {"extended_transparency": "out_of_office"},
            "transparency",
            "opaque",
            "transparency: out_of_office is shown as busy",
        ),
        (
            {"extended_transparency": "working_elsewhere"},
            "transparency",
            "opaque",
            "transparency: working_elsewhere is shown as busy",
        ),
        (
            {"reminders": [{"minutes": n} for n in range(7)]},
            "reminders",
            {"useDefault": False, "overrides": [{"method": "popup", "minutes": n} for n in range(5)]},
            "reminders_dropped: 2",
        ),
        (
            {"reminders": [{"minutes": -5}, {"minutes": 99999}]},
            "reminders",
            {
                "useDefault": False,
                "overrides": [{"method": "popup", "minutes": 0}, {"method": "popup", "minutes": 40320}],
            },
            "reminders_clipped: to 0..40320 minutes",
        ),
    ],
)
def test_what_google_cannot_hold_is_noted(sent: Any, field: str, value: object, note: str) -> None:
    mapped = google(**sent)

    assert mapped.owned[field] == value
    assert mapped.degraded == (note,)


@pytest.mark.parametrize("line", ["a <b> & c\n", "a and b\n", "a & b&copy=1\n"])
def test_a_description_that_would_be_too_long_is_cut_but_its_link_is_not(line: str) -> None:
    url = "https://globex.example/1"
    mapped = google(description=line * 1000 + url, url=url)

    assert 7900 < len(mapped.owned["description"]) <= 8000
    assert mapped.owned["description"].endswith(url)
    assert mapped.degraded == ("truncated: description",)


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("1 < 2 & 3 > 2\nI <3 you; a&b", "1 < 2 & 3 > 2\nI <3 you; a&b"),
        ("https://globex.example/?a=1&b=2", "https://globex.example/?a=1&b=2"),
        ("Größe 😀 «x»", "Größe 😀 «x»"),
        ("<b>Bring</b>\na pen", "&lt;b&gt;Bring&lt;/b&gt;<br>a pen"),
        ("Jo <jo@globex.example>", "Jo &lt;jo@globex.example&gt;"),
        ("</script>", "&lt;/script&gt;"),
        ("<!-- x", "&lt;!-- x"),
        ("AT&amp;T", "AT&amp;amp;T"),
        ("&#128512;", "&amp;#128512;"),
        ("https://globex.example/?a=1&copy=2", "https://globex.example/?a=1&amp;copy=2"),
    ],
)
def test_a_description_is_plain_text_unless_it_would_be_taken_for_html(text: str, description: str) -> None:
    assert google(description=text).owned["description"] == description


def test_tags_beyond_what_a_property_holds_are_left_out_whole() -> None:
    mapped = google(tags={"private": [{"value": f"{n:03}" + "x" * 97} for n in range(20)]})

    kept = json.loads(mapped.owned["extendedProperties"]["private"]["tags"])
    assert [tag[:3] for tag in kept] == [f"{n:03}" for n in range(9)]
    assert mapped.degraded == ("tags_dropped: 11",)


def test_beside_a_booked_place_a_join_link_stands_in_the_description() -> None:
    mapped = google(conferencing=LINK, location={"description": "Room 1"}, description="Hi")

    assert mapped.owned["location"] == "Room 1"
    assert mapped.owned["description"] == f"Hi\n\nGlobex Meet: {LINK['join_url']}"


def test_without_conference_data_no_meet_link_is_asked_for() -> None:
    assert google(conferencing={"profile_id": "default"}, conference=False).create == {}


@pytest.mark.parametrize("url", ["zoommtg://globex.example/1", "https://globex.example/" + "x" * 1300])
def test_a_join_link_is_never_cut(url: str) -> None:
    mapped = google(conferencing={"profile_id": "explicit", "join_url": url})

    assert mapped.owned["description"] == url
    assert mapped.owned.get("location", url) == url
    assert mapped.degraded == ()


def test_notes_of_the_event_come_before_those_of_the_mapping() -> None:
    mapped = google(color="red", extended_transparency="out_of_office")

    assert mapped.degraded == ("bad_value: color", "transparency: out_of_office is shown as busy")


def test_no_meeting_text_shows_when_a_mapping_is_printed() -> None:
    assert "Hush" not in repr(google(summary="Hush", description="Hush"))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (
            {"dateTime": "2026-04-30T12:00:00+01:00", "timeZone": "Europe/London"},
            {"dateTime": "2026-04-30T12:00:00Z"},
            Timed(datetime(2026, 4, 30, 11, tzinfo=UTC), datetime(2026, 4, 30, 12, tzinfo=UTC)),
        ),
        (
            {"dateTime": "2026-04-30T12:00:00", "timeZone": "Europe/London"},
            {"dateTime": "2026-04-30T12:00:00.000Z"},
            Timed(datetime(2026, 4, 30, 11, tzinfo=UTC), datetime(2026, 4, 30, 12, tzinfo=UTC)),
        ),
        (
            {"date": "2026-04-30"},
            {"date": "2026-05-01"},
            AllDay(date(2026, 4, 30), date(2026, 5, 1)),
        ),
        ({"date": "2026-04-30"}, {"dateTime": "2026-04-30T12:00:00Z"}, None),
        ({"dateTime": "2026-04-30T12:00:00"}, {"dateTime": "2026-04-30T12:00:00Z"}, None),
        ({"dateTime": "2026-04-30T12:00:00", "timeZone": "Mars"}, {"dateTime": "2026-04-30T12:00:00Z"}, None),
        ({"dateTime": 7}, {"dateTime": "2026-04-30T12:00:00Z"}, None),
        (None, "x", None),
    ],
)
def test_when_an_event_of_google_takes_place_is_read_back(start: Any, end: Any, expected: object) -> None:
    assert instants({"start": start, "end": end}) == expected
