import pytest

from sandbox.google_schema import problems


def test_a_body_of_known_fields_has_no_problems() -> None:
    body = {
        "summary": "Interview",
        "start": {"dateTime": "2026-10-06T09:00:00Z", "timeZone": "UTC"},
        "attendees": [{"email": "manager@globex.com", "optional": True}],
        "extendedProperties": {"private": {"any name": "text"}},
        "description": None,
    }
    assert problems("Event", body) == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"bogus": 1}, '"bogus"'),
        ({"start": {"datetime": "x"}}, "\"datetime\" at 'start'"),
        ({"start": "2026-10-06"}, "'start'"),
        ({"summary": 5}, "'summary'"),
        ({"attendees": {}}, "'attendees'"),
        ({"attendees": [{"mail": "x"}]}, "'attendees[0]'"),
        ({"reminders": {"overrides": [{"minutes": "5"}]}}, "'reminders.overrides[0].minutes'"),
        ({"reminders": {"overrides": [{"minutes": True}]}}, "'reminders.overrides[0].minutes'"),
        ({"sequence": 2**31}, "'sequence'"),
        ({"extendedProperties": {"private": {"k": 1}}}, "'extendedProperties.private.k'"),
        ([], "'body'"),
    ],
)
def test_each_wrong_name_and_type_is_named(body: object, place: str) -> None:
    (problem,) = problems("Event", body)
    assert place in problem


def test_an_unknown_schema_is_an_error() -> None:
    with pytest.raises(KeyError):
        problems("Evnt", {})
