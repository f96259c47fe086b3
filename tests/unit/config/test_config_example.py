"""The example file and the manual page keep up with the models."""

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from config.accounts import GoogleAccount, MicrosoftAccount
from config.advice import warnings
from config.apps import App
from config.errors import ConfigError
from config.load import load, parse
from config.network import NetworkSettings
from config.secrets import Secret
from config.sections import (
    ApiSettings,
    ConsoleSettings,
    ReceiverSettings,
    RedisSettings,
    TelemetrySettings,
    WorkerSettings,
)
from config.settings import Calendar, Person, Route, Settings
from config.table import Table

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config" / "example.toml"
PAGE = (ROOT / "docs" / "configuration.md").read_text()
HEADINGS: dict[str, type[Table]] = {
    "`[redis]`": RedisSettings,
    "`[network]`": NetworkSettings,
    "`[receiver]`": ReceiverSettings,
    "`[api]`": ApiSettings,
    "`[worker]`": WorkerSettings,
    "`[telemetry]`": TelemetrySettings,
    "`[console]`": ConsoleSettings,
    "`[[apps]]`": App,
    '`[[accounts]]` with `provider = "google"`': GoogleAccount,
    '`[[accounts]]` with `provider = "microsoft"`': MicrosoftAccount,
    "`[[calendars]]`": Calendar,
    "`[[routes]]`": Route,
    "`[[people]]`": Person,
}
SMALLEST: dict[type[Table], dict[str, Any]] = {
    App: {"name": "a", "client_secrets": [Secret("env:S", environ={"S": "s"})]},
    GoogleAccount: {"name": "g", "provider": "google"},
    MicrosoftAccount: {"name": "m", "provider": "microsoft", "tenant_id": "t", "client_id": "c"},
    Calendar: {"name": "c", "account": "g"},
    Route: {"app": "a", "calendars": ["c"]},
    Person: {"sub": "acc_1", "calendars": ["c"]},
}
TABLES = pytest.mark.parametrize("heading", HEADINGS)


@pytest.fixture
def example(tmp_path: Path) -> Settings:
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "secrets").mkdir()
    key = {"client_email": "sync@p.example.com", "private_key": "k", "token_uri": "u"}
    user = {"client_id": "i", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "secrets" / "google.json").write_text(json.dumps(key))
    (tmp_path / "secrets" / "google-user.json").write_text(json.dumps(user))
    return load(tmp_path / "example.toml", {"CRONOFY_SECRET": "s", "MS_SECRET": "s"})


def in_example(heading: str) -> str:
    """The tables of the example file that a heading of the page is about."""
    table, _, provider = heading.replace("`", "").partition(" with ")
    tables = re.split(r"^(?=\[)", EXAMPLE.read_text(), flags=re.MULTILINE)
    return "".join(each for each in tables if each.startswith(table + "\n") and provider in each)


def documented(heading: str) -> dict[str, str]:
    """The keys that the page lists under a heading, with what it says is their default."""
    [section] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| .+ \|$", section, re.MULTILINE))


def test_the_example_loads_without_a_warning(example: Settings) -> None:
    assert [each.name for each in example.calendars] == ["interviews", "panel", "room"]
    assert warnings(example) == []


@TABLES
def test_what_the_example_calls_default_is_the_default(heading: str) -> None:
    table = HEADINGS[heading]
    for line in re.findall(r"^(\w+ = .+?) +# \(default[):]", in_example(heading), re.MULTILINE):
        smallest = SMALLEST.get(table, {})
        assert table.model_validate(smallest | tomllib.loads(line)) == table.model_validate(smallest), line


@TABLES
def test_the_example_has_every_key(heading: str) -> None:
    written = re.findall(r"^(?:# )?(\w+) = ", in_example(heading), re.MULTILINE)
    assert set(written) == set(HEADINGS[heading].model_fields)


@TABLES
def test_the_page_has_every_key(heading: str) -> None:
    assert list(documented(heading)) == list(HEADINGS[heading].model_fields)


@TABLES
def test_the_page_tells_the_defaults(heading: str) -> None:
    table = HEADINGS[heading]
    for key, default in documented(heading).items():
        field = table.model_fields[key]
        if default == "required":
            assert field.is_required(), key
        elif default == "none":
            assert field.default is None, key
        else:
            smallest = SMALLEST.get(table, {})
            given = smallest | tomllib.loads(f"{key} = {default.strip('`')}")
            assert table.model_validate(given) == table.model_validate(smallest), key


def test_the_page_shows_the_problems_of_its_wrong_file_as_they_are() -> None:
    [(toml, shown)] = re.findall(r"```toml\n(.*?)```.*?```text\n(.*?)```", PAGE, re.DOTALL)
    with pytest.raises(ConfigError) as caught:
        parse(tomllib.loads(toml), folder=Path("/etc"), environ={})
    assert caught.value.problems == shown.splitlines()
