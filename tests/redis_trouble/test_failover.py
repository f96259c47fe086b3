"""Real sentinels promote the replica; receiver and worker follow by themselves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from bookings.connection import connect
from bookings.identity import booking_id
from bookings.store import Store
from tests.conftest import Settle
from tests.redis_trouble.conftest import numbered
from tests.redis_trouble.world import Cluster, ServiceElsewhere, running_cluster, service_at

RECOVERED_WITHIN_S = 10.0
"""From the primary's death to the next 2xx: half a second until sentinels call it dead, their vote, and ours."""


@pytest.fixture
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    async with running_cluster(folder / "cluster") as cluster, asyncio.timeout(60):
        while True:
            states = [await sentinel.ask("SENTINEL", "MASTER", "bookings") for sentinel in cluster.sentinels]
            named = [dict(zip(state[::2], state[1::2], strict=True)) for state in states]
            known = {(state[b"num-slaves"], state[b"num-other-sentinels"]) for state in named}
            link = (await cluster.replica.info())["master_link_status"]
            if known == {(b"1", b"2")} and link == "up":
                break
            await asyncio.sleep(0.05)
        yield cluster


@pytest.fixture
async def service(
    cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ServiceElsewhere]:
    async with service_at(cluster.url, folder, monkeypatch) as service:
        yield service


class Traffic:
    """Posts one booking after the other and remembers what was acknowledged."""

    def __init__(self, service: ServiceElsewhere) -> None:
        self.service = service
        self.acknowledged: dict[int, float] = {}
        self.refused = 0
        self.stopped = False

    async def run(self) -> None:
        number = 0
        while not self.stopped:
            number += 1
            status, _answer, retry_after = await self.service.post(numbered(number))
            assert status in {200, 202, 503}
            if status == 503:
                assert retry_after == "5"
                self.refused += 1
            else:
                self.acknowledged[number] = time.monotonic()
            await asyncio.sleep(0.02)


async def test_a_killed_primary_is_survived_by_what_its_replica_has(
    service: ServiceElsewhere, cluster: Cluster
) -> None:
    receiver = await service.start("receiver")
    worker = await service.start("worker")
    traffic = Traffic(service)
    running = asyncio.create_task(traffic.run())
    await asyncio.sleep(1)
    await cluster.primary.kill()
    killed = time.monotonic()
    async with asyncio.timeout(RECOVERED_WITHIN_S):
        while not (traffic.refused and max(traffic.acknowledged.values()) > killed + 0.2):
            await asyncio.sleep(0.02)
    recovered = min(at for at in traffic.acknowledged.values() if at > killed + 0.2) - killed
    await asyncio.sleep(1)
    traffic.stopped = True
    await running
    await service.written(within_s=30)
    client = service.client()
    store = Store(client, "sequence-sync")
    for number in traffic.acknowledged:
        assert await store.booking(booking_id("hiring", f"booking-{number}")) is not None
    await client.aclose()
    assert len(service.events()) >= 2 * len(traffic.acknowledged)
    assert (receiver.returncode, worker.returncode) == (None, None)
    assert recovered < RECOVERED_WITHIN_S
    print(f"recovered after {recovered:.2f} s, {traffic.refused} refused")  # noqa: T201 - shown by -s


async def test_an_orderly_failover_is_followed(service: ServiceElsewhere, cluster: Cluster) -> None:
    receiver = await service.start("receiver")
    worker = await service.start("worker")
    assert (await service.post(numbered(1)))[0] == 202
    await service.written()
    await cluster.sentinels[0].ask("SENTINEL", "FAILOVER", "bookings")
    async with asyncio.timeout(RECOVERED_WITHIN_S):
        while (await cluster.replica.info()).get("role") != "master":
            await asyncio.sleep(0.02)
        while (await service.post(numbered(2)))[0] == 503:
            await asyncio.sleep(0.05)
    await service.written(within_s=30)
    assert len(service.events()) == 4
    assert (receiver.returncode, worker.returncode) == (None, None)


async def test_sentinels_that_hang_delay_no_answer_for_long(
    service: ServiceElsewhere, cluster: Cluster
) -> None:
    await service.start("receiver")
    for sentinel in cluster.sentinels[:2]:
        sentinel.hang()
    began = time.monotonic()
    assert (await service.post(numbered(1)))[0] == 202
    assert time.monotonic() - began < 2.5
    for sentinel in cluster.sentinels[:2]:
        sentinel.resume()


async def test_sentinels_that_ask_for_a_password_are_given_it(folder: Path, settle: Settle) -> None:
    async with running_cluster(folder / "locked", of_sentinels="requirepass planted\n") as cluster:
        redis = {"url": cluster.url, "sentinel_password": "env:SENTINEL"}
        async with aclosing(connect(settle(secrets={"SENTINEL": "planted"}, redis=redis).redis)) as client:
            assert (await client.info("replication"))["role"] == "master"
        async with aclosing(connect(settle(redis={"url": cluster.url}).redis)) as client:
            with pytest.raises(RedisError):
                await client.ping()
