"""What Graph's answers to a reader mean."""

import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from workers.calendars.microsoft_fields import KEY, TAGS
from workers.calendars.microsoft_reading import (
    lack_properties,
    lack_zone,
    read_schedule,
    read_view,
    read_zone,
)
from workers.calendars.reading import CalendarEvent, Shown
from workers.errors import CalendarError, ErrorClass


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NINE, TEN = at("2026-10-05T09:00"), at("2026-10-05T10:00")


def when(text: str, zone: str = "UTC") -> dict[str, str]:
    return {"dateTime": text, "timeZone": zone}


def event(**fields: Any) -> dict[str, Any]:
    return {
        "id": "e1",
        "showAs": "busy",
        "isAllDay": False,
        "isCancelled": False,
        "responseStatus": {"response": "organizer"},
        "start": when("2026-10-05T09:00:00.0000000"),
        "end": when("2026-10-05T10:00:00.0000000"),
        "originalStartTimeZone": "GMT Standard Time",
        "originalEndTimeZone": "GMT Standard Time",
        **fields,
    }


def all_day(zone: str | None, start: str = "2026-10-25", end: str = "2026-10-26") -> dict[str, Any]:
    return event(
        isAllDay=True,
        start=when(f"{start}T00:00:00.0000000"),
        end=when(f"{end}T00:00:00.0000000"),
        originalStartTimeZone=zone,
        originalEndTimeZone=zone,
    )


def test_an_event_is_read_with_its_instants_and_graph_s_id() -> None:
    assert read_view([event()], None) == [CalendarEvent(NINE, TEN, Shown.BUSY, uid="e1")]


@pytest.mark.parametrize(
    ("shows", "shown"),
    [
        ("free", Shown.FREE),
        ("workingElsewhere", Shown.FREE),
        ("tentative", Shown.TENTATIVE),
        ("Tentative", Shown.TENTATIVE),
        ("busy", Shown.BUSY),
        ("oof", Shown.BUSY),
        ("unknown", Shown.BUSY),
        ("a new word", Shown.BUSY),
        (None, Shown.BUSY),
    ],
)
def test_only_what_is_shown_as_free_or_tentative_does_not_block(shows: str | None, shown: Shown) -> None:
    [viewed] = read_view([event(showAs=shows)], None)
    [scheduled] = read_schedule(schedule(event(status=shows)))
    assert (viewed.shown, scheduled.shown) == (shown, shown)


@pytest.mark.parametrize(
    "gone", [event(isCancelled=True), event(responseStatus={"response": "declined", "time": "x"})]
)
def test_what_is_cancelled_or_declined_is_left_out(gone: dict[str, Any]) -> None:
    assert read_view([gone], None) == []


def test_an_unanswered_invitation_is_as_it_is_shown() -> None:
    [found] = read_view([event(responseStatus={"response": "notResponded"}, showAs="tentative")], None)
    assert found.shown is Shown.TENTATIVE
    assert len(read_view([event(responseStatus=None)], None)) == 1


@pytest.mark.parametrize(
    ("made_in", "mailbox", "start", "end"),
    [
        ("GMT Standard Time", None, "2026-10-24T23:00", "2026-10-26T00:00"),  # 25 hours
        ("Europe/London", "Asia/Tokyo", "2026-10-24T23:00", "2026-10-26T00:00"),
        ("UTC", "Asia/Tokyo", "2026-10-24T15:00", "2026-10-25T15:00"),
        ("Etc/UTC", "Asia/Tokyo", "2026-10-24T15:00", "2026-10-25T15:00"),
        ("tzone://Microsoft/Custom", "Asia/Tokyo", "2026-10-24T15:00", "2026-10-25T15:00"),
        (None, "America/New_York", "2026-10-25T04:00", "2026-10-26T04:00"),
        ("UTC", None, "2026-10-24T10:00", "2026-10-26T12:00"),
    ],
)
def test_whole_days_are_those_of_the_zone_they_were_made_in_or_of_the_mailbox_or_of_any(
    made_in: str | None, mailbox: str | None, start: str, end: str
) -> None:
    [found] = read_view([all_day(made_in)], ZoneInfo(mailbox) if mailbox else None)
    assert (found.start, found.end) == (at(start), at(end))


def test_the_mailbox_s_zone_is_asked_for_only_where_a_whole_day_needs_it() -> None:
    assert not lack_zone([event(originalStartTimeZone="UTC"), all_day("GMT Standard Time"), None])
    assert lack_zone([event(), all_day("UTC")])
    assert lack_zone([all_day(None)])


def test_fractions_of_a_second_are_rounded_outward() -> None:
    odd = event(start=when("2026-10-05T09:00:00.9990000"), end=when("2026-10-05T09:59:59.0010000"))
    [found] = read_view([odd], None)
    assert (found.start, found.end) == (NINE, TEN)


def test_tags_are_read_of_our_events_only_however_graph_spells_the_property() -> None:
    tags, key = {"id": TAGS.upper(), "value": '["Interview"]'}, {"id": KEY, "value": "k"}
    items = [event(singleValueExtendedProperties=given) for given in ([tags, key], [tags], [key], None)]
    assert [each.tags for each in read_view(items, None)] == [
        {"Interview"},
        frozenset(),
        frozenset(),
        frozenset(),
    ]


def test_events_that_may_be_ours_and_came_without_properties_are_told_apart() -> None:
    ours, theirs = str(uuid.uuid5(uuid.NAMESPACE_URL, "k")), str(uuid.uuid4())
    properties = [{"id": KEY, "value": "k"}]
    items = [
        event(id="a", transactionId=ours),
        event(id="b", transactionId=ours, singleValueExtendedProperties=properties),
        event(id="c", transactionId=theirs),
        event(id="d", transactionId=f"localevent:{ours}"),
        event(id="e", transactionId=None),
        event(id="f"),
        event(id=None, transactionId=ours),
        "?",
    ]
    assert lack_properties(items) == ["a"]


@pytest.mark.parametrize(
    "strange",
    [
        None,
        "e1",
        event(start=None),
        event(end=when("2026-10-05T08:00:00")),
        event(start=when("soon")),
        event(start=when("2026-10-05T09:00:00", "Mars/Olympus")),
        event(start=when("0001-01-01T00:00:00", "Tokyo Standard Time")),
        event(responseStatus="declined"),
        event(singleValueExtendedProperties=[{"id": KEY}]),
        {name: value for name, value in event().items() if name != "id"},
    ],
)
def test_one_event_that_cannot_be_read_makes_the_calendar_unreadable(strange: Any) -> None:
    with pytest.raises(CalendarError):
        read_view([event(), strange], None)


# -- getSchedule


def schedule(*items: Any, **more: Any) -> dict[str, Any]:
    return {"value": [{"scheduleId": "a@b.example", "scheduleItems": list(items), **more}]}


def test_the_items_of_a_schedule_are_its_busy_times() -> None:
    item = {"status": "Busy", "isPrivate": True, "start": event()["start"], "end": event()["end"]}
    assert read_schedule(schedule(item)) == [CalendarEvent(NINE, TEN)]


@pytest.mark.parametrize(
    ("answer", "code", "error_class"),
    [
        (schedule(error={"message": "m", "responseCode": "5006"}), "5006", ErrorClass.TRANSIENT),
        (schedule(error={"message": "m"}), "schedule_error", ErrorClass.TRANSIENT),
        (schedule(error="m"), "schedule_error", ErrorClass.TRANSIENT),
        (schedule(error={"responseCode": "5009"}), "5009", ErrorClass.PERMANENT),
        (schedule({"status": "busy"}), "time_unreadable", ErrorClass.TRANSIENT),
        ({"value": [{"scheduleId": "a@b.example"}]}, "answer_unreadable", ErrorClass.TRANSIENT),
        ({"value": []}, "answer_unreadable", ErrorClass.TRANSIENT),
        ({"value": [{}, {}]}, "answer_unreadable", ErrorClass.TRANSIENT),
        ({}, "answer_unreadable", ErrorClass.TRANSIENT),
    ],
)
def test_a_schedule_with_an_error_or_of_another_shape_is_unreadable(
    answer: dict[str, Any], code: str, error_class: ErrorClass
) -> None:
    with pytest.raises(CalendarError) as raised:
        read_schedule(answer)
    assert (raised.value.code, raised.value.error_class) == (code, error_class)


def test_a_mailbox_s_zone_is_that_of_its_working_hours() -> None:
    assert read_zone(schedule(workingHours={"timeZone": {"name": "Tokyo Standard Time"}})) == ZoneInfo(
        "Asia/Tokyo"
    )


@pytest.mark.parametrize(
    "answer",
    [
        schedule(),
        schedule(workingHours=None),
        schedule(workingHours={"timeZone": {"name": "Customized Time Zone"}}),
        schedule(workingHours={"timeZone": {"name": None}}),
        schedule(error={"responseCode": "5006"}),
    ],
)
def test_a_mailbox_s_zone_may_not_be_known(answer: dict[str, Any]) -> None:
    assert read_zone(answer) is None
