import asyncio
import time as wall_time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import google.auth.exceptions
import google.auth.transport.requests
import googleapiclient.discovery
import jwt
import pytest
import requests
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account
from yarl import URL

from sandbox.credentials import private_key, service_account_key
from sandbox.server import Sandbox
from tests.sandbox.clients import RECRUITER, Client, google_event

SCOPES = ["https://www.googleapis.com/auth/calendar"]


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    """A sandbox on real time: google-auth looks at the clock too."""
    async with Sandbox() as started:
        yield started


async def refresh(credential: Any) -> str:
    with requests.Session() as session:
        await asyncio.to_thread(credential.refresh, google.auth.transport.requests.Request(session))
    return str(credential.token)


def consent_of(user: dict[str, Any]) -> Any:
    """The credential of an authorized_user file. google-auth's own reader would pass over its token_uri."""
    return user_credentials.Credentials(
        token=None,
        refresh_token=user["refresh_token"],
        token_uri=user["token_uri"],
        client_id=user["client_id"],
        client_secret=user["client_secret"],
    )


def delegated(key: dict[str, Any], subject: str = RECRUITER) -> Any:
    return service_account.Credentials.from_service_account_info(key, scopes=SCOPES, subject=subject)


async def test_google_auth_gets_a_token_for_a_delegated_subject(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    token = await refresh(delegated(box.service_account_key()))
    calendar = await Client(http, f"{box.google_endpoint}calendars/primary", token)("GET")
    assert (calendar.status, calendar.body["id"]) == (200, RECRUITER)


async def test_a_service_account_without_delegation_may_not_invite(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    key = box.service_account_key()
    token = await refresh(service_account.Credentials.from_service_account_info(key, scopes=SCOPES))
    client = Client(http, f"{box.google_endpoint}calendars/primary/events", token)
    invited = await client("POST", json=google_event(attendees=[{"email": RECRUITER}]))
    assert (invited.status, invited.reason) == (403, "forbiddenForServiceAccounts")
    assert (await client("POST", json=google_event())).status == 200


async def test_a_domain_that_has_not_authorised_the_account_refuses(box: Sandbox) -> None:
    key = box.service_account_key()
    box.state.google_tokens.service_accounts[key["client_email"]].delegated = False
    with pytest.raises(google.auth.exceptions.RefreshError, match="unauthorized_client") as refused:
        await refresh(delegated(key))
    assert not refused.value.retryable


async def test_a_key_made_elsewhere_is_an_invalid_grant(box: Sandbox) -> None:
    box.service_account_key()
    stranger = service_account_key(box.google_token_uri)
    with pytest.raises(google.auth.exceptions.RefreshError, match="invalid_grant"):
        await refresh(delegated(stranger))


async def test_a_forged_signature_is_an_invalid_grant(box: Sandbox) -> None:
    known = box.service_account_key()
    with pytest.raises(google.auth.exceptions.RefreshError, match="Invalid JWT Signature"):
        await refresh(delegated({**known, "private_key": private_key()}))


@pytest.mark.parametrize("life", [-10, 7200])
async def test_an_assertion_must_be_short_lived(box: Sandbox, http: aiohttp.ClientSession, life: int) -> None:
    key = box.service_account_key()
    now = int(wall_time.time())
    claims = {
        "iss": key["client_email"],
        "sub": RECRUITER,
        "scope": SCOPES[0],
        "aud": box.google_token_uri,
        "iat": now,
        "exp": now + life,
    }
    assertion = jwt.encode(claims, key["private_key"], "RS256", {"kid": key["private_key_id"]})
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    async with http.post(box.google_token_uri, data=form) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "invalid_grant"


async def test_google_auth_refreshes_a_users_consent(box: Sandbox, http: aiohttp.ClientSession) -> None:
    consent = consent_of(box.authorized_user(RECRUITER))
    token = await refresh(consent)
    assert (await Client(http, f"{box.google_endpoint}calendars/{RECRUITER}", token)("GET")).status == 200


async def test_a_revoked_consent_is_an_invalid_grant_and_its_tokens_die(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    consent = consent_of(box.authorized_user(RECRUITER))
    token = await refresh(consent)
    box.state.google_tokens.revoke(RECRUITER)
    with pytest.raises(google.auth.exceptions.RefreshError, match="invalid_grant"):
        await refresh(consent)
    assert (await Client(http, f"{box.google_endpoint}calendars/primary", token)("GET")).status == 401


async def test_a_token_expires(http: aiohttp.ClientSession) -> None:
    now = 1_790_000_000.0
    async with Sandbox(clock=lambda: now) as box:
        box.state.google_tokens.lifetime = 60
        client = Client(http, f"{box.google_endpoint}calendars/primary", box.google_token(RECRUITER))
        assert (await client("GET")).status == 200
        now += 60
        assert (await client("GET")).status == 401


async def test_other_grants_are_refused(box: Sandbox, http: aiohttp.ClientSession) -> None:
    async with http.post(box.google_token_uri, data={"grant_type": "password"}) as answer:
        assert (await answer.json())["error"] == "unsupported_grant_type"


async def test_requests_built_by_googles_library_are_understood(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    service = googleapiclient.discovery.build(
        "calendar",
        "v3",
        credentials=user_credentials.Credentials("unused"),
        client_options={"api_endpoint": box.google_endpoint},
    )
    request = service.events().insert(
        calendarId="primary", body=google_event(), sendUpdates="none", conferenceDataVersion=1
    )
    headers = {**request.headers, "Authorization": f"Bearer {box.google_token(RECRUITER)}"}
    url = URL(request.uri, encoded=True)
    async with http.request(request.method, url, data=request.body, headers=headers) as answer:
        assert (answer.status, (await answer.json())["id"]) == (200, "meeting1")
    service.close()
