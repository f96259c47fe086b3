import json
from typing import Any

import pytest

from workers.calendars import google_event, microsoft_event
from workers.calendars.differences import MEETING, left_over, shortcomings
from workers.calendars.microsoft_fields import KEY, VERSION
from workers.calendars.port import Draft, Found
from workers.event import read_event

TIMES = {"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T12:00:00Z"}
DEFAULT = {"profile_id": "default"}
LINK = "https://zoom.example/j/1?a=1&copy=2"

of_both = pytest.mark.parametrize("module", [google_event, microsoft_event], ids=["google", "microsoft"])


def draft(module: Any, **fields: Any) -> Draft:
    event = read_event(json.dumps({**TIMES, **fields}).encode())
    drafted = module.draft(event, key="k", revision=7, named_zone=True, conference=True)
    assert isinstance(drafted, Draft)
    return drafted


def found(fields: tuple[str, ...] | None, *, online: bool = False, text: str = "") -> Found:
    return Found(
        event_id="e",
        etag="1",
        key="k",
        revision=6,
        digest="",
        cancelled=False,
        online=online,
        fields=fields,
        text=text,
    )


@of_both
def test_an_event_of_an_earlier_version_keeps_all_that_it_has(module: Any) -> None:
    for fields in ({}, {"conferencing": DEFAULT}):
        drafted = draft(module, **fields)
        assert left_over(found(None, online=True), drafted) == []
        assert module.changed(found(None, online=True), drafted) == drafted.update
        assert module.changed(found(None), drafted) == drafted.update
        assert shortcomings(found(None, online=True), drafted) == ()


@of_both
def test_what_is_set_once_more_is_not_taken_away(module: Any) -> None:
    fields = {
        "summary": "x",
        "description": "x",
        "location": {"description": "x"},
        "url": "https://globex.example/1",
        "reminders": [{"minutes": 5}],
        "transparency": "opaque",
        "tags": {"private": [{"value": "x"}]},
        "conferencing": DEFAULT,
    }
    drafted = draft(module, **fields)
    assert len(drafted.fields) >= 7
    assert left_over(found(drafted.fields), drafted) == []
    assert module.changed(found(drafted.fields, online=True), drafted) == drafted.update


@of_both
def test_a_reminder_that_is_set_on_creation_only_from_now_on_stays(module: Any) -> None:
    before = draft(module, reminders=[{"minutes": 5}])
    after = draft(module, reminders=[{"minutes": 9}], reminders_create_only=True)
    assert module.changed(found(before.fields), after) == after.update


@of_both
def test_names_that_nobody_knows_are_passed_over(module: Any) -> None:
    drafted = draft(module)
    assert module.changed(found(("from", "a", "later", "version")), drafted) == drafted.update


def test_a_meet_is_asked_for_where_there_is_none_and_never_beside_another() -> None:
    drafted = draft(google_event, conferencing=DEFAULT)
    asked = google_event.changed(found(()), drafted)["conferenceData"]["createRequest"]
    assert asked["requestId"] == "k7"
    assert "conferenceData" not in google_event.changed(found((), online=True), drafted)
    assert "conferenceData" not in google_event.changed(found((MEETING,)), drafted)


@pytest.mark.parametrize(
    ("fields", "online", "booked", "note"),
    [
        ((MEETING,), True, {}, "online meeting of an earlier revision stays at the provider"),
        ((), True, {"conferencing": DEFAULT}, "online meeting that a person added stays in place of ours"),
        ((MEETING,), True, {"conferencing": DEFAULT}, None),
        ((), True, {}, None),
        ((MEETING,), False, {}, None),
    ],
)
def test_a_meeting_that_is_not_as_booked_is_said(
    fields: tuple[str, ...], online: bool, booked: dict[str, Any], note: str | None
) -> None:
    noted = shortcomings(found(fields, online=online), draft(google_event, **booked))
    assert noted == (() if note is None else (note,))


@pytest.mark.parametrize(
    "event",
    [
        {"location": LINK},
        {"description": "Zoom: https://zoom.example/j/1?a=1&amp;copy=2"},
        {"conferenceData": {"entryPoints": [{"uri": LINK}]}},
    ],
)
def test_a_link_is_found_wherever_google_shows_it(event: dict[str, Any]) -> None:
    drafted = draft(google_event, conferencing={"profile_id": "explicit", "join_url": LINK})
    assert shortcomings(google_event.found({"id": "e", **event}), drafted) == ()
    assert shortcomings(google_event.found({"id": "e"}), drafted) == ("join link not shown by the provider",)


@pytest.mark.parametrize(
    "event",
    [
        {"location": {"displayName": LINK}},
        {"body": {"contentType": "html", "content": "<p>https://zoom.example/j/1?a=1&amp;copy=2</p>"}},
    ],
)
def test_a_link_is_found_wherever_microsoft_shows_it(event: dict[str, Any]) -> None:
    drafted = draft(microsoft_event, conferencing={"profile_id": "explicit", "join_url": LINK})
    assert shortcomings(microsoft_event.found({"id": "e", **event}), drafted) == ()
    assert shortcomings(microsoft_event.found({"id": "e"}), drafted) == (
        "join link not shown by the provider",
    )


@pytest.mark.parametrize(
    ("value", "digest", "fields"),
    [
        ("7 abc", "abc", None),  # of an earlier version
        ("7 abc ", "abc", ()),
        ("7 abc subject,location", "abc", ("subject", "location")),
    ],
)
def test_the_mark_of_an_earlier_version_is_read(
    value: str, digest: str, fields: tuple[str, ...] | None
) -> None:
    properties = [{"id": KEY, "value": "k"}, {"id": VERSION, "value": value}]
    read = microsoft_event.found({"id": "e", "singleValueExtendedProperties": properties})
    assert (read.key, read.revision, read.digest, read.fields) == ("k", 7, digest, fields)


@of_both
def test_an_event_shows_no_meeting_text_when_printed(module: Any) -> None:
    event = {"id": "e", "description": "Hush", "body": {"content": "Hush"}}
    assert "Hush" not in f"{module.found(event)!r} {module.found(event)}"
