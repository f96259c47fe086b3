"""Real sentinels promote the replica; receiver and worker follow by themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from bookings.connection import connect
from bookings.identity import booking_id
from bookings.store import Store
from tests.conftest import Settle
from tests.redis_trouble.conftest import numbered
from tests.redis_trouble.server import RedisServer
from tests.redis_trouble.world import Cluster, ServiceElsewhere, running_cluster, service_at
from tests.waiting import until


@pytest.fixture
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    async with running_cluster(folder / "cluster") as cluster:
        await until(partial(knows_itself, cluster))
        yield cluster


async def knows_itself(cluster: Cluster) -> bool:
    """Whether every sentinel knows the others and the replica, which follows."""
    states = [await sentinel.ask("SENTINEL", "MASTER", "bookings") for sentinel in cluster.sentinels]
    named = [dict(zip(state[::2], state[1::2], strict=True)) for state in states]
    known = {(state[b"num-slaves"], state[b"num-other-sentinels"]) for state in named}
    return known == {(b"1", b"2")} and (await cluster.replica.info())["master_link_status"] == "up"


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
        self.acknowledged: set[int] = set()
        self.refused = 0
        self.between = asyncio.Lock()
        """Held while a callback is under way."""
        self.stopped = False

    async def run(self) -> None:
        number = 0
        while not self.stopped:
            number += 1
            async with self.between:
                status, _answer, retry_after = await self.service.post(numbered(number))
            assert status in {200, 202, 503}
            if status == 503:
                assert retry_after == "5"
                self.refused += 1
            else:
                self.acknowledged.add(number)
            await asyncio.sleep(0.02)

    async def goes_on(self) -> None:
        """Waits until more is acknowledged."""
        wanted = len(self.acknowledged) + 20
        await until(lambda: len(self.acknowledged) >= wanted)


async def test_a_killed_primary_is_survived_by_what_its_replica_has(
    service: ServiceElsewhere, cluster: Cluster
) -> None:
    receiver = await service.start("receiver")
    worker = await service.start("worker")
    traffic = Traffic(service)
    running = asyncio.create_task(traffic.run())
    await traffic.goes_on()
    async with traffic.between:
        await until(partial(has_all, cluster.replica, traffic))
        await cluster.primary.kill()
    await until(lambda: traffic.refused)
    await traffic.goes_on()
    traffic.stopped = True
    await running
    await service.written()
    client = service.client()
    store = Store(client, "sequence-sync")
    for number in traffic.acknowledged:
        assert await store.booking(booking_id("hiring", f"booking-{number}")) is not None
    await client.aclose()
    assert len(service.events()) >= 2 * len(traffic.acknowledged)
    assert (receiver.returncode, worker.returncode) == (None, None)


async def has_all(replica: RedisServer, traffic: Traffic) -> bool:
    """Whether the replica has what was acknowledged: what it has not is lost with its primary."""
    return int(await replica.ask("ZCARD", "sequence-sync:bookings")) >= len(traffic.acknowledged)


async def test_an_orderly_failover_is_followed(service: ServiceElsewhere, cluster: Cluster) -> None:
    receiver = await service.start("receiver")
    worker = await service.start("worker")
    assert (await service.post(numbered(1)))[0] == 202
    await service.written()
    await cluster.sentinels[0].ask("SENTINEL", "FAILOVER", "bookings")

    async def is_promoted() -> bool:
        return (await cluster.replica.info()).get("role") == "master"

    async def is_stored() -> bool:
        return (await service.post(numbered(2)))[0] != 503

    await until(is_promoted)
    await until(is_stored)
    await service.written()
    assert len(service.events()) == 4
    assert (receiver.returncode, worker.returncode) == (None, None)


async def test_sentinels_that_hang_cost_no_callback(service: ServiceElsewhere, cluster: Cluster) -> None:
    await service.start("receiver")
    for sentinel in cluster.sentinels[:2]:
        sentinel.hang()
    assert (await service.post(numbered(1)))[0] == 202
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
