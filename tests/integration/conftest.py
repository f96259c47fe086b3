"""A receiver on a real port."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web

from bookings.accounts import Accounts
from bookings.consents import Consents
from bookings.store import Store
from config.settings import Settings
from network.outgoing import Outgoing
from receiver.public_port import PublicPort
from receiver.server import receiver_runner
from receiver.signature import signature
from sandbox.server import Sandbox
from tests.conftest import FIRST_SECRET, Settle
from tests.integration.calendars import (
    GOOGLE,
    MICROSOFT,
    Clock,
    World,
    calendar_secrets,
    calendar_tables,
)
from tests.waiting import comes
from workers.calendars.directory import Directory
from workers.sync import Sync


class Answer(NamedTuple):
    status: int
    data: dict[str, object]
    headers: dict[str, str]


class Receiver:
    """Speaks to a receiver as Cronofy does, or worse."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self.port = port
        self.session = session
        self.url = f"http://127.0.0.1:{port}"

    async def post(
        self,
        body: bytes,
        *,
        path: str = "/callbacks/hiring",
        headers: dict[str, str] | None = None,
        secret: str = FIRST_SECRET,
    ) -> Answer:
        """Posts a body; signed, unless the headers are given."""
        if headers is None:
            headers = {"Cronofy-HMAC-SHA256": signature(body, secret=secret).decode()}
        async with self.session.post(self.url + path, data=body, headers=headers) as response:
            return Answer(response.status, await response.json(), dict(response.headers))

    async def exchange(self, request: bytes) -> bytes:
        """Sends raw bytes and gives all that comes back until the receiver closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        await writer.drain()
        answer = await comes(reader.read())
        writer.close()
        return answer


@pytest.fixture
def settings(settle: Settle, request: pytest.FixtureRequest) -> Settings:
    """Settings with a small limit, and what the test's mark `settings` lays over them."""
    mark = request.node.get_closest_marker("settings")
    changes = dict(mark.kwargs) if mark else {}
    changes["receiver"] = {"max_body_bytes": 4096, **changes.get("receiver", {})}
    return settle(**changes)


@pytest.fixture
async def receiver(settings: Settings, store: Store) -> AsyncIterator[Receiver]:
    runner = receiver_runner(PublicPort(settings, store), settings)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield Receiver(port, session)
    await runner.cleanup()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        sandbox.state.google.put_calendar(GOOGLE, shared_with={"*": "writer"})
        sandbox.state.microsoft.put_calendar(MICROSOFT, None)
        yield sandbox


@pytest.fixture
async def world(
    settle: Settle, store: Store, sandbox: Sandbox, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    mark = request.node.get_closest_marker("settings")
    changes = mark.kwargs if mark else {}
    settings = settle(secrets=calendar_secrets(sandbox), **{**calendar_tables(sandbox), **changes})
    clock = Clock()
    async with Outgoing(settings.network) as outgoing:
        directory = Directory(settings, outgoing, Accounts(store), Consents(store))
        sync = Sync(store, settings, directory, worker="test", clock=clock)
        yield World(settings, store, sandbox, sync, clock)
        directory.close()
