import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tzlocal.windows_tz import win_tz

from workers.event import Event, InvalidPart, read_event
from workers.times import AllDay, Timed, known_zone, rfc3339

ELEVEN = datetime(2026, 4, 30, 11, tzinfo=UTC)
NOON = datetime(2026, 4, 30, 12, tzinfo=UTC)


def read(start: Any, end: Any, *, outer_zone: str | None = None, **fields: Any) -> Event:
    return read_event(json.dumps({"start": start, "end": end, **fields}).encode(), outer_zone=outer_zone)


def reason(start: Any, end: Any) -> str:
    with pytest.raises(InvalidPart) as caught:
        read(start, end)
    return caught.value.reason


@pytest.mark.parametrize(
    "start",
    [
        "2026-04-30T11:00:00Z",
        "2026-04-30t11:00:00z",
        "2026-04-30 11:00:00Z",
        "2026-04-30T11:00Z",
        "2026-04-30T11:00:00.000Z",
        "2026-04-30T12:00:00+01:00",
        "2026-04-30T12:00:00+0100",
        "2026-04-30T06:00:00-05:00",
        " 2026-04-30T11:00:00Z ",
        {"time": "2026-04-30T11:00:00Z"},
        {"time": "2026-04-30T11:00:00Z", "tzid": "Europe/London"},
        {"time": "2026-04-30T12:00:00+01:00", "tzid": "Europe/London"},
    ],
)
def test_every_way_to_write_an_instant_reads_as_that_instant(start: Any) -> None:
    event = read(start, "2026-04-30T12:00:00Z")

    assert (event.start, event.end) == (ELEVEN, NOON)
    assert event.degraded == ()


def test_an_offset_that_disagrees_with_the_zone_wins_and_the_zone_stays_the_label() -> None:
    event = read(
        {"time": "2025-01-21T23:00:00+02:00", "tzid": "Europe/Paris"}, {"time": "2025-01-21T23:30:00+02:00"}
    )

    assert event.start == datetime(2025, 1, 21, 21, tzinfo=UTC)
    assert event.zone == "Europe/Paris"


def test_a_fraction_of_a_second_is_dropped_and_noted() -> None:
    event = read("2026-04-30T11:00:00.999999999Z", "2026-04-30T12:00:00Z")

    assert event.start == ELEVEN
    assert event.degraded == ("fraction_dropped: start",)


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        ("2026-07-01T12:00:00", "Europe/London", datetime(2026, 7, 1, 11, tzinfo=UTC)),
        # 01:30 does not exist on this day, and happens twice on the other
        ("2026-03-29T01:30:00", "Europe/London", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T01:30:00", "Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_offset_is_local_time_in_its_zone(local: str, zone: str, instant: datetime) -> None:
    event = read({"time": local, "tzid": zone}, "2026-12-01T00:00:00Z")

    assert event.start == instant
    assert event.degraded == (f"no_offset: start read in {zone}",)


def test_a_time_without_offset_is_local_time_in_the_zone_of_the_event() -> None:
    event = read("2026-07-01T12:00:00", "2026-07-01T12:00:00Z", tzid="Europe/London")

    assert event.start == datetime(2026, 7, 1, 11, tzinfo=UTC)


def test_a_time_without_offset_and_zone_is_utc() -> None:
    event = read("2026-04-30T11:00:00", "2026-04-30T12:00:00Z")

    assert event.start == ELEVEN
    assert event.degraded == ("no_offset: start read in Etc/UTC",)


def test_a_time_without_offset_and_zone_is_local_time_in_the_zone_of_the_app() -> None:
    event = read_event(
        b'{"start":"2026-07-01T12:00:00","end":"2026-07-01T13:00:00"}', default_zone="Europe/Berlin"
    )

    assert event.when == Timed(datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 1, 11, tzinfo=UTC))


def test_the_zone_of_the_event_is_nearer_to_a_time_than_that_of_the_other_time() -> None:
    event = read(
        {"time": "2026-07-01T12:00:00Z", "tzid": "Asia/Tokyo"}, "2026-07-01T23:00:00", tzid="Asia/Dubai"
    )

    assert event.end == datetime(2026, 7, 1, 19, tzinfo=UTC)


@pytest.mark.parametrize(("name", "zone"), [*win_tz.items(), ("EASTERN standard TIME ", "America/New_York")])
def test_a_zone_may_have_its_windows_name(name: str, zone: str) -> None:
    event = read("2026-04-30T11:00:00Z", "2026-04-30T12:00:00Z", tzid=name)

    assert event.zone == (zone if name != "UTC" else "UTC")
    assert event.degraded == ()


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ({"time": "2026-04-30T11:00:00", "tzid": "Mars/Base"}, "2026-04-30T12:00:00Z", "start"),
        ({"time": "2026-04-30T11:00:00", "tzid": ["Mars"]}, "2026-04-30T12:00:00Z", "start"),
        ("2026-04-30T11:00:00Z", {"time": "2026-04-30T12:00:00", "tzid": "Mars/Base"}, "end"),
        ({"time": "2026-04-30T11:00:00Z", "tzid": "Mars/Base"}, "2026-04-30T12:00:00", "end"),
    ],
)
def test_a_time_without_offset_is_read_in_no_zone_that_nobody_knows(start: Any, end: Any, field: str) -> None:
    assert reason(start, end).startswith(f"{field}: a time without offset in an unknown zone")
    assert "[" not in reason(start, end)


def test_both_instants_of_a_repeated_hour_are_kept_apart() -> None:
    event = read("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", tzid="Europe/London")

    assert isinstance(event.when, Timed)
    assert (rfc3339(event.when.start, event.zone), rfc3339(event.when.end, event.zone)) == (
        "2026-10-25T01:30:00+01:00",
        "2026-10-25T01:30:00+00:00",
    )


@pytest.mark.parametrize(
    ("start", "fields", "outer", "zone"),
    [
        (
            {"time": "2026-04-30T11:00:00Z", "tzid": "Asia/Tokyo"},
            {"tzid": "Europe/Paris"},
            "Asia/Dubai",
            "Asia/Tokyo",
        ),
        ("2026-04-30T11:00:00Z", {"tzid": "Europe/Paris"}, "Asia/Dubai", "Europe/Paris"),
        ("2026-04-30T11:00:00Z", {}, "Asia/Dubai", "Asia/Dubai"),
        ("2026-04-30T11:00:00Z", {"tzid": ""}, "Asia/Dubai", "Asia/Dubai"),
        ("2026-04-30T11:00:00Z", {"tzid": None}, None, "Etc/UTC"),
    ],
)
def test_the_zone_is_the_nearest_one_named(start: Any, fields: Any, outer: str | None, zone: str) -> None:
    event = read(start, "2026-04-30T12:00:00Z", outer_zone=outer, **fields)

    assert (event.zone, event.degraded) == (zone, ())


def test_the_zone_of_the_end_serves_a_start_that_has_none() -> None:
    assert (
        read("2026-04-30T11:00:00Z", {"time": "2026-04-30T12:00:00Z", "tzid": "Asia/Tokyo"}).zone
        == "Asia/Tokyo"
    )


def test_the_app_default_is_the_last_resort() -> None:
    event = read_event(
        b'{"start":"2026-04-30T11:00:00Z","end":"2026-04-30T12:00:00Z"}', default_zone="Europe/Berlin"
    )

    assert event.zone == "Europe/Berlin"


@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "Factory", "Zürich\x00", "x" * 500])
def test_a_zone_that_does_not_exist_becomes_utc_and_is_noted_without_its_text(name: str) -> None:
    event = read("2026-04-30T11:00:00Z", "2026-04-30T12:00:00Z", tzid=name)

    assert event.zone == "Etc/UTC"
    assert event.start == ELEVEN
    assert event.degraded == ("unknown_zone: read as Etc/UTC",)


def test_a_zone_of_the_wrong_type_is_passed_over() -> None:
    event = read("2026-04-30T11:00:00Z", "2026-04-30T12:00:00Z", tzid=7, outer_zone="Asia/Dubai")

    assert (event.zone, event.degraded) == ("Asia/Dubai", ("wrong_type: tzid",))


def test_a_zone_is_known_in_any_case() -> None:
    assert known_zone("EUROPE/london") == "Europe/London"


@pytest.mark.parametrize("day", ["2026-01-01", {"time": "2026-01-01", "tzid": "Europe/London"}])
def test_a_date_is_a_whole_day(day: Any) -> None:
    event = read(day, "2026-01-03")

    assert event.when == AllDay(date(2026, 1, 1), date(2026, 1, 3))
    assert event.degraded == ()


def test_an_all_day_part_that_ends_on_the_day_it_starts_is_that_day() -> None:
    event = read("2026-01-01", "2026-01-01")

    assert event.when == AllDay(date(2026, 1, 1), date(2026, 1, 2))
    assert event.degraded == ("empty_all_day: read as one day",)


def test_a_part_may_have_no_length() -> None:
    assert read("2026-04-30T11:00:00Z", "2026-04-30T12:00:00+01:00").when == Timed(ELEVEN, ELEVEN)


def test_a_part_may_be_longer_than_a_day() -> None:
    assert read("2026-04-30T11:00:00Z", "2026-05-03T12:00:00Z").end == datetime(2026, 5, 3, 12, tzinfo=UTC)


def test_start_and_end_are_found_directly_under_the_part() -> None:
    event = read_event(
        b'{"summary":"x"}',
        start=b'"2026-04-30T11:00:00Z"',
        end=b'{"time":"2026-04-30T12:00:00Z","tzid":"Europe/London"}',
    )

    assert event.when == Timed(ELEVEN, NOON)


def test_start_and_end_in_the_event_win_over_those_of_the_part() -> None:
    event = read_event(
        b'{"start":"2026-04-30T11:00:00Z","end":"2026-04-30T12:00:00Z"}',
        start=b'"2020-01-01T00:00:00Z"',
        end=b"[broken",
    )

    assert event.when == Timed(ELEVEN, NOON)


def test_a_null_in_the_event_leaves_the_place_to_the_part() -> None:
    event = read_event(b'{"start":null,"end":"2026-04-30T12:00:00Z"}', start=b'"2026-04-30T11:00:00Z"')

    assert event.start == ELEVEN


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-04-30T11:00:00Z", "2026-04-30T10:00:00Z", "is before start"),
        ("2026-04-30", "2026-04-29", "is before start"),
        ("2026-04-30", "2026-04-30T10:00:00Z", "one is a whole day"),
        ({"time": "2026-04-30T10:00:00Z"}, {"time": "2026-04-30"}, "one is a whole day"),
        (None, "2026-04-30T10:00:00Z", "start: missing"),
        ("2026-04-30T10:00:00Z", None, "end: missing"),
        ({"tzid": "Europe/London"}, "2026-04-30T10:00:00Z", "start: missing"),
        (1777543200, "2026-04-30T10:00:00Z", "start: neither a time string nor an object"),
        ([], "2026-04-30T10:00:00Z", "start: neither a time string nor an object"),
        ("", "2026-04-30T10:00:00Z", "start: not an ISO 8601 time"),
        ("tomorrow", "2026-04-30T10:00:00Z", "start: not an ISO 8601 time"),
        ("2026-W18-4", "2026-04-30T10:00:00Z", "start: not an ISO 8601 time"),
        ("\uff12026-04-30", "2026-04-30T10:00:00Z", "start: not an ISO 8601 time"),
        ("2026-02-30T10:00:00Z", "2026-04-30T10:00:00Z", "start: '2026-02-30T10:00:00Z' is not a moment"),
        ("2026-02-28T24:00:00Z", "2026-04-30T10:00:00Z", "is not a moment that exists"),
        ("2026-02-28T10:00:00+24:00", "2026-04-30T10:00:00Z", "is not a moment that exists"),
        ("0000-12-29T00:00:00Z", "2026-04-30T10:00:00Z", "start: '0000-12-29T00:00:00Z' is not a moment"),
        ("0001-01-01T00:00:00+05:00", "2026-04-30T10:00:00Z", "is not a moment that exists"),
        ("0001-01-01T00:00:00Z", "2026-04-30T10:00:00Z", "start: the year 1 is out of range"),
        ("2026-04-30T11:00:00Z", "9999-12-31T23:59:59Z", "end: the year 9999 is out of range"),
    ],
)
def test_times_no_calendar_can_hold_make_the_part_invalid(start: Any, end: Any, expected: str) -> None:
    assert expected in reason(start, end)


def test_the_reason_never_shows_meeting_text() -> None:
    assert "tomorrow at Jo's" not in reason("tomorrow at Jo's", "2026-04-30T10:00:00Z")


def test_a_zone_with_odd_seconds_in_its_offset_is_written_in_utc() -> None:
    assert rfc3339(datetime(1900, 1, 1, tzinfo=UTC), "Europe/Amsterdam").endswith("+00:00")
