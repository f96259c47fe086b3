"""What each app may use: which calendars its parts may be written to, and for whose availability it may ask."""

from pathlib import Path
from typing import Any

import pytest

from config.advice import warnings
from config.errors import ConfigError
from config.leave import Leave
from config.load import parse

ACCOUNT = {
    "name": "ms",
    "provider": "microsoft",
    "tenant_id": "t",
    "client_id": "c",
    "client_secret": "env:S",
}
NAMES = ("interviews", "panel", "room")
TABLES: dict[str, Any] = {
    "accounts": [ACCOUNT],
    "calendars": [{"name": name, "account": "ms", "mailbox": f"{name}@globex.com"} for name in NAMES],
    "people": [
        {"sub": "acc_recruiter", "calendars": ["interviews"]},
        {"sub": "acc_manager", "calendars": ["panel", "room"]},
    ],
    "routes": [
        {"app": "hiring", "calendars": ["interviews"]},
        {"app": "clinic", "sub": "acc_manager", "calendars": ["panel"]},
    ],
}
APP = {"client_secrets": ["env:S"]}
CLINIC = {"name": "clinic", **APP}


def leave(folder: Path, *apps: dict[str, Any], **hiring: Any) -> Leave:
    tables = {**TABLES, "apps": [{"name": "hiring", **APP, **hiring}, *apps]}
    if not apps:
        tables["routes"] = TABLES["routes"][:1]
    return parse(tables, folder=folder, environ={"S": "s"}).leave("hiring")


def test_an_app_has_the_calendars_of_its_routes_and_the_people_who_have_no_others(tmp_path: Path) -> None:
    assert leave(tmp_path, CLINIC) == Leave(frozenset({"interviews"}), frozenset({"acc_recruiter"}))


def test_a_person_whom_a_route_names_is_the_app_s(tmp_path: Path) -> None:
    tables = {**TABLES, "apps": [{"name": "hiring", **APP}, CLINIC]}
    clinic = parse(tables, folder=tmp_path, environ={"S": "s"}).leave("clinic")
    assert clinic == Leave(frozenset({"panel"}), frozenset({"acc_manager"}))


def test_an_app_without_neighbours_has_all(tmp_path: Path) -> None:
    assert leave(tmp_path) == Leave(frozenset(NAMES), frozenset({"acc_recruiter", "acc_manager"}))


@pytest.mark.parametrize(
    ("listed", "calendars", "people"),
    [
        ({"calendars": ["room"]}, {"room"}, set()),
        ({"calendars": ["*"]}, set(NAMES), {"acc_recruiter", "acc_manager"}),
        ({"calendars": []}, set(), set()),
        ({"people": ["acc_manager"]}, {"interviews", "panel", "room"}, {"acc_manager"}),
        ({"people": ["*"], "calendars": ["interviews"]}, {"interviews"}, {"acc_recruiter", "acc_manager"}),
        ({"people": []}, {"interviews"}, set()),
    ],
)
def test_what_an_app_lists_is_what_it_has(
    tmp_path: Path, listed: dict[str, Any], calendars: set[str], people: set[str]
) -> None:
    assert leave(tmp_path, CLINIC, **listed) == Leave(frozenset(calendars), frozenset(people))


def test_everybody_is_everybody_s_calendars_too_where_an_app_lists_no_calendars(tmp_path: Path) -> None:
    assert leave(tmp_path, CLINIC, people=["*"]).calendars == frozenset(NAMES)


def test_what_nobody_is_called_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        leave(tmp_path, CLINIC, calendars=["pannel"], people=["acc_manger"])
    assert raised.value.problems == [
        'apps[0].calendars[0]: no [[calendars]] is called "pannel"; did you mean "panel"?',
        'apps[0].people[0]: no [[people]] is called "acc_manger"; did you mean "acc_manager"?',
    ]


def test_a_route_to_a_calendar_that_its_app_has_not_draws_a_warning(tmp_path: Path) -> None:
    tables = {**TABLES, "apps": [{"name": "hiring", **APP, "calendars": ["room"]}, CLINIC]}
    found = warnings(parse(tables, folder=tmp_path, environ={"S": "s"}))
    assert [each.partition(":")[0] for each in found] == ["routes[0]"]
