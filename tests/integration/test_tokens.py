"""Tokens of every kind of account, asked of the sandbox by the vendors' own libraries."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from config.accounts import GoogleAccount, MicrosoftAccount
from network.outgoing import Outgoing
from sandbox.server import Sandbox
from tests.certificates import pair
from tests.conftest import Settle
from tests.waiting import comes
from workers.calendars.google_tokens import GoogleTokens
from workers.calendars.microsoft_tokens import MicrosoftTokens
from workers.errors import CalendarError, ErrorClass

Google = Callable[..., GoogleTokens]
Microsoft = Callable[..., MicrosoftTokens]


@pytest.fixture
def google(settle: Settle, sandbox: Sandbox) -> Google:
    def make(
        secret: dict[str, Any], kind: str = "service_account", *, timeout_s: float = 30, **keys: str
    ) -> GoogleTokens:
        account = {
            "name": "g",
            "provider": "google",
            kind: "env:KEY",
            "api_endpoint": sandbox.google_endpoint,
            **keys,
        }
        settings = settle(secrets={"KEY": json.dumps(secret)}, accounts=[account])
        [made] = settings.accounts
        assert isinstance(made, GoogleAccount)
        return GoogleTokens(made, Outgoing(settings.network), timeout_s=timeout_s)

    return make


@pytest.fixture
def microsoft(settle: Settle, sandbox: Sandbox, request: pytest.FixtureRequest) -> Microsoft:
    def make(*, timeout_s: float = 30, environ: dict[str, str] | None = None, **keys: str) -> MicrosoftTokens:
        account = {
            "name": "m", "provider": "microsoft", "tenant_id": "globex", "client_id": "sync", "ca_file": sandbox.ca_file,
            "authority": sandbox.authority, "graph_endpoint": sandbox.graph_endpoint, **keys,
        }  # fmt: skip
        settings = settle(secrets={"KEY": "right", **(environ or {})}, accounts=[account])
        [made] = settings.accounts
        assert isinstance(made, MicrosoftAccount)
        tokens = MicrosoftTokens(made, Outgoing(settings.network), timeout_s=timeout_s)
        request.addfinalizer(tokens.close)
        return tokens

    return make


def google_subject(sandbox: Sandbox, token: str) -> str:
    grant = sandbox.state.google_tokens.grant(token)
    assert grant is not None
    return grant.subject


def token_requests(sandbox: Sandbox, provider: str) -> int:
    return sum(each.provider == f"{provider}-token" for each in sandbox.state.journal.requests)


# -- Google


async def test_a_service_account_acts_for_itself_or_for_its_subject(google: Google, sandbox: Sandbox) -> None:
    key = sandbox.service_account_key("sync@globex.iam.gserviceaccount.com")
    own = await google(key).token()
    assert google_subject(sandbox, own) == "sync@globex.iam.gserviceaccount.com"
    delegated = await google(key, subject="hr@globex.example").token()
    assert google_subject(sandbox, delegated) == "hr@globex.example"


async def test_an_authorized_user_s_refresh_token_is_used(google: Google, sandbox: Sandbox) -> None:
    consent = sandbox.authorized_user("hr@globex.example")
    token = await google(consent, "authorized_user").token()
    assert google_subject(sandbox, token) == "hr@globex.example"


async def test_a_revoked_consent_is_an_account_s_trouble(google: Google, sandbox: Sandbox) -> None:
    tokens = google(sandbox.authorized_user("hr@globex.example"), "authorized_user")
    sandbox.state.google_tokens.revoke("hr@globex.example")
    with pytest.raises(CalendarError) as raised:
        await tokens.token()
    assert (raised.value.error_class, raised.value.code) == (
        ErrorClass.AUTH,
        "invalid_grant (consent_ended)",
    )


def encrypted(pem: str) -> str:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    locked = serialization.BestAvailableEncryption(b"a passphrase")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()


async def test_a_key_may_have_its_line_ends_written_out(google: Google, sandbox: Sandbox) -> None:
    key = sandbox.service_account_key()
    assert await google({**key, "private_key": key["private_key"].replace("\n", "\\n")}).token()


async def test_a_key_file_that_is_replaced_by_something_else_is_an_account_s_trouble(
    google: Google, sandbox: Sandbox, tmp_path: Path
) -> None:
    key = sandbox.service_account_key()
    damaged = {
        "a list": [key],
        "no address": {name: value for name, value in key.items() if name != "client_email"},
        "no text": {**key, "private_key": None},
        "no PEM": {**key, "private_key": "no PEM"},
        "encrypted": {**key, "private_key": encrypted(key["private_key"])},
    }
    tokens = {}
    for name, replaced in damaged.items():
        (tmp_path / name).write_text(json.dumps(key))
        tokens[name] = google(key, service_account=f"file:{tmp_path / name}")
        (tmp_path / name).write_text(json.dumps(replaced))
    await asyncio.sleep(1.1)  # a file is looked at again once a second
    for unreadable in tokens.values():
        with pytest.raises(CalendarError, match=r"credentials unreadable|key_") as raised:
            await unreadable.token()
        assert (raised.value.error_class, raised.value.whole_account) == (ErrorClass.AUTH, True)
    assert token_requests(sandbox, "google") == 0


@pytest.mark.parametrize("fault", ["error;status=503", "html;status=502"])
async def test_a_failing_google_token_endpoint_is_tried_again_later(
    google: Google, sandbox: Sandbox, fault: str
) -> None:
    sandbox.state.faults.add(fault=fault, provider="google-token", count=None)
    with pytest.raises(CalendarError) as raised:
        await google(sandbox.service_account_key()).token()
    assert raised.value.error_class is ErrorClass.TRANSIENT


async def test_a_google_token_endpoint_that_says_nothing_is_given_up(
    google: Google, sandbox: Sandbox
) -> None:
    sandbox.state.faults.add(fault="hold", provider="google-token", count=None)
    with pytest.raises(CalendarError) as raised:
        await comes(google(sandbox.service_account_key(), timeout_s=1).token())
    assert raised.value.error_class is ErrorClass.TRANSIENT


async def test_a_good_google_token_outlives_a_failing_refresh(google: Google, sandbox: Sandbox) -> None:
    sandbox.state.google_tokens.lifetime = 200  # lives, but is due for a refresh
    tokens = google(sandbox.service_account_key())
    first = await tokens.token()
    sandbox.state.faults.add(fault="error;status=400", provider="google-token", count=None)
    assert await tokens.token() == first


# -- Microsoft


async def test_a_microsoft_token_endpoint_that_says_nothing_is_given_up(
    microsoft: Microsoft, sandbox: Sandbox
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    sandbox.state.faults.add(fault="hold", provider="microsoft-token", count=None)
    with pytest.raises(CalendarError) as raised:
        await comes(microsoft(client_secret="env:KEY", timeout_s=1).token())
    assert raised.value.error_class is ErrorClass.TRANSIENT


async def test_a_client_secret_gives_a_token(microsoft: Microsoft, sandbox: Sandbox) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    token = await microsoft(client_secret="env:KEY").token()
    assert sandbox.state.microsoft_tokens.grant(token) is not None


@pytest.mark.parametrize(
    ("content", "opens"),
    [
        (pair().pem(), ""),
        (pair().pem("a passphrase"), "a passphrase"),
        (pair(1).certificate_pem + pair().pem(), ""),
        (pair().pem().replace("\n", "\\n"), ""),
        (pair().pfx(), ""),
        (pair().pfx("a passphrase", pair(1).certificate), "a passphrase"),
    ],
    ids=["PEM", "locked PEM", "chain", "written out", "PFX", "locked PFX"],
)
async def test_a_certificate_gives_a_token(
    microsoft: Microsoft, sandbox: Sandbox, tmp_path: Path, content: str | bytes, opens: str
) -> None:
    (tmp_path / "sync").write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "opens").write_text(opens)
    sandbox.state.microsoft_tokens.register("globex", "sync", certificate=pair().certificate_pem)
    passphrase = {"certificate_passphrase": f"file:{tmp_path / 'opens'}"} if opens else {}
    token = await microsoft(certificate=f"file:{tmp_path / 'sync'}", **passphrase).token()
    assert sandbox.state.microsoft_tokens.grant(token) is not None


async def test_a_certificate_that_is_replaced_by_something_else_is_an_account_s_trouble(
    microsoft: Microsoft, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "sync").write_text(pair().pem())
    sandbox.state.microsoft_tokens.register("globex", "sync", certificate=pair().certificate_pem)
    tokens = microsoft(certificate=f"file:{tmp_path / 'sync'}")
    (tmp_path / "sync").write_text(pair().key_pem() + pair(1).certificate_pem)
    await asyncio.sleep(1.1)  # a file is looked at again once a second
    with pytest.raises(CalendarError, match="credentials unreadable") as raised:
        await tokens.token()
    assert raised.value.error_class is ErrorClass.AUTH


async def test_a_federated_token_gives_a_token(
    microsoft: Microsoft, sandbox: Sandbox, tmp_path: Path
) -> None:
    claims = {
        "iss": "https://cluster.example",
        "sub": "system:serviceaccount:sync",
        "aud": "api://AzureADTokenExchange",
    }
    far = int(datetime.now(UTC).timestamp()) + 3600
    (tmp_path / "federated").write_text(jwt.encode({**claims, "exp": far}, "k" * 32, algorithm="HS256"))
    sandbox.state.microsoft_tokens.register("globex", "sync")
    token = await microsoft(federated_token=f"file:{tmp_path / 'federated'}").token()
    assert sandbox.state.microsoft_tokens.grant(token) is not None


async def test_a_wrong_client_secret_is_an_account_s_trouble(microsoft: Microsoft, sandbox: Sandbox) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="another")
    with pytest.raises(CalendarError) as raised:
        await microsoft(client_secret="env:KEY").token()
    assert raised.value.error_class is ErrorClass.AUTH
    assert raised.value.code == "invalid_client (AADSTS7000215)"


@pytest.mark.parametrize("fault", ["error;status=503", "html", "drop"])
async def test_a_failing_authority_is_tried_again_later(
    microsoft: Microsoft, sandbox: Sandbox, fault: str
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    sandbox.state.faults.add(fault=fault, provider="microsoft-token", count=None)
    with pytest.raises(CalendarError) as raised:
        await microsoft(client_secret="env:KEY").token()
    assert raised.value.error_class is ErrorClass.TRANSIENT


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_a_private_authority_works_whatever_bundle_the_environment_names(
    microsoft: Microsoft, sandbox: Sandbox, variable: str, tmp_path: Path
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    unrelated = tmp_path / "bundle.pem"
    unrelated.write_text((Path(jwt.__file__).parent.parent / "certifi" / "cacert.pem").read_text())
    assert await microsoft(client_secret="env:KEY", environ={variable: str(unrelated)}).token()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_a_bundle_of_the_environment_is_trusted_in_addition(
    microsoft: Microsoft, sandbox: Sandbox, variable: str
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    tokens = microsoft(client_secret="env:KEY", ca_file="", environ={variable: sandbox.ca_file})
    assert await tokens.token()


async def test_without_its_ca_file_a_private_authority_is_not_trusted(
    microsoft: Microsoft, sandbox: Sandbox
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    with pytest.raises(CalendarError) as raised:
        await microsoft(client_secret="env:KEY", ca_file="").token()
    assert raised.value.code == "certificate_unknown_authority"
