"""`sequence-sync login`, as it is typed, with a browser and the providers' consent pages."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from bookings.accounts import Accounts
from bookings.consents import Consents, Kept
from bookings.seal import new_key
from bookings.store import Store
from cli.login import Manner, run_forget, run_login
from cli.options import CommandError, Exit
from config.load import load
from config.settings import Settings
from sandbox.server import Sandbox
from tests.acceptance.logging_in import Login, logging_in
from tests.browser import Browser

USER = "hr@globex.example"
ACCOUNT = {"google": "google-hr", "microsoft": "microsoft-hr"}
TOML = """
[redis]
url = "unix://{redis}"

[encryption]
keys = ["file:keys"]

[[accounts]]
name = "google-hr"
provider = "google"
login = true
client_id = "desktop"
client_secret = "file:google_client_secret"
api_endpoint = "{sandbox.google_endpoint}"
authorization_endpoint = "{sandbox.google_authorization_endpoint}"
token_endpoint = "{sandbox.google_token_uri}"

[[accounts]]
name = "microsoft-hr"
provider = "microsoft"
login = true
tenant_id = "globex"
client_id = "public"
authority = "{sandbox.authority}"
graph_endpoint = "{sandbox.graph_endpoint}"
ca_file = "{sandbox.ca_file}"
"""


class Place:
    """A configuration, its Redis and the providers."""

    def __init__(self, folder: Path, sandbox: Sandbox, store: Store, browser: Browser) -> None:
        self.folder, self.sandbox, self.store, self.browser = folder, sandbox, store, browser

    @property
    def settings(self) -> Settings:
        return load(self.folder / "sequence-sync.toml", {})

    def login(
        self, provider: str, *arguments: str, name: str = ""
    ) -> contextlib.AbstractAsyncContextManager[Login]:
        config = self.folder / "sequence-sync.toml"
        return logging_in(config, self.browser, provider, name or ACCOUNT[provider], *arguments)

    async def kept(self, provider: str) -> Kept | None:
        return await Consents(Store.of(self.settings, self.store.redis)).get(ACCOUNT[provider])

    def grants(self, provider: str, token: str) -> str | None:
        """Whom an access token stands for."""
        if provider == "google":
            grant = self.sandbox.state.google_tokens.grant(token)
            return grant.subject if grant else None
        graph = self.sandbox.state.microsoft_tokens.grant(token)
        return graph.user if graph else None


@pytest.fixture
async def place(tmp_path: Path, store: Store, redis_dir: Path) -> AsyncIterator[Place]:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        sandbox.state.google_tokens.clients["desktop"] = "client-secret"
        sandbox.state.microsoft_tokens.register("globex", "public")
        (tmp_path / "keys").write_text(new_key())
        (tmp_path / "google_client_secret").write_text("client-secret")
        toml = TOML.format(redis=redis_dir / "redis.sock", sandbox=sandbox)
        (tmp_path / "sequence-sync.toml").write_text(toml)
        yield Place(tmp_path, sandbox, store, Browser(session))


both = pytest.mark.parametrize("provider", ["google", "microsoft"])


@both
async def test_a_user_consents_in_a_browser_and_workers_have_a_token(place: Place, provider: str) -> None:
    accounts = Accounts(place.store)
    await accounts.close(ACCOUNT[provider], least_s=300, most_s=600, state="parked", reason="not_logged_in")
    async with place.login(provider) as login:
        asked = dict(parse_qsl(urlsplit(await login.address()).query))
        assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
        assert urlsplit(asked["redirect_uri"]).hostname in ("127.0.0.1", "localhost")
        page = await login.browser.follow(await login.decide("allow", user=USER))
        assert (page.status, "You may close this window" in page.text) == (200, True)
        result = await login.ended()
    assert (result.status, result.data) == (0, ""), result.words
    kept = await place.kept(provider)
    assert kept is not None
    assert place.grants(provider, kept.consent.access_token) == USER
    for secret in (kept.consent.refresh_token, kept.consent.access_token):
        assert secret not in result.words
        assert secret.encode() not in await place.store.redis.hget(
            place.store.keys.consent(ACCOUNT[provider]), "sealed"
        )
    assert await accounts.closed() == []  # what waited goes on at once
    [entry] = await place.store.audit(limit=5)
    assert (entry["command"], entry["account"]) == ("login", ACCOUNT[provider])


@both
async def test_a_browser_that_comes_with_another_state_is_sent_away_and_the_user_still_waited_for(
    place: Place, provider: str
) -> None:
    async with place.login(provider) as login:
        way = await login.decide("allow", user=USER)
        brought = way.brought | {"state": "another"}
        base = way.url.partition("?")[0]
        for forged in (brought, {"code": "stolen"}, {}):
            async with login.browser.session.get(base, params=forged) as answer:
                assert answer.status == 400
            async with login.browser.session.post(base, data=forged) as answer:
                assert answer.status == 400
        assert await place.kept(provider) is None
        assert (await login.browser.follow(way)).status == 200
        assert (await login.ended()).status == 0


@both
async def test_a_user_who_denies_changes_nothing(place: Place, provider: str) -> None:
    async with place.login(provider) as login:
        page = await login.browser.follow(await login.decide("deny", user=USER))
        assert "Nothing was allowed" in page.text
        result = await login.ended()
    assert (result.status, "the user did not allow it" in result.words) == (1, True)
    assert await place.kept(provider) is None


async def test_a_user_who_leaves_the_calendar_out_is_asked_to_leave_it_in(place: Place) -> None:
    scope = "https://www.googleapis.com/auth/calendar.events"
    async with place.login("google") as login:
        await login.browser.follow(await login.decide("allow", user=USER, leave_out=(scope,)))
        result = await login.ended()
    assert result.status == 1
    assert await place.kept("google") is None


async def test_nobody_is_waited_for_for_ever(place: Place) -> None:
    async with place.login("google", "--wait", "1") as login:
        await login.address()
        result = await login.ended()
    assert (result.status, "nobody consented within 1 s" in result.words) == (1, True)


async def test_a_device_code_is_typed_elsewhere(place: Place) -> None:
    place.sandbox.state.microsoft_tokens.devices.interval = 1
    async with place.login("microsoft", "--device") as login:
        message = await login.says(r"To sign in, .*")
        [url, code] = re.findall(r"page (\S+) and enter the code (\S+) ", message)[0]
        await asyncio.sleep(1.2)  # it asks once in vain
        form = {"code": code, "user": USER, "decision": "allow"}
        async with login.browser.session.post(url, data=form, ssl=False) as answer:
            assert answer.status == 200
        result = await login.ended()
    assert (result.status, f"{USER} consented" in result.words) == (0, True)
    kept = await place.kept("microsoft")
    assert kept is not None
    assert place.grants("microsoft", kept.consent.access_token) == USER


async def test_a_device_code_that_is_declined_or_expires_changes_nothing(place: Place) -> None:
    devices = place.sandbox.state.microsoft_tokens.devices
    devices.interval, devices.lifetime = 1, 2
    async with place.login("microsoft", "--device") as late:
        await late.says(r"To sign in, .*")
        devices.lifetime = 900
        async with place.login("microsoft", "--device") as denied:
            message = await denied.says(r"To sign in, .*")
            [url, code] = re.findall(r"page (\S+) and enter the code (\S+) ", message)[0]
            async with denied.browser.session.post(url, data={"code": code, "decision": "deny"}, ssl=False):
                pass
            assert "the user did not allow it" in (await denied.ended()).words
        result = await late.ended()
        assert (result.status, "nothing was changed" in result.words) == (1, True)
    assert await place.kept("microsoft") is None


async def test_google_s_device_code_is_refused_with_the_reason_and_a_way_out(place: Place) -> None:
    with pytest.raises(CommandError, match=r"no calendar scope by device code(.|\n)*ssh -L") as refused:
        await run_login(place.settings, "google", "google-hr", Manner(device=True))
    assert refused.value.status == Exit.USAGE


async def test_what_could_not_be_kept_is_not_asked_for(place: Place) -> None:
    (place.folder / "keys").unlink()
    async with place.login("google") as login:
        result = await login.ended()
    assert (result.status, "there is no file" in result.words) == (2, True)
    assert "http://" not in result.words


async def test_an_account_that_is_not_of_a_user_is_not_logged_in(place: Place) -> None:
    words = "no google account with login = true is called 'microsoft-hr'; there is google-hr"
    with pytest.raises(CommandError, match=words) as refused:
        await run_login(place.settings, "google", "microsoft-hr", Manner())
    assert refused.value.status == Exit.USAGE


async def test_a_port_that_is_taken_is_said(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"cannot listen on 127.0.0.1:{port} .*choose another --port"):
            await run_login(place.settings, "google", "google-hr", Manner(port=port))


@both
async def test_a_consent_is_forgotten_and_where_that_can_be_done_revoked(place: Place, provider: str) -> None:
    async with place.login(provider) as login:
        await login.browser.follow(await login.decide("allow", user=USER))
        assert (await login.ended()).status == 0
    kept = await place.kept(provider)
    assert kept is not None
    async with place.login(provider, "--forget") as login:
        result = await login.ended()
    assert (result.status, await place.kept(provider)) == (0, None)
    if provider == "google":
        assert "revoked and forgotten" in result.words
        assert place.grants(provider, kept.consent.access_token) is None
    else:
        assert "myapplications.microsoft.com" in result.words
    assert await run_forget(place.settings, provider, ACCOUNT[provider]) is Exit.NOTHING_MATCHED
