import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import msal
import pytest
import requests
from cryptography.hazmat.primitives import hashes

from sandbox.server import Sandbox
from tests.certificates import Pair, pair
from tests.sandbox.clients import PANEL, Client

TENANT = "globex"
CLIENT = "our-app"
SCOPES = ["https://graph.microsoft.com/.default"]


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    """A sandbox on real time: msal looks at the clock too."""
    async with Sandbox() as started:
        started.state.microsoft.put_mailbox(PANEL)
        yield started


def thumbprint(of: Pair) -> str:
    """As Entra lists certificates."""
    return of.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - a name, not a proof


async def acquire(
    box: Sandbox, credential: Any, *, scopes: list[str] = SCOPES, **authority: str
) -> dict[str, Any]:
    """What msal makes of a token request, with nothing of it replaced."""

    def in_thread() -> dict[str, Any]:
        with requests.Session() as session:
            session.verify = box.ca_file
            session.trust_env = False
            app = msal.ConfidentialClientApplication(
                CLIENT,
                client_credential=credential,
                http_client=session,
                instance_discovery=False,
                **(authority or {"authority": f"{box.authority}/{TENANT}"}),
            )
            result: dict[str, Any] = app.acquire_token_for_client(scopes)
            return result

    return await asyncio.to_thread(in_thread)


async def test_msal_gets_a_token_that_graph_accepts(box: Sandbox, http: aiohttp.ClientSession) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, secret="s3cret")
    result = await acquire(box, "s3cret")
    client = Client(http, f"{box.graph_endpoint}/users/{PANEL}", result["access_token"])
    assert (await client("GET", "/events")).status == 200


async def test_the_issuer_passes_msals_check_of_an_oidc_authority(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, secret="s3cret")
    result = await acquire(box, "s3cret", oidc_authority=f"{box.authority}/{TENANT}/v2.0")
    assert "access_token" in result


@pytest.mark.parametrize(
    ("secret", "expired", "number"), [("wrong", False, 7000215), ("s3cret", True, 7000222)]
)
async def test_a_bad_secret_is_an_invalid_client(
    box: Sandbox, secret: str, expired: bool, number: int
) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, secret="s3cret", secret_expired=expired)
    result = await acquire(box, secret)
    assert (result["error"], result["error_codes"]) == ("invalid_client", [number])


async def test_an_unknown_application_is_named(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, "somebody-else", secret="s3cret")
    result = await acquire(box, "s3cret")
    assert (result["error"], result["error_codes"]) == ("unauthorized_client", [700016])


async def test_an_unknown_tenant_has_no_configuration(box: Sandbox, http: aiohttp.ClientSession) -> None:
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        await acquire(box, "s3cret")
    async with http.post(f"{box.url}/{TENANT}/oauth2/v2.0/token") as answer:
        assert (answer.status, (await answer.json())["error_codes"]) == (400, [90002])


async def test_a_scope_must_be_the_default_one(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, secret="s3cret")
    result = await acquire(box, "s3cret", scopes=["Calendars.ReadWrite"])
    assert result["error"] == "invalid_scope"


async def test_a_registered_certificate_signs_in(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, certificate=pair().certificate_pem)
    result = await acquire(box, {"private_key": pair().key_pem(), "thumbprint": thumbprint(pair())})
    assert "access_token" in result


async def test_another_certificate_does_not(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, certificate=pair(1).certificate_pem)
    result = await acquire(box, {"private_key": pair().key_pem(), "thumbprint": thumbprint(pair())})
    assert (result["error"], result["error_codes"]) == ("invalid_client", [700027])


async def test_a_certificate_is_known_by_the_thumbprint_that_is_shown(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, certificate=pair().certificate_pem)
    result = await acquire(box, {"private_key": pair().key_pem(), "thumbprint": "00" * 20})
    assert (result["error"], result["error_codes"]) == ("invalid_client", [700027])


async def test_a_federated_subject_has_to_be_the_registered_one(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, federated_subject="system:serviceaccount:sync:worker")
    for subject, numbers in (("system:serviceaccount:sync:worker", None), ("somebody else", [700213])):
        claims = {"iss": "https://cluster", "sub": subject, "aud": "api://AzureADTokenExchange"}
        assertion = jwt.encode(claims, "k" * 32)
        result = await acquire(box, {"client_assertion": lambda shown=assertion: shown})
        assert result.get("error_codes") == numbers


async def test_a_token_names_the_roles_that_were_granted_when_it_was_issued(box: Sandbox) -> None:
    tokens = box.state.microsoft_tokens
    shown = []
    for roles in ((), ("Calendars.ReadWrite",)):
        tokens.register(TENANT, CLIENT, secret="right", roles=roles)
        token = (await acquire(box, "right"))["access_token"]
        shown.append(jwt.decode(token, options={"verify_signature": False})["roles"])
    assert shown == [[], ["Calendars.ReadWrite"]]


async def test_a_federated_assertion_only_has_to_be_a_token(box: Sandbox) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT)
    claims = {"iss": "https://cluster", "sub": "system:pod", "aud": "api://AzureADTokenExchange"}
    federated = jwt.encode(claims, "k" * 32)
    assert "access_token" in await acquire(box, {"client_assertion": lambda: federated})
    assert (await acquire(box, {"client_assertion": lambda: "nonsense"}))["error"] == "invalid_client"


async def test_a_refresh_token_is_exchanged_for_a_users_token_and_the_next_one(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    box.state.microsoft_tokens.register(TENANT, CLIENT, secret="s3cret")
    form = {
        "grant_type": "refresh_token",
        "client_id": CLIENT,
        "client_secret": "s3cret",
        "refresh_token": box.state.microsoft_tokens.register_user(TENANT, CLIENT, PANEL),
    }
    url = f"{box.url}/{TENANT}/oauth2/v2.0/token"
    async with http.post(url, data=form) as answer:
        issued = await answer.json()
    assert (
        await Client(http, f"{box.graph_endpoint}/me", issued["access_token"])("GET", "/events")
    ).status == 200
    box.state.microsoft_tokens.revoke(PANEL)
    async with http.post(url, data=form | {"refresh_token": issued["refresh_token"]}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_grant")
