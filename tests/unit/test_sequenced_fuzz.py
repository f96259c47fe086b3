"""Requests that may be anything: they are read, or refused with what is wrong, and nothing else happens."""

import contextlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.api.problems import Invalid, Key
from scheduler.api.values import from_json
from scheduler.availability import find_sequences
from scheduler.sequenced import answer_of, calendars_of, period_to_read, query_of, unavailable
from tests.fuzz.bodies import HOSTILE
from tests.sequenced_words import FIRST, NOW, SECOND, changed, read

T = TypeVar("T")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
EDGES = st.sampled_from(
    [
        {}, [], [{}], [None], "", "all", "day", "week", "UTC", -1, 0, 1, 5, 61, 2**31, 2**63, 10**40, float("nan"),
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-12-06T12:00:30Z", "\ud800",
        {"minutes": 1}, {"minutes": 35 * 1440}, {"hours": 840}, {"hours": -1}, {"minutes": 2**70},
    ]
)  # fmt: skip
_MINUTES = st.integers(0, 100).map(lambda minutes: {"minutes": minutes})
_TIMES = st.integers(0, 72 * 60).map(lambda minute: (NOW + timedelta(minutes=minute)).isoformat())
SOUND = {
    "required_duration": _MINUTES, "minimum": _MINUTES, "maximum": _MINUTES | st.none(), "start": _TIMES, "end": _TIMES,
    "start_interval": st.sampled_from([{"minutes": 5}, {"hours": 1}, None]), "buffer": st.just({}), "before": _MINUTES,
    "ordinal": st.integers(1, 2) | st.none(), "limit": st.integers(0, 2), "tags": st.none(),
    "calendar_ids": st.just(["private", "interviews"]) | st.none(), "available_periods": st.none(),
}  # fmt: skip
"""What may stand in some places, by their names."""


def places(data: object, path: str = "") -> list[str]:
    """The paths of all values, `sequence.0.ordinal`."""
    steps = enumerate(data) if isinstance(data, list) else data.items() if isinstance(data, dict) else ()
    inner = [(f"{path}.{step}".lstrip("."), value) for step, value in steps]
    return [each for at, value in inner for each in (at, *places(value, at))]


PLACES = [(data, place) for data in (FIRST, SECOND) for place in places(data)]
ALSO = [
    "available_periods",
    "calendar_ids",
    "ignore_tentative",
    "availability_constraints",
    "tzid",
    "limit",
    "tags",
]


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A sound request, or one with something else in one or two of its places."""
    data, place = draw(st.sampled_from(PLACES))
    found: dict[str, Any] = data
    for _ in range(draw(st.integers(0, 5))):
        sound = draw(st.sampled_from([each for each in places(data) if each.rpartition(".")[2] in SOUND]))
        with contextlib.suppress(TypeError, KeyError):  # what it was in may be gone
            found = changed(sound, draw(SOUND[sound.rpartition(".")[2]]), found)
    if draw(st.booleans()):
        return found
    found = changed(place, draw(EDGES | JSON), data)
    if draw(st.booleans()):
        way, _, _ = draw(st.sampled_from(places(found))).rpartition(".")
        also = f"{way}.{draw(st.sampled_from(ALSO))}".lstrip(".")
        with contextlib.suppress(TypeError, KeyError, IndexError, ValueError):  # a list, or a name with a dot
            found = changed(also, draw(EDGES | JSON), found)
    return found


def attempt(what: Callable[[], T]) -> T | Invalid:
    try:
        return what()
    except Invalid as invalid:
        return invalid


@settings(max_examples=300)
@given(JSON | requests())
def test_any_request_is_read_or_refused_with_its_problems(data: object) -> None:
    request = attempt(lambda: read(data))
    if isinstance(request, Invalid):
        problems = [each for some in request.errors.values() for each in some]
        assert problems
        assert all(each.description and each.key in Key for each in problems)
        assert json.loads(msgspec.json.encode({"errors": request.errors}))["errors"]
        return
    start, end = period_to_read(request)
    assert NOW.timestamp() - 36 * 86400 < start < end
    assert unavailable(request, {})
    assert answer_of(find_sequences(query_of(request, {})).sequences) == {"sequences": []}
    free = query_of(request, dict.fromkeys(calendars_of(request), ()))
    assert msgspec.json.encode(answer_of(find_sequences(free).sequences))


@settings(max_examples=100)
@given(
    st.binary(max_size=40) | st.sampled_from(HOSTILE).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_body_is_json_or_refused(body: bytes) -> None:
    data = attempt(lambda: from_json(body))
    if isinstance(data, Invalid):
        assert list(data.errors) == ["body"]
    else:
        assert isinstance(attempt(lambda: read(data)), Invalid)


def test_of_members_with_the_same_name_the_last_counts() -> None:
    assert from_json(b'{"tzid": 1, "tzid": 2}') == {"tzid": 2}
