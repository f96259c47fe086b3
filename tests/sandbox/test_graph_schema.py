from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.graph_schema import problems, schema

FULL: dict[str, Any] = {
    "subject": "Interview",
    "body": {"contentType": "text", "content": "Bring a pen"},
    "start": {"dateTime": "2026-10-06T09:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-10-06T10:00:00", "timeZone": "UTC"},
    "isAllDay": False,
    "location": {"displayName": "Room 1", "coordinates": {"latitude": 52.5, "longitude": 13}},
    "locations": [],
    "reminderMinutesBeforeStart": 15,
    "showAs": "busy",
    "categories": ["Red"],
    "attendees": [{"emailAddress": {"address": "manager@globex.com"}, "type": "required"}],
    "recurrence": None,
    "singleValueExtendedProperties": [{"id": "String 0x1", "value": None}],
    "body@odata.type": "#microsoft.graph.itemBody",
}
WRONG = [None, True, 1, 1.0, 1.5, 2**31, "busy", "x", [], ["x"], [None], {}, {"x": 1}, {"dateTime": 1}]


def agrees(body: object) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert (problems(body) == []) == validator.is_valid(body), body


def test_a_full_event_fits() -> None:
    assert problems(FULL) == []
    agrees(FULL)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", [*FULL, "bogus"])
def test_our_reading_of_the_schema_agrees_with_jsonschemas(name: str) -> None:
    for value in WRONG:
        agrees({**FULL, name: value})


@given(
    st.dictionaries(
        st.sampled_from([*schema()["$defs"]["event"]["properties"], "bogus", "@odata.type"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.sampled_from(["busy", "text", "x"]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["id", "value", "content", "dateTime", "address"]), inner)
            ),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_they_agree_on_any_body(body: dict[str, Any]) -> None:
    agrees(body)


def test_a_problem_names_its_place() -> None:
    body = {"attendees": [{"emailAddress": {"addres": "x"}}]}
    (problem,) = problems(body)
    assert "'addres'" in problem
    assert "attendees[0].emailAddress" in problem
