"""Keys, tenants and authorities that cannot be right: told at once, and never taken for the network's trouble."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from config.errors import ConfigError
from sandbox.server import Sandbox
from tests.conftest import Settle
from tests.integration.test_tokens import Google, Microsoft, google, microsoft
from workers.errors import CalendarError, ErrorClass

__all__ = ["google", "microsoft"]

PLAIN = serialization.NoEncryption()
LOCKED = serialization.BestAvailableEncryption(b"a passphrase")


def pem(key: Any, lock: serialization.KeySerializationEncryption = PLAIN) -> str:
    return str(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()
    )


def rsa_pem(lock: serialization.KeySerializationEncryption = PLAIN) -> str:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048), lock)


KEYS: dict[str, Callable[[], str]] = {
    "key_passphrase_missing": lambda: rsa_pem(LOCKED),
    "key_not_rsa": lambda: pem(ec.generate_private_key(ec.SECP256R1())),
    "key_unreadable": lambda: rsa_pem()[:400],
}


@pytest.mark.parametrize("code", KEYS)
def test_a_service_account_s_key_that_cannot_sign_is_a_mistake_of_the_configuration(
    google: Google, sandbox: Sandbox, code: str
) -> None:
    with pytest.raises(ConfigError, match="its private key"):
        google({**sandbox.service_account_key(), "private_key": KEYS[code]()})


@pytest.mark.parametrize("code", KEYS)
async def test_one_that_is_put_there_later_parks_the_account(
    google: Google, sandbox: Sandbox, tmp_path: Path, code: str
) -> None:
    key = sandbox.service_account_key()
    (tmp_path / "key").write_text(json.dumps(key))
    tokens = google(key, service_account=f"file:{tmp_path}/key")
    (tmp_path / "key").write_text(json.dumps({**key, "private_key": KEYS[code]()}))
    await asyncio.sleep(1.1)  # a file is looked at again once a second
    with pytest.raises(CalendarError) as raised:
        await tokens.token()
    assert (raised.value.error_class, raised.value.code) == (ErrorClass.AUTH, code)


@pytest.mark.parametrize("code", [*KEYS, "key_passphrase_wrong"])
def test_so_is_the_key_of_a_certificate(microsoft: Microsoft, tmp_path: Path, code: str) -> None:
    more = {"certificate_passphrase": "env:KEY"} if code == "key_passphrase_wrong" else {}
    text = KEYS.get(code, lambda: rsa_pem(LOCKED))()
    (tmp_path / "sync.pem").write_text(
        f"{text}\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    )
    with pytest.raises(ConfigError, match="certificate"):
        microsoft(certificate=f"file:{tmp_path}/sync.pem", **more)


# -- what discovery answers


@pytest.mark.parametrize(
    ("fault", "error_class", "code"),
    [
        (
            "error;status=400;code=invalid_tenant;number=90002",
            ErrorClass.AUTH,
            "invalid_tenant (AADSTS90002)",
        ),
        ("html;status=404", ErrorClass.AUTH, "authority_unknown"),
        ("error;status=429;code=too_many", ErrorClass.THROTTLED, "too_many"),
        ("error;status=400;code=x;number=90033", ErrorClass.TRANSIENT, "x (AADSTS90033)"),
        ("error;status=503", ErrorClass.TRANSIENT, "server_error"),
        ("html;status=403", ErrorClass.TRANSIENT, "status_403"),
        ("html;status=200", ErrorClass.TRANSIENT, "status_200"),
    ],
)
async def test_an_authority_that_does_not_describe_itself_is_asked_why(
    microsoft: Microsoft, sandbox: Sandbox, fault: str, error_class: ErrorClass, code: str
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    sandbox.state.faults.add(fault=fault, provider="microsoft-token", path="*configuration", count=None)
    with pytest.raises(CalendarError) as raised:
        await microsoft(client_secret="env:KEY").token()
    assert (raised.value.error_class, raised.value.code) == (error_class, code)


async def test_what_was_refused_is_asked_again_as_soon_as_it_is_tried_again(
    microsoft: Microsoft, sandbox: Sandbox
) -> None:
    """Msal would repeat a refusal with status 400 for a minute without asking."""
    register = sandbox.state.microsoft_tokens.register
    register("globex", "sync", secret="right", principal=False)
    tokens = microsoft(client_secret="env:KEY")
    with pytest.raises(CalendarError, match="AADSTS7000229"):
        await tokens.token()
    register("globex", "sync", secret="right")
    assert await tokens.token()


async def test_a_throttled_endpoint_says_how_long_to_wait(
    google: Google, microsoft: Microsoft, sandbox: Sandbox
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    sandbox.state.faults.add(fault="throttle;retry_after=17", provider="google-token", count=None)
    sandbox.state.faults.add(
        fault="throttle;retry_after=17", provider="microsoft-token", path="*/token", count=None
    )
    for tokens in (google(sandbox.service_account_key()), microsoft(client_secret="env:KEY")):
        with pytest.raises(CalendarError) as raised:
            await tokens.token()
        assert (raised.value.error_class, raised.value.retry_after) == (ErrorClass.THROTTLED, 17)


# -- the configuration

MICROSOFT = {"name": "m", "provider": "microsoft", "client_id": "sync", "client_secret": "env:KEY"}


@pytest.mark.parametrize(
    "tenant",
    [
        "globex.onmicrosoft.com",
        "2f1c0d9e-aaaa-bbbb-cccc-0123456789ab",
        "2F1C0D9E-AAAA-BBBB-CCCC-0123456789AB",
    ],
)
def test_a_tenant_is_an_id_or_a_domain(settle: Settle, tenant: str) -> None:
    settle(secrets={"KEY": "x"}, accounts=[{**MICROSOFT, "tenant_id": tenant}])


@pytest.mark.parametrize(
    "tenant",
    [
        "globex ", " globex", "glo bex", "{2f1c0d9e-aaaa-bbbb-cccc-0123456789ab}", "globex/v2.0", "/globex",
        "https://login.microsoftonline.com/globex", "globex?x=1", "globex.", ".globex", "globex\n", "common",
    ],
)  # fmt: skip
def test_anything_else_is_a_mistake(settle: Settle, tenant: str) -> None:
    with pytest.raises(ConfigError, match="tenant_id"):
        settle(secrets={"KEY": "x"}, accounts=[{**MICROSOFT, "tenant_id": tenant}])


@pytest.mark.parametrize("path", ["/globex", "/globex/v2.0", "/common/oauth2/v2.0/token"])
def test_an_authority_has_no_tenant_in_it(settle: Settle, path: str) -> None:
    authority = f"https://login.microsoftonline.com{path}"
    with pytest.raises(ConfigError, match="the tenant goes into tenant_id"):
        settle(secrets={"KEY": "x"}, accounts=[{**MICROSOFT, "tenant_id": "globex", "authority": authority}])
