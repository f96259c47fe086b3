"""Consent as a browser and an application see it, at both vendors."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest

from sandbox.authorization import challenge_of
from sandbox.server import Sandbox
from tests.browser import Browser, Refused
from tests.sandbox.clients import PANEL, RECRUITER, Client
from tests.sandbox.conftest import Time

VERIFIER = "v" * 43
CALENDAR = "https://www.googleapis.com/auth/calendar.events"
GRAPH = ("openid", "offline_access", "https://graph.microsoft.com/Calendars.ReadWrite")


class Application:
    """An application that asks for consent, and the browser it sends its user with."""

    def __init__(self, box: Sandbox, http: aiohttp.ClientSession, vendor: str) -> None:
        self.box, self.http, self.vendor = box, http, vendor
        google = vendor == "google"
        box.state.google_tokens.clients["app"] = "secret"
        box.state.microsoft_tokens.register("globex", "app")
        authority = f"{box.url}/globex/oauth2/v2.0"
        self.page = box.google_authorization_endpoint if google else f"{authority}/authorize"
        self.endpoint = box.google_token_uri if google else f"{authority}/token"
        self.secret = {"client_secret": "secret"} if google else {}
        self.asked = {
            "client_id": "app",
            "redirect_uri": "http://127.0.0.1:5000/" if google else "http://localhost:5000",
            "response_type": "code",
            "scope": CALENDAR if google else " ".join(GRAPH),
            "state": "st&te",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }

    def url(self, **changes: str) -> str:
        return f"{self.page}?{urlencode(self.asked | changes)}"

    async def decided(
        self, decision: str, *, leave_out: tuple[str, ...] = (), **changes: str
    ) -> dict[str, str]:
        """What the browser brings back after a person has decided."""
        browser = Browser(self.http)
        way = await browser.decide(self.url(**changes), decision, user=RECRUITER, leave_out=leave_out)
        back = urlsplit(way.url)
        assert f"{back.scheme}://{back.netloc}" == self.asked["redirect_uri"].rstrip("/")
        return way.brought

    async def redeemed(self, code: str, **changes: str) -> tuple[int, dict[str, Any]]:
        form = {
            "grant_type": "authorization_code",
            "client_id": "app",
            "code": code,
            "redirect_uri": self.asked["redirect_uri"],
            "code_verifier": VERIFIER,
            **self.secret,
        }
        return await self.posted(self.endpoint, form | changes)

    async def posted(self, url: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.http.post(url, data=urlencode(form), headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture(params=["google", "microsoft"])
def application(request: pytest.FixtureRequest, box: Sandbox, http: aiohttp.ClientSession) -> Application:
    return Application(box, http, request.param)


@pytest.fixture
def google(box: Sandbox, http: aiohttp.ClientSession) -> Application:
    return Application(box, http, "google")


@pytest.fixture
def microsoft(box: Sandbox, http: aiohttp.ClientSession) -> Application:
    return Application(box, http, "microsoft")


async def test_a_user_who_allows_gives_a_code_that_is_good_once(application: Application) -> None:
    back = await application.decided("allow")
    assert back["state"] == "st&te"
    status, tokens = await application.redeemed(back["code"])
    assert (status, bool(tokens["refresh_token"])) == (200, True)
    assert (await application.redeemed(back["code"]))[0] == 400


async def test_a_user_who_denies_gives_nothing(application: Application) -> None:
    back = await application.decided("deny")
    assert (back["error"], back["state"], "code" in back) == ("access_denied", "st&te", False)


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:5001/"},
        {"code": "another"},
    ],
)
async def test_a_code_is_exchanged_only_by_who_asked_for_it(
    application: Application, change: dict[str, str]
) -> None:
    back = await application.decided("allow")
    status, answer = await application.redeemed(**({"code": back["code"]} | change))
    assert (status, answer["error"]) == (400, "invalid_grant")


async def test_a_code_is_good_for_ten_minutes(application: Application, time: Time) -> None:
    back = await application.decided("allow")
    time.now += 601
    assert (await application.redeemed(back["code"]))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://evil.example:5000/"},
        {"client_id": "nobody"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
    ],
)
async def test_a_wrong_request_is_told_to_the_user_and_goes_nowhere(
    application: Application, change: dict[str, str]
) -> None:
    with pytest.raises(Refused):
        await Browser(application.http).decide(application.url(**change), "allow", user=RECRUITER)


async def test_a_registered_localhost_is_not_127_0_0_1(microsoft: Application) -> None:
    with pytest.raises(Refused, match="AADSTS50011"):
        await microsoft.decided("allow", redirect_uri="http://127.0.0.1:5000")


async def test_microsoft_s_answer_may_be_posted(microsoft: Application) -> None:
    back = await microsoft.decided("allow", response_mode="form_post")
    assert back["state"] == "st&te"
    assert (await microsoft.redeemed(back["code"]))[0] == 200


async def test_a_scope_left_out_at_google_is_not_granted(google: Application) -> None:
    other = "https://www.googleapis.com/auth/calendar.readonly"
    back = await google.decided("allow", scope=f"{CALENDAR} {other}", leave_out=(CALENDAR,))
    assert (await google.redeemed(back["code"]))[1]["scope"] == other


async def test_google_gives_no_refresh_token_for_a_refresh_and_microsoft_a_new_one(
    application: Application,
) -> None:
    tokens = (await application.redeemed((await application.decided("allow"))["code"]))[1]
    form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": tokens["refresh_token"]}
    for _ in range(2):  # the old one stays good at both
        status, answer = await application.posted(application.endpoint, form | application.secret)
        assert status == 200
        renewed = answer.get("refresh_token")
        assert (renewed is None) if application.vendor == "google" else renewed != tokens["refresh_token"]


async def test_google_s_revocation_ends_the_consent_and_its_access_tokens(
    google: Application, http: aiohttp.ClientSession
) -> None:
    tokens = (await google.redeemed((await google.decided("allow"))["code"]))[1]
    events = Client(http, f"{google.box.google_endpoint}calendars/primary/events", tokens["access_token"])
    assert (await events("GET")).status == 200
    url = f"{google.box.url}/google/revoke"
    assert (await google.posted(url, {"token": tokens["refresh_token"]}))[0] == 200
    assert (await events("GET")).status == 401
    assert await google.posted(url, {"token": tokens["refresh_token"]}) == (
        400,
        {"error": "invalid_token", "error_description": "Token expired or revoked"},
    )


@pytest.mark.parametrize(
    ("scope", "status"), [("Calendars.ReadWrite", 403), ("Calendars.ReadWrite.Shared", 200)]
)
async def test_what_others_share_needs_a_scope_of_its_own(
    microsoft: Application, http: aiohttp.ClientSession, scope: str, status: int
) -> None:
    microsoft.box.state.microsoft.put_mailbox(RECRUITER)
    microsoft.box.state.microsoft.put_mailbox(PANEL, shared_with=frozenset({RECRUITER}))
    back = await microsoft.decided("allow", scope=f"openid https://graph.microsoft.com/{scope}")
    tokens = (await microsoft.redeemed(back["code"]))[1]
    graph = Client(http, microsoft.box.graph_endpoint, tokens["access_token"])
    assert (await graph.get(f"/users/{RECRUITER}/events")).status == 200
    assert (await graph.get(f"/users/{PANEL}/events")).status == status
    assert "refresh_token" not in tokens  # it did not ask for offline_access


class Device:
    """A device that has shown its code."""

    def __init__(self, application: Application, answer: dict[str, Any]) -> None:
        self.application, self.answer = application, answer

    async def polled(self) -> tuple[int, str]:
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": "app",
            "device_code": self.answer["device_code"],
        }
        status, answer = await self.application.posted(self.application.endpoint, form)
        return status, answer.get("error", "")

    async def decided(self, decision: str) -> int:
        form = {"code": self.answer["user_code"].lower(), "user": RECRUITER, "decision": decision}
        async with self.application.http.post(self.answer["verification_uri"], data=form) as answer:
            return answer.status


@pytest.fixture
async def device(microsoft: Application) -> Device:
    url = f"{microsoft.box.url}/globex/oauth2/v2.0/devicecode"
    status, answer = await microsoft.posted(url, {"client_id": "app", "scope": " ".join(GRAPH)})
    assert (status, answer["expires_in"], answer["interval"]) == (200, 900, 5)
    return Device(microsoft, answer)


async def test_a_device_asks_until_its_user_has_decided(device: Device, time: Time) -> None:
    assert await device.polled() == (400, "authorization_pending")
    time.now += 5
    assert await device.decided("allow") == 200
    assert await device.polled() == (200, "")
    time.now += 5
    assert await device.polled() == (400, "bad_verification_code")


async def test_a_device_that_asks_too_often_is_told_to_slow_down(device: Device, time: Time) -> None:
    await device.polled()
    time.now += 1
    assert await device.polled() == (400, "slow_down")
    time.now += 5
    assert await device.polled() == (400, "slow_down")  # it is ten seconds now
    time.now += 20
    assert await device.polled() == (400, "authorization_pending")


async def test_a_device_is_told_that_its_user_said_no_or_came_too_late(device: Device, time: Time) -> None:
    assert await device.decided("deny") == 200
    assert await device.polled() == (400, "authorization_declined")
    time.now += 901
    assert await device.polled() == (400, "expired_token")
    assert await device.decided("allow") == 400
