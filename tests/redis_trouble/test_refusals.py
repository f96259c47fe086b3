"""A Redis that answers, and refuses: 503, words on /readyz, and all is well again once it takes writes."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.callbacks import SCHEDULING, SEQUENCING
from tests.conftest import Settle
from tests.redis_trouble.conftest import Rig, numbered, receiver_at
from tests.redis_trouble.server import DURABLE, RedisServer
from tests.waiting import until

UNREADABLE = b"{"
UNAVAILABLE = (503, {"error": "redis_unavailable"})


@pytest.mark.parametrize(
    ("trouble", "cure", "words"),
    [
        (
            "CONFIG SET maxmemory 1",
            "CONFIG SET maxmemory 0",
            "Redis is out of memory",
        ),
        (
            "REPLICAOF 127.0.0.1 1",
            "REPLICAOF NO ONE",
            "Redis is a read-only replica of 127.0.0.1:1; let redis.url name the primary",
        ),
    ],
    ids=["out of memory", "read-only replica"],
)
async def test_a_redis_that_takes_no_writes_is_unavailable_until_it_does(
    rig: Rig, trouble: str, cure: str, words: str
) -> None:
    await rig.post(SCHEDULING)
    await rig.server.ask(*trouble.split())
    for body in (SEQUENCING, UNREADABLE):
        answer = await rig.post(body)
        assert (answer.status, answer.data) == UNAVAILABLE
    [problem] = await rig.health.problems_ready()
    assert problem.startswith(words)
    await rig.server.ask(*cure.split())
    assert (await rig.post(SEQUENCING)).status == 202
    assert (await rig.post(UNREADABLE)).status == 202
    assert await rig.health.problems_ready() == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"])
async def test_an_eviction_policy_that_may_drop_bookings_is_said_at_once(rig: Rig, policy: str) -> None:
    assert await rig.health.problems_ready() == []
    await rig.server.ask("CONFIG", "SET", "maxmemory-policy", policy)
    assert await rig.health.problems_ready() == [
        f"Redis may drop bookings: maxmemory-policy is {policy}; set it to noeviction"
    ]


async def test_connections_leave_a_primary_that_became_a_replica(rig: Rig, folder: Path) -> None:
    await asyncio.gather(*(rig.post(numbered(number)) for number in range(8)))
    async with RedisServer(folder / "promoted", *DURABLE) as promoted:
        await rig.server.ask("REPLICAOF", "127.0.0.1", promoted.port)
        rig.proxy.upstream_port = (
            promoted.port
        )  # the address leads to the new primary; open connections do not
        answers = await asyncio.gather(*(rig.post(numbered(number)) for number in range(8, 16)))
        assert 503 in {answer.status for answer in answers}
        assert (await rig.post(SEQUENCING)).status in {200, 202}
        assert await rig.health.problems_ready() == []


async def test_a_redis_that_is_loading_is_waited_for(rig: Rig) -> None:
    async with Redis(port=rig.server.port) as client:
        pipe = client.pipeline(transaction=False)
        for number in range(40_000):
            pipe.set(f"filler:{number}", "y")
        await pipe.execute()
    await rig.server.kill()
    await rig.server.start("--key-load-delay", "75", loaded=False)
    answer = await rig.post(SEQUENCING)
    assert (answer.status, answer.data) == UNAVAILABLE
    assert await rig.health.problems_ready() == ["Redis is still loading its data; wait"]

    async def is_stored() -> bool:
        return (await rig.post(SEQUENCING)).status != 503

    await until(is_stored)
    assert await rig.health.problems_ready() == []


async def test_a_redis_that_forgot_its_scripts_is_given_them_again(rig: Rig) -> None:
    assert (await rig.post(SCHEDULING)).status == 202
    await rig.server.ask("SCRIPT", "FLUSH")
    assert (await rig.post(SEQUENCING)).status == 202
    await rig.server.ask("SCRIPT", "FLUSH")
    assert (await rig.post(UNREADABLE)).status == 202


async def test_a_redis_that_was_killed_and_started_again_kept_what_was_acknowledged(rig: Rig) -> None:
    first = await rig.post(SEQUENCING)
    await rig.server.kill()
    assert (await rig.post(SCHEDULING)).status == 503
    [problem] = await rig.health.problems_ready()
    assert problem == "Redis does not answer (ConnectionError)"
    await rig.server.start()
    again = await rig.post(SEQUENCING)
    assert (again.status, again.data["revision"]) == (200, first.data["revision"])
    assert (await rig.post(SCHEDULING)).status == 202


async def test_a_redis_that_wants_a_password_is_unavailable(rig: Rig) -> None:
    await rig.server.ask("CONFIG", "SET", "requirepass", "right")
    await rig.disconnect()
    answer = await rig.post(SEQUENCING)
    assert (answer.status, answer.data) == UNAVAILABLE
    [problem] = await rig.health.problems_ready()
    assert problem.startswith("Redis does not answer (Authentication")


async def test_a_missing_replica_is_said_where_one_is_asked_for(rig: Rig) -> None:
    await rig.server.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    assert await rig.health.problems_ready() == [
        "Redis has none of the replicas that its min-replicas-to-write asks for"
    ]


async def test_what_is_no_redis_is_unavailable(settle: Settle, rig: Rig) -> None:
    async with receiver_at(settle, f"redis://127.0.0.1:{rig.receiver.port}") as (other, _store):
        answer = await other.post(SEQUENCING)
    assert (answer.status, answer.data) == UNAVAILABLE
