"""Problems of requests, in Cronofy's shape, and the readers of single values."""

import json

import msgspec
import pytest

from scheduler.api.problems import MOST, Invalid, Key, Problems
from scheduler.api.values import Object, Value


def raised(problems: Problems) -> Invalid:
    with pytest.raises(Invalid) as caught:
        problems.check()
    return caught.value


def value(data: object) -> tuple[Value, Problems]:
    problems = Problems()
    return Value(data, "sequence[1].ordinal", problems), problems


def test_problems_are_shown_as_cronofy_shows_them_with_their_paths() -> None:
    problems = Problems()
    problems.add("sequence[1].required_duration", Key.REQUIRED, "required")
    assert json.loads(msgspec.json.encode({"errors": raised(problems).errors})) == {
        "errors": {
            "required_duration": [
                {"key": "errors.required", "description": "required", "path": "sequence[1].required_duration"}
            ]
        }
    }


def test_problems_of_the_same_field_stand_together_in_their_order() -> None:
    problems = Problems()
    for path in ("sequence[0].sub", "sequence", "sequence[1].sub", "sequence[2]", ""):
        problems.add(path, Key.INVALID, "wrong")
    found = {field: [each.path for each in some] for field, some in raised(problems).errors.items()}
    assert found == {
        "sub": ["sequence[0].sub", "sequence[1].sub"],
        "sequence": ["sequence", "sequence[2]"],
        "body": [""],
    }


def test_without_problems_nothing_is_raised() -> None:
    Problems().check()


def test_the_words_of_an_error_say_where_and_what() -> None:
    problems = Problems()
    problems.add("tzid", Key.UNKNOWN, "no such zone")
    assert str(raised(problems)) == "tzid: no such zone"


def test_no_answer_is_longer_than_a_thousand_problems() -> None:
    problems = Problems()
    for _ in range(MOST - 1):
        problems.add("x", Key.INVALID, "wrong")
    with pytest.raises(Invalid) as caught:
        problems.add("x", Key.INVALID, "wrong")
    assert len(caught.value.errors["x"]) == MOST


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "required"),
        (1.5, "must be a String, is a Float"),
        (True, "must be a String, is a Boolean"),
        ([], "must be a String, is an array"),
        ({}, "must be a String, is an object"),
    ],
)
def test_a_wrong_type_is_named_with_the_right_one(data: object, words: str) -> None:
    read, problems = value(data)
    assert read.text() is None
    ((problem,),) = raised(problems).errors.values()
    assert problem.description == words


def test_of_a_list_that_is_too_long_the_first_items_are_still_read() -> None:
    read, problems = value([1, "x", 3])
    assert [item.integer() for item in read.items(1, 2)] == [1, None]
    paths = [each.path for some in raised(problems).errors.values() for each in some]
    assert paths == ["sequence[1].ordinal", "sequence[1].ordinal[1]"]


def test_a_member_that_is_null_is_as_good_as_missing() -> None:
    problems = Problems()
    members = Object({"a": None, "b": False}, "", problems)
    assert members.get("a") is members.get("c") is None
    assert members.has_more_than("a")
    assert not members.has_more_than("b")
    assert members["b"].flag() is False
    problems.check()


@pytest.mark.parametrize(
    ("data", "minutes"), [({"minutes": 90}, 90), ({"hours": 2}, 120), ({"hours": 1, "minutes": 5}, 65)]
)
def test_durations_have_hours_and_minutes(data: object, minutes: int) -> None:
    read, problems = value(data)
    assert read.minutes() == minutes
    problems.check()
