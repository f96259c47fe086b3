"""Every row of the tables of codes: the provider answers so, and `sequence-sync check` says what to do."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bookings.advice import Advice, advice
from bookings.advice.google import GOOGLE
from bookings.advice.keyless import GOOGLE_KEYLESS, MICROSOFT_KEYLESS
from bookings.advice.microsoft import MICROSOFT
from bookings.advice.ours import OURS
from bookings.consents import Consents
from bookings.store import Store
from cli.checks.finding import Finding, Level
from cli.checks.providers import Providers
from network.outgoing import Outgoing
from sandbox.server import Sandbox
from tests.conftest import Settle
from tests.house.project import ROOT
from tests.integration.calendars import calendar_secrets, calendar_tables
from workers.calendars.directory import Directory
from workers.errors import CalendarError, ErrorClass

Check = Callable[[], Awaitable[dict[str, Finding]]]

GOOGLE_TEXTS = {
    "clock": "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
    "key_unknown": "Invalid JWT Signature.",
    "account_not_found": "Invalid grant: account not found",
    "subject_unknown": "Invalid email or User ID",
    "consent_ended": "Token has been expired or revoked.",
    "user_deleted": "Account has been deleted",
    "account_disabled": "Account disabled",
    "audience": "Invalid JWT: Failed audience check.",
    "client_secret": "The provided client secret is invalid.",
    "client_not_found": "The OAuth client was not found.",
}
OF_THE_API = {
    "google": {
        *(
            "accessNotConfigured",
            "SERVICE_DISABLED",
            "insufficientPermissions",
            "notACalendarUser",
            "domainPolicy",
        ),
        *("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "CONSUMER_SUSPENDED", "CONSUMER_INVALID", "USER_PROJECT_DENIED"),
        *("requiredAccessLevel", "quotaExceeded", "calendarUsageLimitsExceeded", "dailyLimitExceeded"),
    },
    "microsoft": {
        *(
            "ErrorAccessDenied",
            "Authorization_RequestDenied",
            "NoPermissionsInAccessToken",
            "ErrorInvalidUser",
        ),
        *("Authorization_IdentityNotFound", "Authorization_IdentityDisabled", "InvalidAuthenticationToken"),
        *("MailboxNotEnabledForRESTAPI", "ErrorNonExistentMailbox", "Request_ResourceNotFound"),
        "ErrorQuotaExceeded",
    },
}
OF_DISCOVERY = {"AADSTS90002", "AADSTS900023", "invalid_tenant", "authority_unknown"}


@pytest.fixture
async def check(settle: Settle, store: Store, sandbox: Sandbox) -> Check:
    settings = settle(secrets=calendar_secrets(sandbox), **calendar_tables(sandbox))

    async def works(*_: object) -> int:
        return 0

    async def look() -> dict[str, Finding]:
        async with Outgoing(settings.network) as outgoing:
            directory = Directory(settings, outgoing, consents=Consents(store))
            try:
                checks = Providers(settings, directory, works).checks()
                return {each.subject: finding for each in checks for finding in await each.look()}
            finally:
                directory.close()

    return look


def play(sandbox: Sandbox, provider: str, code: str) -> None:
    """Has the emulator answer with a code, wherever that provider does so."""
    word, _, detail = code.rstrip(")").partition(" (")
    fault, path = "", "*"
    if code in OF_THE_API[provider]:
        key = "reason" if provider == "google" else "code"
        fault = f"forbidden;{key}={code}"
    elif provider == "google":
        detail = "invalid_rapt" if detail == "invalid_rapt" else detail
        more = (
            f";subtype={detail}" if "rapt" in detail else f";text={GOOGLE_TEXTS.get(detail, 'Bad Request')}"
        )
        fault = f"error;status=400;code={word}{more}"
    elif code == "authority_unknown":
        fault, path = "html;status=404", "*openid-configuration"
    elif code.startswith("AADSTS"):
        fault = f"error;status=400;code=invalid_request;number={code.removeprefix('AADSTS')}"
        path = "*openid-configuration" if code in OF_DISCOVERY else "*/token"
    else:
        fault = f"error;status=400;code={code}"
        path = "*openid-configuration" if code in OF_DISCOVERY else "*/token"
    at = provider if code in OF_THE_API[provider] else f"{provider}-token"
    sandbox.state.faults.add(fault=fault, provider=at, path=path, count=None)


@pytest.mark.parametrize(
    ("provider", "code"),
    [*(("google", code) for code in GOOGLE), *(("microsoft", code) for code in MICROSOFT)],
)
async def test_check_says_what_a_code_means_and_what_to_do(
    check: Check, sandbox: Sandbox, provider: str, code: str
) -> None:
    play(sandbox, provider, code)
    account = f"{provider}-hr"
    row = advice(provider, code, account)
    assert row is not None
    found = await check()
    calendar = {"google": "interviews", "microsoft": "panel"}[provider]
    finding = found[f"calendar {calendar}" if code in OF_THE_API[provider] else f"account {account}"]
    assert finding.level is Level.WRONG
    assert code in finding.words
    assert finding.words.startswith(("is refused: ", "cannot be used: "))
    assert finding.remedy == f"{row.cause}: {row.remedy}"
    other = {"google": "microsoft-hr", "microsoft": "google-hr"}[provider]
    assert found[f"account {other}"].level is Level.RIGHT


@pytest.mark.parametrize(
    ("provider", "page", "table"),
    [
        ("google", "google.md", GOOGLE),
        ("microsoft", "microsoft.md", MICROSOFT),
        ("google", "google.md", GOOGLE_KEYLESS),
        ("microsoft", "microsoft.md", MICROSOFT_KEYLESS),
        ("google", "runbook.md", OURS),
    ],
)
def test_the_documentation_has_every_row(provider: str, page: str, table: dict[str, Advice]) -> None:
    text = (ROOT / "docs" / page).read_text()
    rows = [documented(code, row) for code, row in table.items()]
    missing = [row for row in rows if row not in text]
    assert not missing, f"docs/{page} needs these rows:\n" + "\n".join(missing)


def documented(code: str, row: Advice) -> str:
    """The line of a row in the documentation."""
    remedy = row.remedy.replace("{provider}", "PROVIDER").replace("{name}", "ACCOUNT")
    return f"| `{code}` | {row.cause} | {remedy} |"


# -- the same, where the emulator is in that state by itself


async def told(check: Check, provider: str) -> str:
    return (await check())[f"account {provider}-hr"].words


@pytest.mark.parametrize(
    ("credential", "number"),
    [
        ({"secret": "another"}, 7000215),
        ({"secret": "microsoft-secret", "secret_expired": True}, 7000222),
        ({"secret": "microsoft-secret", "disabled": True}, 7000112),
        ({"secret": "microsoft-secret", "principal": False}, 7000229),
    ],
)
async def test_an_application_in_trouble(
    check: Check, sandbox: Sandbox, credential: dict[str, Any], number: int
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", **credential)
    assert f"AADSTS{number}" in await told(check, "microsoft")


async def test_an_application_or_a_tenant_that_is_not_there(check: Check, sandbox: Sandbox) -> None:
    del sandbox.state.microsoft_tokens.tenants["globex"]["sync"]
    assert "AADSTS700016" in await told(check, "microsoft")
    del sandbox.state.microsoft_tokens.tenants["globex"]
    assert "invalid_tenant (AADSTS90002)" in await told(check, "microsoft")


async def test_a_key_that_was_deleted_and_an_account_that_was(check: Check, sandbox: Sandbox) -> None:
    [account] = sandbox.state.google_tokens.service_accounts.values()
    account.keys.clear()
    assert "invalid_grant (key_unknown)" in await told(check, "google")
    account.revoked = True
    assert "invalid_grant (account_not_found)" in await told(check, "google")


@pytest.mark.parametrize("minutes", [-120, 120])
async def test_a_clock_that_is_wrong(check: Check, sandbox: Sandbox, minutes: int) -> None:
    tokens, truth = sandbox.state.google_tokens, sandbox.state.google_tokens.clock
    tokens.clock = lambda: truth() + 60 * minutes
    assert "invalid_grant (clock)" in await told(check, "google")


async def test_a_subject_that_is_nobody(settle: Settle, store: Store, sandbox: Sandbox) -> None:
    sandbox.state.google_tokens.unknown_users = frozenset({"former@globex.example"})
    key = sandbox.service_account_key()
    assert await code_of(settle, store, "google", sandbox, key=key, subject="former@globex.example") == (
        "invalid_grant (subject_unknown)"
    )


async def test_a_user_who_has_to_sign_in_again(settle: Settle, store: Store, sandbox: Sandbox) -> None:
    user = sandbox.authorized_user("hr@globex.example")
    [consent] = sandbox.state.google_tokens.consents.values()
    consent.reauthenticate = True
    code = await code_of(settle, store, "google", sandbox, kind="authorized_user", key=user)
    assert code == "invalid_grant (invalid_rapt)"


async def code_of(
    settle: Settle,
    store: Store,
    provider: str,
    sandbox: Sandbox,
    *,
    key: dict[str, Any],
    kind: str = "service_account",
    **more: str,
) -> str:
    """How an account of its own is refused."""
    account = {"name": "a", "provider": provider, kind: "env:KEY", "api_endpoint": sandbox.google_endpoint}
    settings = settle(secrets={"KEY": json.dumps(key)}, accounts=[{**account, **more}])
    async with Outgoing(settings.network) as outgoing:
        directory = Directory(settings, outgoing, consents=Consents(store))
        with pytest.raises(CalendarError) as raised:
            await directory.token("a")
    assert raised.value.error_class is ErrorClass.AUTH
    return raised.value.code
