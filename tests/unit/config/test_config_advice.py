import json
from pathlib import Path
from typing import Any

import pytest

from config.advice import warnings
from config.load import parse

USER = json.dumps({"client_id": "i", "client_secret": "s", "refresh_token": "r"})
GOOGLE = {"name": "g", "provider": "google", "authorized_user": "env:USER"}
MICROSOFT = {
    "name": "m",
    "provider": "microsoft",
    "tenant_id": "t",
    "client_id": "c",
    "client_secret": "env:S",
}
SOUND: dict[str, Any] = {
    "receiver": {"public_url": "https://sync.example.com"},
    "apps": [{"name": "a", "client_secrets": ["env:S"]}],
    "accounts": [GOOGLE],
    "calendars": [{"name": "c", "account": "g"}],
    "routes": [{"app": "a", "calendars": ["c"]}],
}


def warned(tables: dict[str, Any], folder: Path) -> list[str]:
    return warnings(parse(tables, folder=folder, environ={"S": "s", "USER": USER}))


def test_a_sound_configuration_draws_no_warning(tmp_path: Path) -> None:
    assert warned(SOUND, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (
            {"receiver": {"public_url": "http://sync.example.com"}},
            "receiver.public_url: not https; use https, or anyone on the way can read callbacks",
        ),
        (
            {"redis": {"url": "redis://:pw@h"}},
            'redis.url: holds a password; write redis.password = "env:NAME" instead',
        ),
        (
            {"redis": {"url": "redis://h", "ca_file": "ca.pem"}},
            "redis.ca_file: has no effect; begin redis.url with rediss://, or take it out",
        ),
        (
            {"redis": {"password": "env:S"}},
            "redis.password: has no effect; take it out, an embedded Redis has a private socket",
        ),
        (
            {"accounts": [GOOGLE | {"api_endpoint": "http://127.0.0.1:1/"}]},
            "accounts[0].api_endpoint: not https; use https, or anyone on the way can read access tokens",
        ),
        (
            {
                "accounts": [
                    GOOGLE,
                    MICROSOFT
                    | {
                        "authority": "https://login.example.com",
                        "graph_endpoint": "http://graph.example.com",
                    },
                ]
            },
            "accounts[1].graph_endpoint: not https; use https, or anyone on the way can read access tokens",
        ),
        (
            {"accounts": [GOOGLE, MICROSOFT | {"graph_endpoint": "https://graph.microsoft.us/v1.0"}]},
            (
                "accounts[1]: authority and graph_endpoint belong to one cloud, "
                "but only graph_endpoint was changed; see docs/microsoft.md"
            ),
        ),
        (
            {"routes": []},
            (
                'apps[0]: no route is for "a", so its parts become dead letters ("unrouted"); '
                'add [[routes]] with app = "a"'
            ),
        ),
        ({"apps": [], "routes": []}, "apps: there is none, so every callback is answered 404; add [[apps]]"),
    ],
)
def test_what_is_allowed_but_hardly_meant_draws_a_warning(
    tmp_path: Path, change: dict[str, Any], warning: str
) -> None:
    (tmp_path / "ca.pem").write_text("pem")
    assert warned(SOUND | change, tmp_path) == [warning]


KEY = {"type": "service_account", "client_email": "sync@project.iam.gserviceaccount.com"}
KEY |= {"private_key": "k", "token_uri": "https://oauth2.googleapis.com/token"}
SERVICE = {"name": "g", "provider": "google", "service_account": "env:KEY"}


@pytest.mark.parametrize(
    ("account", "calendar_id", "seen_by_nobody"),
    [
        (SERVICE, "", True),
        (SERVICE, "primary", True),
        (SERVICE, "Sync@project.iam.gserviceaccount.com", True),
        (SERVICE, "interviews@example.com", False),
        (SERVICE | {"subject": "hr@example.com"}, "", False),
        (GOOGLE, "", False),
    ],
)
def test_a_service_account_s_own_calendar_is_seen_by_nobody(
    tmp_path: Path, account: dict[str, Any], calendar_id: str, seen_by_nobody: bool
) -> None:
    calendars = [{"name": "c", "account": "g", "calendar_id": calendar_id}]
    tables = SOUND | {"accounts": [account], "calendars": calendars}
    found = warnings(parse(tables, folder=tmp_path, environ={"S": "s", "USER": USER, "KEY": json.dumps(KEY)}))
    assert [each.startswith("calendars[0]: is the service account's own") for each in found] == [
        True
    ] * seen_by_nobody
