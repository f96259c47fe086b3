from typing import Any

import pytest

from sandbox.graph_times import ZoneRules
from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, Client, graph_event


def at(clock: str, zone: str) -> dict[str, str]:
    return {"dateTime": f"2026-10-06T{clock}", "timeZone": zone}


@pytest.mark.parametrize(
    ("zone", "utc"),
    [
        ("W. Europe Standard Time", "2026-10-06T07:00:00.0000000"),
        ("Europe/Berlin", "2026-10-06T07:00:00.0000000"),
        ("India Standard Time", "2026-10-06T03:30:00.0000000"),
        ("Asia/Toshkent", "2026-10-06T04:00:00.0000000"),
        ("UTC", "2026-10-06T09:00:00.0000000"),
    ],
)
async def test_windows_and_listed_iana_names_are_taken(graph: Client, zone: str, utc: str) -> None:
    event = graph_event(start=at("09:00:00", zone), end=at("10:00:00", zone))
    created = await graph("POST", "/events", event, headers={"Prefer": ""})
    assert created.body["start"] == {"dateTime": utc, "timeZone": "UTC"}
    assert created.body["originalStartTimeZone"] == zone


async def test_a_reader_gets_its_own_zone(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event())
    headers = {"Prefer": 'IdType="ImmutableId", outlook.timezone="Tokyo Standard Time"'}
    read = await graph("GET", f"/events/{created.body['id']}", headers=headers)
    assert read.body["start"] == {
        "dateTime": "2026-10-06T16:00:00.0000000",
        "timeZone": "Tokyo Standard Time",
    }


@pytest.mark.parametrize("zone", ["Europe/Zurich", "Mars/Base", "CET"])
async def test_other_names_are_refused(graph: Client, zone: str) -> None:
    answer = await graph("POST", "/events", graph_event(start=at("09:00:00", zone)))
    assert (answer.status, answer.code) == (400, "TimeZoneNotSupportedException")


async def test_an_unknown_zone_for_the_reply_is_refused_before_anything_is_stored(
    box: Sandbox, graph: Client
) -> None:
    answer = await graph("POST", "/events", graph_event(), headers={"Prefer": 'outlook.timezone="Mars"'})
    assert answer.code == "TimeZoneNotSupportedException"
    assert not box.state.microsoft.mailbox(PANEL).events


async def test_a_mailbox_may_refuse_a_listed_name(box: Sandbox, graph: Client) -> None:
    rules = ZoneRules(refused=frozenset({"W. Europe Standard Time"}))
    box.state.microsoft.put_mailbox(PANEL, zone_rules=rules)
    answer = await graph("POST", "/events", graph_event())
    supported = await graph("GET", "/outlook/supportedTimeZones")
    names = {zone["alias"] for zone in supported.body["value"]}
    assert answer.code == "TimeZoneNotSupportedException"
    assert "W. Europe Standard Time" not in names
    assert {"UTC", "Tokyo Standard Time"} <= names


async def test_a_server_with_outdated_rules_shows_in_the_instant_read_back(
    box: Sandbox, graph: Client
) -> None:
    rules = ZoneRules(shifted={"W. Europe Standard Time": 60})
    box.state.microsoft.put_mailbox(PANEL, zone_rules=rules)
    created = await graph("POST", "/events", graph_event())
    assert created.body["start"]["dateTime"] == "2026-10-06T06:00:00.0000000"


async def test_all_day_goes_from_midnight_to_midnight_and_floats(graph: Client) -> None:
    zone = "Tokyo Standard Time"
    midnights = {
        "start": {"dateTime": "2026-10-06T00:00:00", "timeZone": zone},
        "end": {"dateTime": "2026-10-07T00:00:00", "timeZone": zone},
    }
    created = await graph("POST", "/events", graph_event(isAllDay=True, **midnights))
    assert created.body["start"] == {"dateTime": "2026-10-06T00:00:00.0000000", "timeZone": "UTC"}


@pytest.mark.parametrize(
    "fields",
    [
        {"isAllDay": True},
        {"end": at("08:00:00", "W. Europe Standard Time")},
        {"end": None},
        {"start": at("09:00:00+02:00", "W. Europe Standard Time")},
        {"start": at("25:00:00", "UTC")},
        {
            "isAllDay": True,
            "start": {"dateTime": "2026-10-06T00:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-10-07T00:00:00", "timeZone": "Tokyo Standard Time"},
        },
    ],
    ids=str,
)
async def test_times_that_make_no_sense_are_refused(graph: Client, fields: dict[str, Any]) -> None:
    answer = await graph("POST", "/events", graph_event(**fields))
    assert (answer.status, answer.code) == (400, "ErrorInvalidRequest")


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("1600-12-31T09:00:00", "1600-12-31T10:00:00", "ErrorCalendarOutOfRange"),
        ("4501-01-01T09:00:00", "4501-01-01T10:00:00", "ErrorCalendarOutOfRange"),
        ("2026-10-06T09:00:00", "2031-10-07T09:00:00", "ErrorCalendarDurationIsTooLong"),
    ],
)
async def test_years_and_lengths_beyond_what_exchange_holds_are_refused(
    graph: Client, start: str, end: str, code: str
) -> None:
    times = {
        "start": {"dateTime": start, "timeZone": "UTC"},
        "end": {"dateTime": end, "timeZone": "UTC"},
    }
    answer = await graph("POST", "/events", graph_event(**times))
    assert (answer.status, answer.code) == (400, code)
