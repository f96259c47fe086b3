from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import RECRUITER, Client, google_event

BERLIN = {"dateTime": "2026-10-06T09:00:00", "timeZone": "Europe/Berlin"}


async def test_a_time_comes_back_with_the_calendars_offset_and_the_zone_as_given(
    box: Sandbox, google: Client
) -> None:
    box.state.google.put_calendar(RECRUITER, time_zone="America/New_York")
    inserted = await google("POST", json=google_event())
    assert inserted.body["start"] == {"dateTime": "2026-10-06T03:00:00-04:00", "timeZone": "Europe/Berlin"}


async def test_the_offset_wins_over_the_zone(google: Client) -> None:
    start = {"dateTime": "2026-10-06T09:00:00+09:00", "timeZone": "Europe/Berlin"}
    inserted = await google("POST", json=google_event(start=start))
    assert inserted.body["start"]["dateTime"] == "2026-10-06T00:00:00Z"


async def test_a_reader_may_ask_for_another_zone(google: Client) -> None:
    await google("POST", json=google_event())
    read = await google("GET", "/meeting1", timeZone="Asia/Tokyo")
    assert read.body["start"]["dateTime"] == "2026-10-06T16:00:00+09:00"


async def test_an_all_day_event_keeps_its_dates(google: Client) -> None:
    dates = {"start": {"date": "2026-10-06"}, "end": {"date": "2026-10-07"}}
    inserted = await google("POST", json=google_event(**dates))
    assert inserted.body["start"] == {"date": "2026-10-06"}


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ({"dateTime": "2026-10-06T09:00:00", "timeZone": "Mars/Base"}, BERLIN, "invalid"),
        ({"dateTime": "2026-10-06T09:00:00"}, BERLIN, "required"),
        ({"dateTime": "2026-10-06T09:30:00Z"}, BERLIN, "timeRangeEmpty"),
        ({"date": "2026-10-06"}, BERLIN, "invalid"),
        ({"date": "2026-10-06", "dateTime": "2026-10-06T09:30:00Z"}, BERLIN, "invalid"),
        ({"dateTime": "6 October", "timeZone": "UTC"}, BERLIN, "invalid"),
        ({"dateTime": "2026-02-30T09:00:00Z"}, BERLIN, "invalid"),
        ({"dateTime": "0001-01-01T00:00:00+05:00"}, BERLIN, "invalid"),
        ({"date": "2026-02-30"}, {"date": "2026-03-01"}, "invalid"),
        ({}, BERLIN, "required"),
    ],
)
async def test_times_that_make_no_sense_are_refused(
    google: Client, start: dict[str, Any], end: dict[str, Any], reason: str
) -> None:
    answer = await google("POST", json=google_event(start=start, end=end))
    assert (answer.status, answer.reason) == (400, reason)


async def test_a_calendar_may_refuse_a_zone_and_takes_the_offset_alone(box: Sandbox, google: Client) -> None:
    box.state.google.put_calendar(RECRUITER, refused_zones=frozenset({"Europe/Berlin"}))
    named = await google("POST", json=google_event())
    times = {
        "start": {"dateTime": "2026-10-06T09:00:00+02:00"},
        "end": {"dateTime": "2026-10-06T10:00:00+02:00"},
    }
    unnamed = await google("POST", json=google_event(**times))
    assert named.body["error"]["message"] == "Invalid time zone definition for start time."
    assert (named.status, unnamed.status) == (400, 200)
