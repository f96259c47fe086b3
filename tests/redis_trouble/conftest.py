"""A receiver in front of a Redis of its own, with a proxy between them."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis

from admin.health import Health
from bookings.connection import connect
from bookings.store import Store
from receiver.public_port import PublicPort
from receiver.server import receiver_runner
from tests.acceptance.conftest import service
from tests.callbacks import changed
from tests.conftest import Settle
from tests.integration.conftest import Answer, Receiver
from tests.redis_trouble.proxy import Proxy
from tests.redis_trouble.server import DURABLE, RedisServer
from tests.waiting import comes

__all__ = ["service"]


def numbered(number: int) -> bytes:
    """A callback of another booking for each number."""
    return changed(event__event_id=f"booking-{number}")


class Rig(NamedTuple):
    """A receiver (and its health) whose connections to Redis a test can break."""

    receiver: Receiver
    health: Health
    redis: Redis
    server: RedisServer
    proxy: Proxy

    async def post(self, body: bytes) -> Answer:
        """Posts a callback; the answer must come, whatever hangs, and be one that a repeat puts right."""
        answer = await comes(self.receiver.post(body))
        assert answer.status in {200, 202, 503}, answer
        if answer.status == 503:
            assert answer.headers["Retry-After"] == "5"
        return answer

    async def disconnect(self) -> None:
        """Ends the receiver's connections, so that the next command opens one."""
        await self.redis.connection_pool.disconnect()


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sync-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[RedisServer]:
    async with RedisServer(folder / "redis", *DURABLE) as server:
        yield server


@asynccontextmanager
async def receiver_at(
    settle: Settle, url: str, *, connections: int = 64
) -> AsyncIterator[tuple[Receiver, Store]]:
    """A receiver whose Redis is at `url`, connected as the receiver's process is."""
    settings = settle(redis={"url": url})
    redis = connect(settings.redis, connections=connections)
    store = Store(redis, settings.redis.key_prefix)
    runner = receiver_runner(PublicPort(settings, store), settings)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield Receiver(runner.addresses[0][1], session), store
    finally:
        await runner.cleanup()
        await redis.aclose()


@pytest.fixture
async def rig(settle: Settle, server: RedisServer) -> AsyncIterator[Rig]:
    async with Proxy(server.port) as proxy, receiver_at(settle, proxy.url) as (receiver, store):
        yield Rig(receiver, Health(store), store.redis, server, proxy)
