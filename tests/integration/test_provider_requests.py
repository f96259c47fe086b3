"""One request to a provider: what may have become of it where no proper answer comes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from aiohttp import web

from config.network import NetworkSettings
from network.outgoing import Outgoing
from tests.waiting import comes
from workers.calendars.http import ProviderHttp
from workers.calendars.lane import FreeLane
from workers.errors import CalendarError, ErrorClass


class Tokens:
    """One token that is always good."""

    async def token(self, *, instead_of: str = "") -> str:
        del instead_of
        return "the token"

    def close(self) -> None:
        """Nothing is open."""


class Provider(NamedTuple):
    """A server that leads elsewhere, ends conversations or says nothing, and what it was asked."""

    url: str
    asked: list[str]

    async def ask(self, method: str, path: str, *, timeout_s: float = 3600) -> int:
        async with Outgoing(NetworkSettings()) as outgoing:
            http = ProviderHttp(
                outgoing,
                Tokens(),
                FreeLane(),
                refuses_account=lambda _: False,
                provider="google",
                timeout_s=timeout_s,
            )
            return (await comes(http.send(method, f"{self.url}/{path}", headers={}))).status


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        match request.path:
            case "/moved":
                return web.Response(status=307, headers={"Location": "/elsewhere"})
            case "/silent":
                await asyncio.Event().wait()
            case "/cut":
                assert request.transport is not None
                request.transport.abort()
        return web.Response()

    runner = web.ServerRunner(web.Server(answer, handler_cancellation=True))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Provider(f"http://127.0.0.1:{runner.addresses[0][1]}", asked)
    await runner.cleanup()


async def test_a_token_is_not_taken_elsewhere(provider: Provider) -> None:
    assert await provider.ask("POST", "moved") == 307
    assert provider.asked == ["/moved"]


async def failure(provider: Provider, method: str, path: str, *, timeout_s: float = 3600) -> CalendarError:
    with pytest.raises(CalendarError) as failed:
        await provider.ask(method, path, timeout_s=timeout_s)
    assert failed.value.error_class is ErrorClass.TRANSIENT
    return failed.value


@pytest.mark.parametrize(
    ("method", "unknown"), [("GET", False), ("POST", True), ("PATCH", True), ("DELETE", True)]
)
async def test_what_was_sent_and_not_answered_may_have_been_done(
    provider: Provider, method: str, unknown: bool
) -> None:
    cut = await failure(provider, method, "cut")
    silent = await failure(provider, method, "silent", timeout_s=1)
    assert (cut.unknown, silent.unknown) == (unknown, unknown)


async def test_what_could_not_be_sent_was_not_done(provider: Provider) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        there = provider._replace(url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        assert not (await failure(there, "POST", "")).unknown
