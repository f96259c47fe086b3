"""Planted secrets, and every way in which a configuration can be shown."""

import json
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from config.load import load, parse
from config.settings import Settings
from tests.certificates import pair

PLANTED = "pl4nted"
ENVIRON = {
    "SECRET": f"{PLANTED}-secret",
    "KEY": json.dumps({"client_email": "a@b.example", "private_key": PLANTED, "token_uri": PLANTED}),
    "USER": json.dumps({"client_id": PLANTED, "client_secret": PLANTED, "refresh_token": PLANTED}),
}
ENVIRON["PEM"] = (
    f"-----BEGIN PRIVATE KEY-----\n{PLANTED}\n-----END PRIVATE KEY-----\n{pair().certificate_pem}"
)
MICROSOFT = {"provider": "microsoft", "tenant_id": "t", "client_id": "c"}


def secretive(folder: Path) -> Settings:
    (folder / "secret").write_text(PLANTED)
    (folder / "ms.pem").write_text(f"{PLANTED}\n{pair().pem(ENVIRON['SECRET'])}")
    (folder / "token").write_text(f"{PLANTED}.{PLANTED}.{PLANTED}")
    return parse(
        {
            "redis": {"username": "env:SECRET", "password": "file:secret"},
            "apps": [{"name": "a", "client_secrets": ["env:SECRET", "file:secret"]}],
            "accounts": [
                {"name": "g1", "provider": "google", "service_account": "env:KEY"},
                {"name": "g2", "provider": "google", "authorized_user": "env:USER"},
                {"name": "m1", **MICROSOFT, "client_secret": "env:SECRET"},
                {
                    "name": "m2",
                    **MICROSOFT,
                    "certificate": "file:ms.pem",
                    "certificate_passphrase": "env:SECRET",
                },
                {"name": "m3", **MICROSOFT, "federated_token": "file:token"},
            ],
            "calendars": [{"name": "c", "account": "g1"}],
        },
        folder=folder,
        environ=ENVIRON,
    )


def test_nothing_that_describes_settings_shows_a_secret(tmp_path: Path) -> None:
    settings = secretive(tmp_path)
    assert settings.redis.credentials() == (f"{PLANTED}-secret", PLANTED)
    shown = [
        repr(settings),
        str(settings),
        str(settings.model_dump()),
        settings.model_dump_json(),
        str(pickle.dumps(settings)),
    ]
    assert all(PLANTED not in each for each in shown)
    assert "env:SECRET" in settings.model_dump_json()


def test_a_password_in_the_redis_url_is_not_shown_either(tmp_path: Path) -> None:
    settings = parse({"redis": {"url": f"redis://:{PLANTED}@h"}}, folder=tmp_path, environ={})
    assert settings.redis.credentials() == (None, PLANTED)
    shown = [repr(settings), str(settings.model_dump()), settings.model_dump_json()]
    assert all(PLANTED not in each and "redis://***@h" in each for each in shown)


@pytest.mark.parametrize(
    "tables",
    [
        {"redis": {"password": PLANTED}},
        {"redis": {"password": [PLANTED]}},
        {"redis": {"url": f"redis://:{PLANTED}@h:x"}},
        {"redis": {"url": [PLANTED]}},
        {"redis": {"passwd": PLANTED}},
        {"redis": PLANTED},
        {"receiver": {"public_url": f"https://u:{PLANTED}@h"}},
        {"receiver": {"port": PLANTED}},
        {"apps": PLANTED},
        {"apps": [PLANTED]},
        {"apps": [{"name": PLANTED + " ", "client_secrets": PLANTED}]},
        {"apps": [{"name": "a", "client_secrets": [PLANTED, f"env:{PLANTED}!", {"value": PLANTED}]}]},
        {"accounts": [{"name": "a", "provider": PLANTED}]},
        {"accounts": [{"name": "g", "provider": "google", "service_account": PLANTED}]},
        {"accounts": [{"name": "g", "provider": "google", "service_account": {"private_key": PLANTED}}]},
        {"accounts": [{"name": "g", "provider": "google", "service_account": "env:SECRET"}]},
        {"accounts": [{"name": "g", "provider": "google", "service_account": "env:USER"}]},
        {"accounts": [{"name": "m", **MICROSOFT, "client_secret": PLANTED}]},
        {"accounts": [{"name": "m", **MICROSOFT, "certificate": "env:SECRET"}]},
        {"accounts": [{"name": "m", **MICROSOFT, "certificate": "env:PEM"}]},
        {
            "accounts": [
                {"name": "m", **MICROSOFT, "certificate": "env:PEM", "certificate_passphrase": "env:SECRET"}
            ]
        },
        {"accounts": [{"name": "m", **MICROSOFT, "federated_token": "env:SECRET"}]},
        {"accounts": [{"name": "m", "provider": "microsoft", "managed_identity": PLANTED}]},
        {"accounts": [{"name": "g", "provider": "google", "external_account": "env:KEY"}]},
        {"accounts": [{"name": "g", "provider": "google", "attached_service_account": PLANTED}]},
        {"accounts": [{"name": "m", **MICROSOFT, "certificate": PLANTED, "federated_token": PLANTED}]},
    ],
)
def test_no_error_and_no_traceback_shows_a_secret(tmp_path: Path, tables: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(tables, folder=tmp_path, environ=ENVIRON)
    error = caught.value
    assert error.problems
    assert PLANTED not in str(error) + repr(error) + "".join(traceback.format_exception(error))
    assert error.__context__ is None  # a ValidationError would carry the values along


def test_a_file_that_is_not_toml_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(f'[redis]\npassword = "{PLANTED}\n')
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert PLANTED not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
