"""Workers live through the same trouble, and write what was open afterwards."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bookings.scripted import script
from tests.acceptance.conftest import Service
from tests.redis_trouble.conftest import numbered
from tests.redis_trouble.proxy import Proxy, Trouble
from tests.redis_trouble.server import RedisServer
from tests.redis_trouble.world import service_at
from tests.waiting import comes, until

TROUBLE_S = 3.0


async def open_bookings(service: Service, count: int) -> None:
    """Has the provider take its time, so that the trouble finds writes under way."""
    service.sandbox.state.faults.add(fault="delay;seconds=0.5", method="POST")
    for number in range(count):
        assert (await service.post(numbered(number)))[0] == 202


@pytest.mark.parametrize(
    ("trouble", "cure"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        ("SCRIPT FLUSH", "SCRIPT FLUSH"),
        ("CLIENT KILL TYPE normal SKIPME yes", "PING"),
    ],
    ids=["out of memory", "read-only replica", "scripts forgotten", "connections cut"],
)
async def test_a_worker_lives_through_refusals(service: Service, trouble: str, cure: str) -> None:
    await service.start("receiver")
    worker = await service.start("worker")
    await open_bookings(service, 5)
    client = service.client()
    await client.execute_command(*trouble.split())
    await asyncio.sleep(TROUBLE_S)
    await client.execute_command(*cure.split())
    await client.aclose()
    await service.written()
    assert len(service.events()) == 10
    assert worker.returncode is None


async def test_a_worker_lives_through_a_redis_that_hangs(service: Service) -> None:
    receiver = await service.start("receiver")
    worker = await service.start("worker")
    await open_bookings(service, 5)
    assert service.redis.process is not None
    os.kill(service.redis.process.pid, signal.SIGSTOP)
    status, _answer, retry_after = await comes(service.post(numbered(99)))
    assert (status, retry_after) == (503, "5")
    await asyncio.sleep(TROUBLE_S)
    os.kill(service.redis.process.pid, signal.SIGCONT)
    assert (await service.post(numbered(99)))[0] in {200, 202}
    await service.written()
    assert len(service.events()) == 12
    assert (receiver.returncode, worker.returncode) == (None, None)


async def test_trouble_while_jobs_are_started_costs_a_worker_none_of_its_places(
    server: RedisServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__CONCURRENCY", "1")
    async with Proxy(server.port) as proxy, service_at(proxy.url, folder, monkeypatch) as service:
        await service.start("receiver")
        proxy.arm(Trouble(word=script("take").sha.encode()))
        worker = await service.start("worker")
        assert (await service.post(numbered(1)))[0] == 202
        await until(lambda: "redis_trouble" in service.log("worker"))
        proxy.arm()
        await service.written()
        assert len(service.events()) == 2
        assert worker.returncode is None
