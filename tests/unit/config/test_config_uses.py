"""A process needs the secrets that it uses, and no others."""

import base64
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from config.load import parse
from config.references import Use
from config.settings import Settings

TABLES: dict[str, Any] = {
    "redis": {"password": "env:REDIS", "url": "rediss://h", "ca_file": "redis.pem"},
    "encryption": {"keys": ["file:keys"]},
    "apps": [{"name": "a", "client_secrets": ["env:CRONOFY"]}],
    "accounts": [
        {"name": "g", "provider": "google", "service_account": "file:google.json"},
        {
            "name": "m",
            "provider": "microsoft",
            "tenant_id": "t",
            "client_id": "c",
            "certificate": "file:ms.pem",
            "ca_file": "ca.pem",
        },
    ],
    "calendars": [{"name": "c", "account": "g"}],
}
OF_RECORD = {
    "redis.password: the environment variable REDIS is not set; set it for this process, or change the reference",
    "redis.ca_file: there is no file /nowhere/redis.pem; put it there, or change the path",
}
OF_APPS = {
    (
        "apps[0].client_secrets[0]: the environment variable CRONOFY is not set; "
        "set it for this process, or change the reference"
    )
}
OF_KEYS = {
    "encryption.keys[0]: there is no file /nowhere/keys; put the secret there, or change the reference"
}
OF_ACCOUNTS = {
    "accounts[0].service_account: there is no file /nowhere/google.json; put the secret there, or change the reference",
    "accounts[1].certificate: there is no file /nowhere/ms.pem; put the secret there, or change the reference",
    "accounts[1].ca_file: there is no file /nowhere/ca.pem; put it there, or change the path",
}


def read(*uses: Use, **changes: Any) -> Settings:
    return parse(TABLES | changes, folder=Path("/nowhere"), environ={}, uses=frozenset(uses))


@pytest.mark.parametrize(
    ("uses", "wanted"),
    [
        ((Use.RECORD, Use.CALLBACKS), OF_RECORD | OF_APPS),
        ((Use.RECORD, Use.CALENDARS), OF_RECORD | OF_KEYS | OF_ACCOUNTS),
        ((Use.CALLBACKS,), OF_APPS),
        (tuple(Use), OF_RECORD | OF_APPS | OF_KEYS | OF_ACCOUNTS),
    ],
    ids=["a receiver", "a worker", "send", "check"],
)
def test_what_is_missing_is_told_to_who_needs_it(uses: tuple[Use, ...], wanted: set[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(*uses)
    assert set(caught.value.problems) == wanted


def test_keys_are_needed_by_whoever_reads_a_record_in_which_bookings_are_encrypted() -> None:
    with pytest.raises(ConfigError) as caught:
        read(Use.RECORD, redis={}, encryption={"keys": ["file:keys"], "bookings": True})
    assert set(caught.value.problems) == OF_KEYS
    assert read(Use.RECORD, redis={}).encryption.keys[0].reference == "file:/nowhere/keys"


def test_a_reference_that_is_none_is_told_to_everybody() -> None:
    accounts = [{"name": "g", "provider": "google", "service_account": "secret"}]
    with pytest.raises(ConfigError) as caught:
        read(accounts=accounts)
    assert caught.value.problems == [
        (
            'accounts[0].service_account: not a reference to a secret; write "env:NAME" or "file:PATH" '
            "(what stands there is not repeated here)"
        )
    ]


def test_one_secret_may_hold_several_keys_newest_first(tmp_path: Path) -> None:
    new, middle, old = (base64.urlsafe_b64encode(bytes([each]) * 32) for each in (1, 2, 255))
    (tmp_path / "keys").write_bytes(new + b"\n" + middle + b"\n")
    (tmp_path / "old").write_bytes(old)
    tables = {"encryption": {"keys": ["file:keys", "file:old"]}}
    assert parse(tables, folder=tmp_path, environ={}).encryption.key_texts() == (new, middle, old)


def test_the_consoles_password_is_needed_where_it_is_shown_and_is_not_short() -> None:
    console = {"console": {"password": "env:CONSOLE"}}
    assert parse(console, folder=Path("/nowhere"), environ={}, uses=frozenset({Use.RECORD})).console.password
    for environ, problem in (
        (
            {},
            "the environment variable CONSOLE is not set; set it for this process, or change the reference",
        ),
        ({"CONSOLE": "elevenchars"}, "env:CONSOLE has fewer than 12 characters; use a longer password"),
    ):
        with pytest.raises(ConfigError) as caught:
            parse(console, folder=Path("/nowhere"), environ=environ)
        assert caught.value.problems == [f"console.password: {problem}"]
