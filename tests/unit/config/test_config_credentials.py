"""A wrong kind of credentials is called by its name, and told where it belongs."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.accounts import GoogleAccount
from config.errors import ConfigError
from config.load import parse
from tests.certificates import pair

SYNC = "Sync@p.iam.gserviceaccount.com"
AT = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{SYNC}:generateAccessToken"
KEY = {"client_email": SYNC, "private_key": "k", "token_uri": "u"}
USER = {"client_id": "i", "client_secret": "s", "refresh_token": "r"}
FEDERATED: dict[str, Any] = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "credential_source": {"file": "/token"},
    "service_account_impersonation_url": AT,
}
IMPERSONATED: dict[str, Any] = {
    "type": "impersonated_service_account",
    "source_credentials": {"type": "authorized_user", **USER},
    "service_account_impersonation_url": AT,
}
FILES: dict[str, dict[str, Any]] = {
    "service_account": {"type": "service_account", **KEY},
    "external_account": FEDERATED,
    "impersonated_service_account": IMPERSONATED,
    "authorized_user": {"type": "authorized_user", **USER},
}


def google(key: str, file: dict[str, Any] | str, **keys: str) -> GoogleAccount:
    text = file if isinstance(file, str) else json.dumps(file)
    account = {"name": "g", "provider": "google", key: "env:FILE", **keys}
    [made] = parse({"accounts": [account]}, folder=Path("/"), environ={"FILE": text}).accounts
    assert isinstance(made, GoogleAccount)
    return made


def problem(key: str, file: dict[str, Any] | str) -> str:
    with pytest.raises(ConfigError) as caught:
        google(key, file)
    [text] = caught.value.problems
    return text.removeprefix(f"accounts[0].{key}: env:FILE ")


@pytest.mark.parametrize("key", FILES)
def test_a_file_of_each_kind_goes_under_the_key_of_that_name_and_under_no_other(key: str) -> None:
    google(key, FILES[key])
    for other in FILES.keys() - {key}:
        assert problem(key, FILES[other]) == f'is of type "{other}"; write {other} = … in place of {key} = …'


@pytest.mark.parametrize("key", FILES)
def test_what_is_no_credentials_of_an_account_is_told_what_it_is(key: str) -> None:
    client = {"client_id": "i", "client_secret": "s"}
    assert "write login = true" in problem(key, {"installed": client})
    assert "of type Desktop app" in problem(key, {"web": client})
    assert "workforce pool" in problem(key, {"type": "external_account_authorized_user"})
    assert f'has a type that is not "{key}"' in problem(key, {"type": "gdch_service_account"})


def test_whose_calendar_is_primary_is_known_without_asking_anybody() -> None:
    for key in ("service_account", "external_account", "impersonated_service_account"):
        assert google(key, FILES[key]).owner == SYNC.lower()
        assert google(key, FILES[key], subject="HR@globex.example").owner == "hr@globex.example"
    attached = {"name": "g", "provider": "google", "attached_service_account": SYNC}
    [made] = parse({"accounts": [attached]}, folder=Path("/"), environ={}).accounts
    assert isinstance(made, GoogleAccount)
    assert made.owner == SYNC.lower()
    assert google("authorized_user", USER).owner == "account:g"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"service_account_impersonation_url": None}, "names no service account to act as"),
        ({"service_account_impersonation_url": "https://x/sync:generateIdToken"}, "names no service account"),
        ({"credential_source": {"executable": {"command": "/bin/x"}}}, "takes its token from executable"),
        (
            {"credential_source": {"environment_id": "aws1", "url": "http://x"}},
            "takes its token from environment_id",
        ),
        ({"credential_source": {"certificate": {}}}, "takes its token from certificate"),
        ({"credential_source": {"file": 5}}, "does not say where its token comes from"),
        ({"credential_source": "file"}, "does not say where its token comes from"),
        ({"audience": ""}, "has no audience"),
    ],
)
def test_a_federation_that_cannot_be_used_is_refused_at_once(changed: dict[str, Any], words: str) -> None:
    assert words in problem("external_account", FEDERATED | changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"service_account_impersonation_url": ""}, "has no service_account_impersonation_url"),
        ({"source_credentials": {"type": "external_account_authorized_user"}}, "of another type than"),
        ({"source_credentials": ["x"]}, "of another type than"),
        (
            {"source_credentials": {"type": "authorized_user"}},
            "has no client_id, client_secret, refresh_token",
        ),
    ],
)
def test_an_impersonation_that_cannot_be_used_is_refused_at_once(changed: dict[str, Any], words: str) -> None:
    assert words in problem("impersonated_service_account", IMPERSONATED | changed)


def test_requests_count_for_the_project_that_the_file_or_the_configuration_names() -> None:
    file = FEDERATED | {"quota_project_id": "of-the-file"}
    assert google("external_account", file).billing == {"X-Goog-User-Project": "of-the-file"}
    own = google("external_account", file, quota_project="ours")
    assert own.billing == {"X-Goog-User-Project": "ours"}
    assert google("service_account", KEY).billing == {}


def test_line_ends_within_the_text_of_a_key_file_are_taken_as_they_are() -> None:
    assert google(
        "service_account", json.dumps(FILES["service_account"] | {"private_key": "a\nb"}).replace("\\n", "\n")
    )


MICROSOFT = {"name": "m", "provider": "microsoft", "tenant_id": "t", "client_id": "c"}


def microsoft_problem(key: str, content: bytes | str, tmp_path: Path) -> str:
    (tmp_path / "file").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as caught:
        parse({"accounts": [{**MICROSOFT, key: "file:file"}]}, folder=tmp_path, environ={})
    [text] = caught.value.problems
    return text.removeprefix(f"accounts[0].{key}: file:{tmp_path}/file ")


def test_a_microsoft_credential_under_another_s_key_is_told_where_it_belongs(tmp_path: Path) -> None:
    for content in (pair().pfx(), pair().pem()):
        assert "a certificate goes under certificate" in microsoft_problem(
            "federated_token", content, tmp_path
        )
        assert "write certificate = …" in microsoft_problem("client_secret", content, tmp_path)
    assert "is not the token of a workload" in microsoft_problem("federated_token", "a secret", tmp_path)
    assert "is neither a PEM nor a PFX" in microsoft_problem("certificate", "a secret", tmp_path)
    assert "has no private key" in microsoft_problem("certificate", pair().certificate_pem, tmp_path)


@pytest.mark.parametrize(
    ("keys", "problems"),
    [
        ({"managed_identity": "system"}, []),
        ({"managed_identity": "11111111-2222-3333-4444-555555555555"}, []),
        (
            {"managed_identity": "11111111-2222-3333-4444-555555555555", "tenant_id": "t", "client_id": "c"},
            [],
        ),
        (
            {"managed_identity": "system", "tenant_id": "t", "client_id": "c"},
            [
                (
                    "accounts[0].managed_identity: only a user-assigned identity can vouch for an application; "
                    "write its client ID, or remove tenant_id and client_id"
                )
            ],
        ),
        (
            {"managed_identity": "mine"},
            ['accounts[0].managed_identity: must be "system", or the client ID of a user-assigned identity'],
        ),
        (
            {"managed_identity": "system", "client_id": "c"},
            [
                (
                    "accounts[0].tenant_id: missing; give both tenant_id and client_id where the managed "
                    "identity vouches for that application, and neither where it is the application itself"
                )
            ],
        ),
        ({"login": True}, ["accounts[0].tenant_id: missing", "accounts[0].client_id: missing"]),
    ],
)
def test_a_managed_identity_is_an_application_or_vouches_for_one(
    keys: dict[str, Any], problems: list[str]
) -> None:
    try:
        parse({"accounts": [{"name": "m", "provider": "microsoft", **keys}]}, folder=Path("/"), environ={})
        found = []
    except ConfigError as error:
        found = [each for each in error.problems if "encrypted" not in each]
    assert [text.partition("; add")[0] for text in found] == problems
