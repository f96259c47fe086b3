"""What Google's answers to a reader mean."""

from datetime import UTC, datetime
from typing import Any

import pytest

from workers.calendars.google_reading import read_busy, read_page
from workers.calendars.reading import CalendarEvent, Shown
from workers.errors import CalendarError


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NINE, TEN = at("2026-10-05T09:00"), at("2026-10-05T10:00")


def event(**fields: Any) -> dict[str, Any]:
    return {
        "id": "e1",
        "status": "confirmed",
        "start": {"dateTime": "2026-10-05T10:00:00+01:00", "timeZone": "Europe/London"},
        "end": {"dateTime": "2026-10-05T10:00:00Z"},
        **fields,
    }


def read(*items: Any, zone: Any = "Europe/London") -> list[CalendarEvent]:
    return read_page({"kind": "calendar#events", "timeZone": zone, "items": list(items)})


def answered(response: str, *, own: bool = True) -> dict[str, Any]:
    return {"attendees": [{"self": own, "responseStatus": response}]}


def all_day(start: str, end: str) -> dict[str, Any]:
    return event(start={"date": start}, end={"date": end})


def test_an_event_is_read_with_its_instants_and_google_s_id() -> None:
    assert read(event()) == [CalendarEvent(NINE, TEN, Shown.BUSY, uid="e1")]


def test_a_page_without_events_has_none() -> None:
    assert read_page({"kind": "calendar#events", "timeZone": "UTC"}) == []


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, Shown.BUSY),
        ({"transparency": "opaque"}, Shown.BUSY),
        ({"transparency": "a new word"}, Shown.BUSY),
        ({"transparency": "transparent"}, Shown.FREE),
        ({"transparency": "transparent", "status": "tentative"}, Shown.FREE),
        ({"status": "tentative"}, Shown.TENTATIVE),
        ({"status": "a new word"}, Shown.BUSY),
        (answered("tentative"), Shown.TENTATIVE),
        (answered("needsAction"), Shown.BUSY),
        (answered("accepted"), Shown.BUSY),
        (answered("a new word"), Shown.BUSY),
        (answered("tentative", own=False), Shown.BUSY),
    ],
)
def test_only_what_is_said_to_be_free_or_tentative_does_not_block(
    fields: dict[str, Any], shown: Shown
) -> None:
    [found] = read(event(**fields))
    assert found.shown is shown


@pytest.mark.parametrize("gone", [{"id": "e2", "status": "cancelled"}, event(**answered("declined"))])
def test_what_is_cancelled_or_declined_is_left_out(gone: dict[str, Any]) -> None:
    assert [each.uid for each in read(gone, event())] == ["e1"]


def test_what_another_guest_declined_takes_place() -> None:
    assert len(read(event(**answered("declined", own=False)))) == 1


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("Europe/London", ("2026-10-25", "2026-10-26"), "2026-10-24T23:00", "2026-10-26T00:00"),  # 25 hours
        ("America/New_York", ("2026-03-08", "2026-03-09"), "2026-03-08T05:00", "2026-03-09T04:00"),  # 23
        ("Australia/Lord_Howe", ("2026-10-04", "2026-10-05"), "2026-10-03T13:30", "2026-10-04T13:00"),
        ("Africa/Cairo", ("2026-04-24", "2026-04-25"), "2026-04-23T22:00", "2026-04-24T21:00"),  # no midnight
        ("America/Santiago", ("2026-09-06", "2026-09-08"), "2026-09-06T04:00", "2026-09-08T03:00"),
        ("Mars/Olympus", ("2026-10-05", "2026-10-06"), "2026-10-04T10:00", "2026-10-06T12:00"),
        (None, ("2026-10-05", "2026-10-06"), "2026-10-04T10:00", "2026-10-06T12:00"),
    ],
)
def test_whole_days_are_those_of_the_calendar_s_zone_or_of_any(
    zone: str | None, day: tuple[str, str], start: str, end: str
) -> None:
    [found] = read(all_day(*day), zone=zone)
    assert (found.start, found.end) == (at(start), at(end))


def test_fractions_of_a_second_are_rounded_outward() -> None:
    odd = event(start={"dateTime": "2026-10-05T09:00:00.9Z"}, end={"dateTime": "2026-10-05T09:59:59.001Z"})
    [found] = read(odd)
    assert (found.start, found.end) == (NINE, TEN)


def test_tags_are_read_of_our_events_only() -> None:
    tagged = {"tags": '["Interview","Onsite"]'}
    ours = event(extendedProperties={"private": {**tagged, "sequenceSyncKey": "k"}})
    theirs = event(extendedProperties={"private": tagged})
    untagged = event(extendedProperties={"private": {"sequenceSyncKey": "k"}})
    assert [each.tags for each in read(ours, theirs, untagged)] == [
        {"Interview", "Onsite"},
        frozenset(),
        frozenset(),
    ]


@pytest.mark.parametrize(
    "strange",
    [
        None,
        "e1",
        event(start=None),
        event(start={"dateTime": "soon"}),
        event(start={"dateTime": "2026-10-05T11:00:00Z"}),
        event(start={"date": "2026-10-05"}),
        event(end={"dateTime": "2026-10-05T10:00:00"}),
        event(end={"dateTime": "9999-12-31T23:59:59-12:00"}),
        event(attendees="everybody"),
        event(extendedProperties=[1]),
        event(extendedProperties={"private": {"tags": "{", "sequenceSyncKey": "k"}}),
        event(extendedProperties={"private": {"tags": "[1]", "sequenceSyncKey": "k"}}),
        {name: value for name, value in event().items() if name != "id"},
    ],
)
def test_one_event_that_cannot_be_read_makes_the_calendar_unreadable(strange: Any) -> None:
    with pytest.raises(CalendarError):
        read(event(), strange)


@pytest.mark.parametrize("items", [None, {}, "", 0])
def test_a_page_of_another_shape_is_unreadable(items: Any) -> None:
    with pytest.raises(CalendarError):
        read_page({"kind": "calendar#events", "items": items})


# -- freeBusy


def busy(*periods: tuple[str, str], **more: Any) -> dict[str, Any]:
    times = [{"start": start, "end": end} for start, end in periods]
    return {"calendars": {"primary": {"busy": times, **more}}}


def test_busy_times_block_and_say_nothing_else() -> None:
    answer = busy(
        ("2026-10-05T09:00:00Z", "2026-10-05T10:00:00Z"),
        ("2026-10-05T12:00:00+02:00", "2026-10-05T10:30:00Z"),
    )
    assert read_busy(answer) == [CalendarEvent(NINE, TEN), CalendarEvent(TEN, TEN + 1800)]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (busy(errors=[{"domain": "global", "reason": "notFound"}]), "notFound"),
        (busy(errors=[{"reason": "something new"}]), "something new"),
        (busy(errors=["?"]), "free_busy_error"),
        (busy(("2026-10-05T09:00:00Z", "soon")), "time_unreadable"),
        (busy(("2026-10-05T09:00:00Z", "2026-10-05T08:00:00Z")), "time_unreadable"),
        ({"calendars": {"primary": {}}}, "answer_unreadable"),
        ({"calendars": {"primary": None}}, "answer_unreadable"),
        ({"calendars": {}}, "answer_unreadable"),
        ({"calendars": {"a": {"busy": []}, "b": {"busy": []}}}, "answer_unreadable"),
        ({"kind": "calendar#freeBusy"}, "answer_unreadable"),
        ({"calendars": {"primary": {"busy": [{"start": "x"}]}}}, "answer_unreadable"),
    ],
)
def test_a_calendar_with_errors_beside_its_busy_times_is_unreadable(
    answer: dict[str, Any], code: str
) -> None:
    with pytest.raises(CalendarError) as raised:
        read_busy(answer)
    assert raised.value.code == code
