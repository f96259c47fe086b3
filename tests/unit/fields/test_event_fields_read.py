import json
from typing import Any

import pytest

from workers.event import (
    Conferencing,
    Event,
    InvalidPart,
    JoinLink,
    Location,
    Transparency,
    read_event,
)

TIMES = {"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T12:00:00Z"}


def read(**fields: Any) -> Event:
    return read_event(json.dumps({**TIMES, **fields}).encode())


def raw(tail: bytes) -> Event:
    return read_event(b'{"start":"2026-04-30T11:00:00Z","end":"2026-04-30T12:00:00Z",' + tail + b"}")


def test_the_documented_part_reads_without_a_note() -> None:
    event = read_event(
        b'{"event_id":"e1","start":"2026-04-30T11:00:00Z","end":"2026-04-30T12:00:00Z","summary":"First"}',
        outer_zone="Europe/London",
    )

    assert (event.summary, event.zone, event.degraded) == ("First", "Europe/London", ())


@pytest.mark.parametrize(
    ("sent", "field", "value"),
    [
        ({"summary": "Interview"}, "summary", "Interview"),
        ({"summary": ""}, "summary", ""),
        ({"summary": "two\nlines\t"}, "summary", "two lines"),
        ({"summary": None}, "summary", None),
        ({}, "summary", None),
        ({"description": "a\r\nb\rc\n\td"}, "description", "a\nb\nc\n\td"),
        ({"location": {"description": "Room 1"}}, "location", Location("Room 1")),
        (
            {"location": {"description": "HQ", "lat": "51.5", "long": "-0.12", "address": "1 High St"}},
            "location",
            Location("HQ", 51.5, -0.12, "1 High St"),
        ),
        ({"location": {"description": ""}}, "location", Location("")),
        ({"location": {"lat": "51.5"}}, "location", None),
        ({"location": {}}, "location", None),
        ({"location": {"lat": "", "long": "", "description": "X"}}, "location", Location("X")),
        ({"url": "https://globex.example/1"}, "url", "https://globex.example/1"),
        ({"url": None}, "url", None),
        ({"url": ""}, "url", None),
        ({"reminders": [{"minutes": 30}, {"minutes": 10}]}, "reminders", (30, 10)),
        ({"reminders": []}, "reminders", ()),
        ({}, "reminders", None),
        ({"reminders_create_only": True}, "reminders_create_only", True),
        ({"event_private": True}, "private", True),
        ({"event_private": False}, "private", False),
        ({"color": "#C6040F"}, "color", "#c6040f"),
        ({"transparency": "opaque"}, "transparency", Transparency.OPAQUE),
        ({"transparency": "transparent"}, "transparency", Transparency.TRANSPARENT),
        ({"transparency": "unknown"}, "transparency", None),
        (
            {"transparency": "opaque", "extended_transparency": "tentative"},
            "transparency",
            Transparency.TENTATIVE,
        ),
        (
            {"transparency": "opaque", "extended_transparency": "unknown"},
            "transparency",
            Transparency.OPAQUE,
        ),
        ({"extended_transparency": "out_of_office"}, "transparency", Transparency.OUT_OF_OFFICE),
        ({"extended_transparency": "working_elsewhere"}, "transparency", Transparency.WORKING_ELSEWHERE),
        ({"conferencing": {"profile_id": "default"}}, "conferencing", Conferencing.DEFAULT),
        ({"conferencing": {"profile_id": "none"}}, "conferencing", Conferencing.NONE),
        ({}, "conferencing", None),
        (
            {
                "conferencing": {
                    "profile_id": "explicit",
                    "join_url": "https://meet.globex.example/1",
                    "provider_description": "Globex Meet",
                }
            },
            "conferencing",
            JoinLink("https://meet.globex.example/1", "Globex Meet"),
        ),
        ({"tags": {"private": [{"value": "Interview"}, {"value": "Interview"}]}}, "tags", ("Interview",)),
        ({"tags": {"private": []}}, "tags", ()),
        ({"subscriptions": [{"type": "webhook"}], "attendees": {"invite": []}, "x": 1}, "summary", None),
    ],
)
def test_a_field_reads_as_documented(sent: Any, field: str, value: object) -> None:
    event = read(**sent)

    assert getattr(event, field) == value
    assert event.degraded == ()


@pytest.mark.parametrize(
    ("sent", "field", "value", "note"),
    [
        ({"summary": 123}, "summary", "123", "wrong_type: summary"),
        ({"summary": {"a": 1}}, "summary", None, "wrong_type: summary"),
        ({"summary": True}, "summary", None, "wrong_type: summary"),
        ({"description": ["x"]}, "description", None, "wrong_type: description"),
        ({"location": "Room 1"}, "location", None, "wrong_type: location"),
        ({"location": {"description": []}}, "location", None, "wrong_type: description"),
        ({"location": {"lat": "north", "long": "0"}}, "location", None, "bad_value: location.lat"),
        ({"location": {"lat": "nan", "long": "0"}}, "location", None, "bad_value: location.lat"),
        ({"location": {"lat": 1, "long": 181}}, "location", None, "bad_value: location.long"),
        ({"location": {"lat": True, "long": [1]}}, "location", None, "bad_value: location.lat"),
        ({"url": "https://globex.example/a b"}, "url", None, "bad_value: url"),
        ({"url": "https://globex.example/" + "x" * 2000}, "url", None, "bad_value: url"),
        ({"url": []}, "url", None, "wrong_type: url"),
        ({"reminders": "x"}, "reminders", None, "wrong_type: reminders"),
        ({"reminders": [5]}, "reminders", None, "bad_value: reminders"),
        ({"reminders": [{"minutes": True}]}, "reminders", None, "bad_value: reminders"),
        ({"reminders": [{"minutes": 2**31}, {"minutes": 5}]}, "reminders", (5,), "bad_value: reminders"),
        (
            {"reminders_create_only": "yes"},
            "reminders_create_only",
            False,
            "wrong_type: reminders_create_only",
        ),
        ({"event_private": 1}, "private", False, "wrong_type: event_private"),
        ({"color": "red"}, "color", None, "bad_value: color"),
        ({"color": 7}, "color", None, "bad_value: color"),
        ({"transparency": "glass"}, "transparency", None, "bad_value: transparency"),
        ({"transparency": {}}, "transparency", None, "bad_value: transparency"),
        ({"conferencing": "default"}, "conferencing", None, "wrong_type: conferencing"),
        (
            {"conferencing": {"profile_id": "explicit"}},
            "conferencing",
            None,
            "missing: conferencing.join_url",
        ),
        (
            {"conferencing": {"profile_id": "pro_1"}},
            "conferencing",
            Conferencing.NONE,
            "conferencing_profile: only Cronofy can use it, no conference was made",
        ),
        ({"tags": ["Interview"]}, "tags", None, "wrong_type: tags"),
        ({"tags": {"private": "Interview"}}, "tags", None, "wrong_type: tags.private"),
        ({"tags": {"private": ["Interview", {"value": "A"}]}}, "tags", ("A",), "bad_value: tags"),
    ],
)
def test_a_field_that_cannot_be_used_is_left_out_and_noted(
    sent: Any, field: str, value: object, note: str
) -> None:
    event = read(**sent)

    assert getattr(event, field) == value
    assert note in event.degraded
    assert event.start == read().start


@pytest.mark.parametrize(
    ("tail", "summary"),
    [
        (b'"summary":"a\\u0000b\\u001b[31m\\u0085c"', "ab[31mc"),
        (b'"summary":"a\x00\x01b"', "ab"),
        (b'"summary":"a\\ud800b"', "a\ufffdb"),
        (b'"summary":"a\\udc00\\ud800b"', "a\ufffd\ufffdb"),
        (b'"summary":"a\\uffffb"', "ab"),
    ],
)
def test_text_no_calendar_takes_is_cleaned_and_noted(tail: bytes, summary: str) -> None:
    event = raw(tail)

    assert event.summary == summary
    assert event.degraded == ("cleaned: summary",)


def test_bytes_that_are_not_utf8_are_replaced_and_noted() -> None:
    event = raw(b'"summary":"a\xed\xa0\x80b\xff"')

    assert event.summary == "a\ufffd\ufffd\ufffdb\ufffd"
    assert event.degraded == ("cleaned: event is not UTF-8",)


@pytest.mark.parametrize(
    "text", ["😀" * 1000, "👩\u200d👩\u200d👧", "ראיון עבודה \u200f(שלב 2)", "مقابلة", "Ünïcödé 面接"]
)
def test_text_of_any_language_stays_as_it_is(text: str) -> None:
    event = read(summary=text, description=text)

    assert (event.summary, event.description, event.degraded) == (text, text, ())


@pytest.mark.parametrize(
    ("tail", "degraded"),
    [
        (b'"x":%s', ()),
        (b'"summary":%s', ("wrong_type: summary",)),
        (b'"reminders":[{"minutes":%s}]', ("bad_value: reminders",)),
        (b'"location":{"lat":%s,"long":0}', ("bad_value: location.lat",)),
    ],
)
def test_a_number_of_thousands_of_digits_costs_its_field_at_most(
    tail: bytes, degraded: tuple[str, ...]
) -> None:
    assert raw(tail % (b"9" * 100_000)).degraded == degraded


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_object_makes_the_part_invalid(event: bytes) -> None:
    with pytest.raises(InvalidPart, match=r"^event: not"):
        read_event(event)


def test_an_event_shows_no_meeting_text_when_printed() -> None:
    event = read(summary="Hush", description="Hush", location={"description": "Hush"}, tags={"private": []})

    assert "Hush" not in f"{event!r} {event}"
