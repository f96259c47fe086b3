"""Every kind of credentials that needs no key or secret of its own, by real processes; and what `check` says."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cli.checks.finding import Level
from config.accounts import GoogleAccount
from sandbox.credentials import workload_token
from sandbox.microsoft_tokens import ManagedIdentity
from tests.acceptance.conftest import Service
from tests.acceptance.test_check import check, configure
from tests.callbacks import SEQUENCING
from tests.certificates import pair

SYNC = "sync@globex.iam.gserviceaccount.com"
IDENTITY = "aaaaaaaa-0000-0000-0000-000000000001"
KEY = 'service_account = "file:google.json"'
SECRET = 'client_secret = "file:microsoft_secret"'
APPLICATION = 'tenant_id = "globex"\nclient_id = "sequence-sync"\n'


def external_account(service: Service) -> str:
    (service.folder / "token").write_text(workload_token(time.time() + 600))
    file = service.sandbox.external_account(SYNC, {"file": str(service.folder / "token")})
    (service.folder / "federation.json").write_text(json.dumps(file))
    return 'external_account = "file:federation.json"'


def impersonated(service: Service) -> str:
    file = service.sandbox.impersonated_account(SYNC, "admin@globex.example")
    (service.folder / "impersonated.json").write_text(json.dumps(file))
    return 'impersonated_service_account = "file:impersonated.json"'


def attached(service: Service) -> str:
    service.sandbox.attached_account(SYNC)
    return f'attached_service_account = "{SYNC}"\niam_endpoint = "{service.sandbox.iam_endpoint}"'


def for_user(kind: Callable[[Service], str]) -> Callable[[Service], str]:
    """The same, acting for a user."""

    def made(service: Service) -> str:
        lines = ('subject = "hr@globex.example"', f'token_endpoint = "{service.sandbox.google_token_uri}"')
        return "\n".join((kind(service), *lines))

    return made


def system_identity(service: Service) -> tuple[tuple[str, str], ...]:
    service.sandbox.state.microsoft_tokens.identities[""] = ManagedIdentity("globex", "the machine")
    return (APPLICATION, ""), (SECRET, 'managed_identity = "system"')


def vouching_identity(service: Service) -> tuple[tuple[str, str], ...]:
    tokens = service.sandbox.state.microsoft_tokens
    tokens.identities[IDENTITY] = ManagedIdentity("globex", IDENTITY)
    tokens.register("globex", "sequence-sync")
    return ((SECRET, f'managed_identity = "{IDENTITY}"'),)


def pfx(service: Service) -> tuple[tuple[str, str], ...]:
    service.sandbox.state.microsoft_tokens.register(
        "globex", "sequence-sync", certificate=pair().certificate_pem
    )
    (service.folder / "sync.pfx").write_bytes(pair().pfx("a passphrase"))
    (service.folder / "passphrase").write_text("a passphrase")
    return ((SECRET, 'certificate = "file:sync.pfx"\ncertificate_passphrase = "file:passphrase"'),)


@pytest.fixture(autouse=True)
def platform(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has our processes take the sandbox for what the machine asks who it is."""
    monkeypatch.setenv("GCE_METADATA_HOST", service.sandbox.url.removeprefix("http://"))
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.sandbox.url)


@pytest.mark.parametrize(
    ("google", "microsoft"),
    [
        (for_user(external_account), system_identity),
        (attached, vouching_identity),
        (for_user(attached), pfx),
        (impersonated, system_identity),
    ],
    ids=[
        "federated for a user, system",
        "attached, vouching",
        "attached for a user, PFX",
        "impersonated, system",
    ],
)
async def test_a_booking_is_written_without_any_key(
    service: Service,
    google: Callable[[Service], str],
    microsoft: Callable[[Service], tuple[tuple[str, str], ...]],
) -> None:
    configure(service, (KEY, google(service)), *microsoft(service))
    await service.start("receiver")
    await service.start("worker")
    assert (await service.post(SEQUENCING))[0] == 202
    await service.written()
    assert sorted(event.provider for event in service.events()) == ["google", "microsoft"]


async def test_check_says_whom_to_let_act_as_the_service_account(service: Service) -> None:
    configure(service, (KEY, for_user(external_account)(service)))
    service.sandbox.state.google_tokens.service_account(SYNC).actors.clear()
    finding = (await check(service)).of("account google-hr")
    assert finding.level is Level.WRONG
    assert finding.words == "is refused: IAM_PERMISSION_DENIED (iam.serviceAccounts.signJwt)"
    assert "roles/iam.serviceAccountTokenCreator" in finding.remedy


async def test_check_says_what_is_the_matter_with_a_workload_s_token(service: Service) -> None:
    configure(service, (KEY, external_account(service)))
    (service.folder / "token").write_text(
        workload_token(time.time() + 600, audience="https://another.example")
    )
    finding = (await check(service)).of("account google-hr")
    assert finding.words == "is refused: federation invalid_grant"
    assert "audience" in finding.remedy
    (service.folder / "token").unlink()
    finding = (await check(service)).of("account google-hr")
    assert finding.words == "is refused: subject_token_missing"
    assert "mount the workload's token" in finding.remedy


async def test_check_says_that_a_machine_is_not_the_one_that_was_meant(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(service, (KEY, attached(service)), *vouching_identity(service))
    service.sandbox.state.google_tokens.attached = ""
    service.sandbox.state.microsoft_tokens.identities.clear()
    checked = await check(service)
    assert checked.of("account google-hr").words == "is refused: no_service_account_attached"
    refused = checked.of("account microsoft-hr")
    assert refused.words == "is refused: managed_identity_invalid_request"
    assert "assign the identity" in refused.remedy

    for variable in ("GCE_METADATA_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        monkeypatch.setenv(variable, "127.0.0.1:1" if variable.startswith("GCE") else "http://127.0.0.1:1")
    checked = await check(service)
    assert "machines at Google" in checked.of("account google-hr").remedy
    assert "machines at Azure" in checked.of("account microsoft-hr").remedy


async def test_check_says_when_a_certificate_ends(service: Service) -> None:
    configure(service, *pfx(service))
    assert (await check(service)).of("certificate microsoft-hr").level is Level.RIGHT


async def test_every_request_counts_for_the_project_that_is_named(service: Service) -> None:
    configure(service, (KEY, f'{KEY}\nquota_project = "globex-calendars"'))
    account = service.settings.account("google-hr")
    assert isinstance(account, GoogleAccount)
    assert (await check(service)).of("calendar interviews").level is Level.RIGHT
    calls = [each for each in service.sandbox.state.journal.requests if each.provider == "google"]
    assert calls
    assert {each.headers.get("X-Goog-User-Project") for each in calls} == {"globex-calendars"}


async def test_check_says_when_a_client_secret_ends_where_graph_shows_it(service: Service) -> None:
    tokens = service.sandbox.state.microsoft_tokens
    [secret] = [each.secret for each in tokens.tenants["globex"].values()]
    soon = (datetime.now(UTC) + timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {}
    for may_read, ends in ((True, soon), (True, "2299-12-31T00:00:00Z"), (False, soon)):
        tokens.register("globex", "sequence-sync", secret=secret, may_read_itself=may_read, secret_ends=ends)
        checked = await check(service)
        found[may_read, ends] = [
            each for each in checked.findings if each.subject.startswith("client secret")
        ]
        assert checked.of("account microsoft-hr").level is Level.RIGHT
    [warned] = found.pop((True, soon))
    assert (warned.subject, warned.level) == ("client secret microsoft-hr", Level.WARNING)
    assert "in 9 days" in warned.words
    assert list(found.values()) == [[], []]
