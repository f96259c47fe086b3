"""Reading bodies that may be anything."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.errors import Unreadable
from receiver.callback import Callback, Notification, read_callback
from tests.callbacks import SCHEDULING, SEQUENCING, changed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = [
    "event",
    "sequence",
    "participants",
    "notification",
    "event_id",
    "sequence_id",
    "start",
    "end",
    "sub",
    "tzid",
]


def test_the_parts_of_the_documented_callback() -> None:
    callback = read_callback(SEQUENCING)
    assert isinstance(callback, Callback)
    assert callback.event_id == "qTtZdczOccgaPncGJaCiLg"
    assert [part.sequence_id for part in callback.parts] == ["123", "456"]
    assert [part.subs for part in callback.parts] == [
        ("acc_5ba21743f408617d1269ea1e",),
        ("acc_64b17d868090ea21640c914c",),
    ]
    assert json.loads(bytes(callback.parts[0].event))["summary"] == "Pre screen"


def test_a_part_s_times_may_stand_directly_under_it() -> None:
    body = changed(sequence__0__event__start=None, sequence__0__start="2026-04-30T11:00:00Z")
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    assert bytes(callback.parts[0].start) == b'"2026-04-30T11:00:00Z"'
    assert not callback.parts[0].end


def test_the_outer_zone_is_found_in_the_start_or_beside_it() -> None:
    for body in (
        SCHEDULING,
        changed(SCHEDULING, event__start="2026-07-27T10:00:00Z", event__tzid="Europe/London"),
    ):
        callback = read_callback(body)
        assert isinstance(callback, Callback)
        assert callback.parts[0].zone == "Europe/London"


@pytest.mark.parametrize(
    "participants", [None, "x", 5, {"sub": "a"}, ["a"], [{"sub": 5}], [{"sub": []}], [{}]]
)
def test_participants_in_an_unknown_form_are_nobody(participants: object) -> None:
    data = json.loads(SEQUENCING)
    data["sequence"][0]["participants"] = participants
    callback = read_callback(json.dumps(data).encode())
    assert isinstance(callback, Callback)
    assert callback.parts[0].subs == ()


def test_a_sequence_of_null_is_no_sequence() -> None:
    data = {**json.loads(SCHEDULING), "sequence": None}
    callback = read_callback(json.dumps(data).encode())
    assert isinstance(callback, Callback)
    assert [part.sequence_id for part in callback.parts] == [None]


NOTIFICATIONS: list[object] = [
    None,
    {"type": "verification"},
    {"type": "change", "changes_since": "2026-04-30T10:00:00Z"},
    {"type": "scheduling_request_time_chosen"},
    {"type": "nothing_we_know"},
    {"type": None},
    {"type": 5},
    {},
    [],
    "verification",
    False,
    0,
]


@pytest.mark.parametrize("scheduler_requests", [False, True])
@pytest.mark.parametrize("notification", NOTIFICATIONS)
def test_a_booking_is_one_whatever_stands_beside_it(notification: object, scheduler_requests: bool) -> None:
    for documented in (SEQUENCING, SCHEDULING):
        whole = read_callback(documented)
        beside = {"notification": notification, "channel": {}, "scheduling_request": 5, "new_in_2027": [{}]}
        body = json.dumps({**json.loads(documented), **beside}).encode()
        callback = read_callback(body, scheduler_requests=scheduler_requests)
        assert isinstance(callback, Callback)
        assert isinstance(whole, Callback)
        assert callback.event_id == whole.event_id
        assert [(part.sequence_id, part.subs, part.zone) for part in callback.parts] == [
            (part.sequence_id, part.subs, part.zone) for part in whole.parts
        ]


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": []},
        {"sequence": {}},
        {"sequence": "x"},
        {"sequence": False},
        {"sequence": [{}]},
        {"sequence": [{"sequence_id": ["123"]}]},
        {"event": None},
        {"event": "x"},
        {"event": {"start": "2026-04-30T11:00:00Z"}, "sequence": None},
        {"event": {"event_id": {}, "start": "2026-04-30T11:00:00Z"}, "sequence": None},
    ],
)
def test_a_booking_that_cannot_be_read_is_no_notification(changes: dict[str, object]) -> None:
    body = changed(notification={"type": "change"}, **changes)
    with pytest.raises(Unreadable):
        read_callback(body)


@pytest.mark.parametrize("notification", [{}, {"type": None}, {"type": ""}, {"type": 5}, {"type": {}}, [], "x", 0, 5, False, True])  # fmt: skip
@pytest.mark.parametrize("beside", [{}, {"channel": {}}, {"event": None, "sequence": None}])
def test_only_a_notification_with_a_type_is_one(notification: object, beside: dict[str, object]) -> None:
    with pytest.raises(Unreadable, match="no `type`"):
        read_callback(json.dumps({"notification": notification, **beside}).encode())


@pytest.mark.parametrize("kind", ["verification", "change", "smart_invite", "nothing_we_know"])
@pytest.mark.parametrize("beside", [{}, {"event": None}, {"sequence": None}, {"event": {"event_id": "x", "start": None}}])  # fmt: skip
def test_a_notification_with_a_type_and_no_booking_beside_it_is_one(
    kind: str, beside: dict[str, object]
) -> None:
    body = json.dumps({"notification": {"type": kind}, **beside}).encode()
    assert read_callback(body) == read_callback(body, scheduler_requests=True) == Notification(kind)


def test_a_sequence_in_an_unknown_place_is_not_taken_for_a_notification() -> None:
    moved_inside = {"notification": {"type": "booked"}, "booking": json.loads(SEQUENCING)}
    with pytest.raises(Unreadable, match="names a `sequence_id`"):
        read_callback(json.dumps(moved_inside).encode())


def test_a_hundred_parts_are_read_and_one_more_is_not() -> None:
    def with_parts(count: int) -> bytes:
        return changed(sequence=[{"sequence_id": number, "event": {}} for number in range(count)])

    callback = read_callback(with_parts(100))
    assert isinstance(callback, Callback)
    assert len(callback.parts) == 100
    with pytest.raises(Unreadable, match="101 parts"):
        read_callback(with_parts(101))


def test_the_reason_never_repeats_the_body() -> None:
    body = changed(sequence__0__sequence_id=["planted"], sequence__0__event__summary="planted")
    with pytest.raises(Unreadable) as unreadable:
        read_callback(body)
    assert "planted" not in str(unreadable.value)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        read_callback(body)


@given(JSON)
def test_any_json_is_read_or_refused(data: object) -> None:
    with contextlib.suppress(Unreadable):
        read_callback(json.dumps(data).encode())


@given(
    st.dictionaries(
        st.sampled_from(MEMBERS), JSON | st.dictionaries(st.sampled_from(MEMBERS), JSON), max_size=5
    )
)
def test_anything_in_the_places_of_a_callback_is_read_or_refused(data: dict[str, object]) -> None:
    body = json.dumps({"event": {"event_id": "x", "start": "y"}, **data}).encode()
    try:
        read = read_callback(body)
    except Unreadable:
        return
    if isinstance(read, Callback):
        assert read.parts
        assert len({part.sequence_text for part in read.parts}) == len(read.parts)
    else:
        assert isinstance(read, Notification)
        assert data["notification"] == {**dict(data["notification"]), "type": read.type}  # type: ignore[call-overload]
        assert data.get("sequence") is None
