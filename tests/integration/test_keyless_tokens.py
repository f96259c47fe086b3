"""Tokens of accounts without a key or a secret: federation, impersonation, metadata servers."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.accounts import GoogleAccount, MicrosoftAccount
from network.outgoing import Outgoing
from sandbox.credentials import workload_token
from sandbox.google_tokens import CLOUD_SCOPE
from sandbox.microsoft_tokens import ManagedIdentity
from sandbox.server import Sandbox
from tests.conftest import Settle
from workers.calendars.google_tokens import SCOPES, GoogleTokens
from workers.calendars.microsoft_tokens import MicrosoftTokens
from workers.errors import CalendarError, ErrorClass

Google = Callable[..., GoogleTokens]
Microsoft = Callable[..., MicrosoftTokens]

SYNC = "sync@globex.iam.gserviceaccount.com"
USER = "hr@globex.example"
IDENTITY = "aaaaaaaa-0000-0000-0000-000000000001"
KINDS = ("external_account", "impersonated_service_account", "attached_service_account")


@pytest.fixture
def google(settle: Settle, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Google:
    """Makes the tokens of an account of some kind that acts as `SYNC`."""
    monkeypatch.setenv("GCE_METADATA_HOST", sandbox.url.removeprefix("http://"))
    (tmp_path / "token").write_text(workload_token(time.time() + 600))

    def make(kind: str, file: dict[str, Any] | None = None, **keys: str) -> GoogleTokens:
        match kind:
            case "external_account":
                made = sandbox.external_account(SYNC, {"file": str(tmp_path / "token")})
            case "impersonated_service_account":
                made = sandbox.impersonated_account(SYNC, "admin@globex.example")
            case _:
                made = {}
                sandbox.attached_account(SYNC)
        account = {
            "name": "g",
            "provider": "google",
            kind: SYNC if kind == "attached_service_account" else "env:FILE",
            "api_endpoint": sandbox.google_endpoint,
            "token_endpoint": sandbox.google_token_uri,
            "iam_endpoint": sandbox.iam_endpoint,
            **keys,
        }
        settings = settle(secrets={"FILE": json.dumps(file or made)}, accounts=[account])
        [settled] = settings.accounts
        assert isinstance(settled, GoogleAccount)
        assert settled.service_account_email == SYNC
        return GoogleTokens(settled, Outgoing(settings.network), timeout_s=30)

    return make


@pytest.fixture
def microsoft(settle: Settle, sandbox: Sandbox, request: pytest.FixtureRequest) -> Microsoft:
    def make(**keys: str) -> MicrosoftTokens:
        account = {
            "name": "m", "provider": "microsoft", "ca_file": sandbox.ca_file,
            "authority": sandbox.authority, "graph_endpoint": sandbox.graph_endpoint, **keys,
        }  # fmt: skip
        settings = settle(accounts=[account])
        [made] = settings.accounts
        assert isinstance(made, MicrosoftAccount)
        tokens = MicrosoftTokens(made, Outgoing(settings.network), timeout_s=30)
        request.addfinalizer(tokens.close)
        return tokens

    return make


async def refusal(tokens: GoogleTokens | MicrosoftTokens) -> tuple[ErrorClass, str]:
    with pytest.raises(CalendarError) as raised:
        await tokens.token()
    assert raised.value.whole_account == (raised.value.error_class is ErrorClass.AUTH)
    return raised.value.error_class, raised.value.code


def paths(sandbox: Sandbox) -> list[str]:
    return [each.path.rpartition("/")[2].rpartition(":")[2] for each in sandbox.state.journal.requests]


# -- Google


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("subject", ["", USER])
async def test_a_service_account_without_a_key_acts_for_itself_or_for_a_user(
    google: Google, sandbox: Sandbox, kind: str, subject: str
) -> None:
    token = await google(kind, subject=subject).token()
    grant = sandbox.state.google_tokens.grant(token)
    assert grant is not None
    assert (grant.subject, grant.scopes) == (subject or SYNC, frozenset(SCOPES))
    assert paths(sandbox)[1:] == (["signJwt", "token"] if subject else ["generateAccessToken"])


async def test_a_federated_token_is_used_as_long_as_it_lives(google: Google, sandbox: Sandbox) -> None:
    tokens = google("external_account")
    first = await tokens.token()
    assert await tokens.token(instead_of=first) != first
    assert paths(sandbox) == ["token", "generateAccessToken", "generateAccessToken"]


async def test_a_federated_token_that_was_withdrawn_is_replaced(google: Google, sandbox: Sandbox) -> None:
    tokens = google("external_account")
    first = await tokens.token()
    sandbox.state.google_tokens.grants.clear()
    assert await tokens.token(instead_of=first)
    assert paths(sandbox)[2:] == ["generateAccessToken", "token", "generateAccessToken"]


@pytest.mark.parametrize(
    ("form", "source"),
    [
        ({"type": "json", "subject_token_field_name": "jwt"}, '{"jwt": "TOKEN"}'),
        ({"type": "text"}, "TOKEN\n"),
    ],
)
async def test_a_workload_s_token_may_stand_in_json_or_by_itself(
    google: Google, sandbox: Sandbox, tmp_path: Path, form: dict[str, str], source: str
) -> None:
    (tmp_path / "formed").write_text(source.replace("TOKEN", workload_token(time.time() + 600)))
    file = sandbox.external_account(SYNC, {"file": str(tmp_path / "formed"), "format": form})
    assert await google("external_account", file).token()


async def test_a_workload_s_token_may_come_from_an_address(google: Google, sandbox: Sandbox) -> None:
    sandbox.state.microsoft_tokens.identities[""] = ManagedIdentity("globex", "workload")
    source = {
        "url": f"{sandbox.url}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api://google",
        "headers": {"Metadata": "true"},
        "format": {"type": "json", "subject_token_field_name": "access_token"},
    }
    file = sandbox.external_account(SYNC, source)
    assert await refusal(google("external_account", file)) == (
        ErrorClass.AUTH,
        "federation invalid_grant",
    ), "the issuer is another: the token was read, and refused"
    del source["headers"]
    refused = sandbox.external_account(SYNC, source)
    assert await refusal(google("external_account", refused)) == (ErrorClass.AUTH, "subject_token_refused")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"audience": "https://another.example"}, "federation invalid_grant"),
        ({"expires_at": 1.0}, "federation invalid_grant"),
        ({"subject": "another"}, "IAM_PERMISSION_DENIED (iam.serviceAccounts.getAccessToken)"),
    ],
)
async def test_a_workload_that_google_does_not_let_in_is_an_account_s_trouble(
    google: Google, tmp_path: Path, wrong: dict[str, Any], code: str
) -> None:
    tokens = google("external_account")
    (tmp_path / "token").write_text(workload_token(**{"expires_at": time.time() + 600, **wrong}))
    assert await refusal(tokens) == (ErrorClass.AUTH, code)


async def test_a_workload_s_token_that_is_not_there_is_an_account_s_trouble(
    google: Google, tmp_path: Path
) -> None:
    tokens = google("external_account")
    (tmp_path / "token").write_text("\n")
    assert await refusal(tokens) == (ErrorClass.AUTH, "subject_token_unreadable")
    (tmp_path / "token").unlink()
    assert await refusal(tokens) == (ErrorClass.AUTH, "subject_token_missing")


@pytest.mark.parametrize("kind", KINDS)
async def test_whoever_may_not_sign_as_the_service_account_learns_which_permission_is_missing(
    google: Google, sandbox: Sandbox, kind: str
) -> None:
    tokens = google(kind, subject=USER)
    sandbox.state.google_tokens.service_account(SYNC).actors.clear()
    assert await refusal(tokens) == (
        ErrorClass.AUTH,
        "IAM_PERMISSION_DENIED (iam.serviceAccounts.signJwt)",
    )


async def test_what_else_keeps_a_service_account_from_being_acted_as_is_the_account_s_trouble(
    google: Google, sandbox: Sandbox
) -> None:
    state = sandbox.state.google_tokens
    tokens = google("attached_service_account", subject=USER)
    state.iam_enabled = False
    assert await refusal(tokens) == (ErrorClass.AUTH, "IAM SERVICE_DISABLED")
    state.iam_enabled = True
    state.service_account(SYNC).delegated = False
    assert await refusal(tokens) == (ErrorClass.AUTH, "unauthorized_client")
    state.machine_scopes = frozenset({"https://www.googleapis.com/auth/devstorage.read_only"})
    fresh = google("attached_service_account")
    assert await refusal(fresh) == (ErrorClass.AUTH, "IAM ACCESS_TOKEN_SCOPE_INSUFFICIENT")


async def test_a_machine_without_a_service_account_is_the_account_s_trouble(
    google: Google, sandbox: Sandbox
) -> None:
    tokens = google("attached_service_account")
    sandbox.state.google_tokens.attached = ""
    assert await refusal(tokens) == (ErrorClass.AUTH, "no_service_account_attached")


@pytest.mark.parametrize("fault", ["error;status=503", "html;status=502", "drop", "html"])
@pytest.mark.parametrize("kind", KINDS)
async def test_endpoints_that_fail_are_tried_again_later(
    google: Google, sandbox: Sandbox, kind: str, fault: str
) -> None:
    tokens = google(kind)
    sandbox.state.faults.add(fault=fault, provider="*", count=None)
    found, _ = await refusal(tokens)
    assert found is ErrorClass.TRANSIENT


async def test_a_metadata_server_that_is_not_there_may_come(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = google("attached_service_account")
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    assert await refusal(tokens) == (ErrorClass.TRANSIENT, "metadata_server_unreachable")


# -- Microsoft


@pytest.fixture(params=["machine", "app service"])
def platform(request: pytest.FixtureRequest, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where it runs, as Azure tells its processes."""
    if request.param == "machine":
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", sandbox.url)
    else:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{sandbox.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", sandbox.state.microsoft_tokens.identity_header)
    return str(request.param)


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(("identity", "client_id"), [("system", ""), (IDENTITY, IDENTITY)])
async def test_a_managed_identity_is_an_application_without_a_secret(
    microsoft: Microsoft, sandbox: Sandbox, identity: str, client_id: str
) -> None:
    tokens = sandbox.state.microsoft_tokens
    tokens.identities[client_id] = ManagedIdentity("globex", f"identity {client_id}")
    mine = microsoft(managed_identity=identity)
    first = await mine.token()
    grant = tokens.grant(first)
    assert grant is not None
    assert grant.client_id == f"identity {client_id}"
    assert await mine.token() == first
    assert await mine.token(instead_of=first) != first


@pytest.mark.usefixtures("platform")
async def test_a_managed_identity_vouches_for_an_application(microsoft: Microsoft, sandbox: Sandbox) -> None:
    tokens = sandbox.state.microsoft_tokens
    tokens.identities[IDENTITY] = ManagedIdentity("globex", IDENTITY)
    tokens.register("initech", "sync")
    token = await microsoft(managed_identity=IDENTITY, tenant_id="initech", client_id="sync").token()
    grant = tokens.grant(token)
    assert grant is not None
    assert (grant.tenant, grant.client_id) == ("initech", "sync")


@pytest.mark.parametrize("application", [{}, {"tenant_id": "initech", "client_id": "sync"}])
async def test_a_machine_without_this_identity_is_an_account_s_trouble(
    microsoft: Microsoft, sandbox: Sandbox, platform: str, application: dict[str, str]
) -> None:
    sandbox.state.microsoft_tokens.register("initech", "sync")
    code = {"machine": "managed_identity_invalid_request", "app service": "managed_identity_invalid_scope"}
    assert await refusal(microsoft(managed_identity=IDENTITY, **application)) == (
        ErrorClass.AUTH,
        code[platform],
    )


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("fault", ["throttle", "error;status=503", "error;status=410", "drop", "html"])
async def test_a_platform_that_gives_no_token_now_is_asked_again_later(
    microsoft: Microsoft, sandbox: Sandbox, fault: str
) -> None:
    sandbox.state.microsoft_tokens.identities[""] = ManagedIdentity("globex", "system")
    sandbox.state.faults.add(fault=fault, provider="azure-metadata", count=None)
    found, _ = await refusal(microsoft(managed_identity="system"))
    assert found is ErrorClass.TRANSIENT


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_no_proxy_stands_before_a_metadata_server(
    google: Google, microsoft: Microsoft, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", sandbox.url)
    sandbox.state.microsoft_tokens.identities[""] = ManagedIdentity("globex", "system")
    tokens = microsoft(managed_identity="system"), google("attached_service_account")
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert await tokens[0].token()
    assert await tokens[1].token()
    providers = [each.provider for each in sandbox.state.journal.requests]
    assert providers == ["azure-metadata", "google-metadata", "google-token"]


# -- who pays


async def test_the_scope_of_the_identity_that_acts_is_for_the_cloud_and_not_for_calendars(
    google: Google, sandbox: Sandbox
) -> None:
    await google("external_account").token()
    scopes = {grant.scopes for grant in sandbox.state.google_tokens.grants.values()}
    assert scopes == {frozenset({CLOUD_SCOPE}), frozenset(SCOPES)}


@pytest.mark.usefixtures("platform")
async def test_a_token_outlives_a_metadata_server_that_is_busy(
    microsoft: Microsoft, sandbox: Sandbox
) -> None:
    tokens = sandbox.state.microsoft_tokens
    tokens.identities[""] = ManagedIdentity("globex", "system")
    tokens.lifetime = 200  # seconds: lives, but is due for a refresh
    mine = microsoft(managed_identity="system")
    first = await mine.token()
    sandbox.state.faults.add(fault="throttle", provider="azure-metadata", count=None)
    assert await mine.token() == first
