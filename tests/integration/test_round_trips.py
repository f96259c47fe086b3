"""Callers share round trips to Redis, and each has an answer, or an error, of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from bookings.round_trips import RoundTrips
from tests.waiting import HANGS_AFTER_S, until


@pytest.fixture
async def trips(redis: Redis) -> AsyncIterator[RoundTrips]:
    await redis.config_resetstat()
    yield RoundTrips(redis)
    await redis.client_unpause()


WAYS = ("one way", "the other way")


async def packets(redis: Redis) -> int:
    """How often Redis has read something."""
    return int((await redis.info("stats"))["total_reads_processed"])


async def outcomes(*asked: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*asked, return_exceptions=True)


async def blocked(redis: Redis, count: int) -> None:
    """Waits until so many connections wait for Redis."""

    async def so_many() -> bool:
        return int((await redis.info("clients"))["blocked_clients"]) == count

    await until(so_many)


async def both_ways_busy(redis: Redis, trips: RoundTrips) -> list[asyncio.Task[Any]]:
    """Two round trips that take as long as it takes `go_on`."""
    under_way = []
    for way in WAYS:
        under_way.append(asyncio.create_task(trips.send("BLPOP", way, 4)))
        await blocked(redis, len(under_way))
    return under_way


async def go_on(redis: Redis, under_way: list[asyncio.Task[Any]]) -> None:
    for way in WAYS:
        await redis.execute_command("RPUSH", way, "go on")
    await asyncio.gather(*under_way)


async def test_what_is_asked_at_once_goes_together_and_each_has_its_own_answer(
    redis: Redis, trips: RoundTrips
) -> None:
    before = await packets(redis)
    answers = await outcomes(*(trips.send("ECHO", f"{number}") for number in range(100)))
    assert answers == [b"%d" % number for number in range(100)]
    assert await packets(redis) - before <= 10  # our own question is one of them


async def test_a_round_trip_is_bounded(redis: Redis, trips: RoundTrips) -> None:
    before = await packets(redis)
    answers = await outcomes(*(trips.send("ECHO", "x" * 10) for _ in range(1000)))
    assert answers == [b"x" * 10] * 1000
    assert await packets(redis) - before >= 1000 / 128


async def test_one_that_is_refused_is_refused_alone(trips: RoundTrips) -> None:
    good, refused, after = await outcomes(
        trips.send("SET", "a", 1), trips.send("LPUSH", "a", "no list"), trips.send("GET", "a")
    )
    assert (good, after) == (b"OK", b"1")
    assert isinstance(refused, ResponseError)


async def test_whoever_comes_while_one_is_under_way_goes_with_the_next(
    redis: Redis, trips: RoundTrips
) -> None:
    under_way = await both_ways_busy(redis, trips)
    before = await packets(redis)
    later = asyncio.gather(*(trips.send("ECHO", "later") for _ in range(50)))
    await go_on(redis, under_way)
    assert await later == [b"later"] * 50
    assert await packets(redis) - before <= 8  # two of them to go on, and our own question


async def test_where_the_connection_is_lost_nobody_is_told_that_it_went_well(
    redis: Redis, trips: RoundTrips
) -> None:
    waiting = [asyncio.create_task(trips.send("BLPOP", "nothing", 4)) for _ in range(3)]
    await blocked(redis, 1)  # by the first, and the others wait behind it
    await redis.client_kill_filter(_type="normal", skipme=True)
    assert [type(each) for each in await outcomes(*waiting)] == [RedisConnectionError] * 3
    assert await trips.send("PING") == b"PONG"


async def test_a_caller_that_gives_up_takes_back_what_was_not_sent(redis: Redis, trips: RoundTrips) -> None:
    under_way = await both_ways_busy(redis, trips)
    patient, hasty = (asyncio.create_task(trips.send("INCR", name)) for name in ("patient", "hasty"))
    await asyncio.sleep(0)  # both are asked for
    hasty.cancel()
    await go_on(redis, under_way)
    assert await patient == 1
    assert await redis.get("hasty") is None


async def test_an_answer_that_does_not_come_by_then_is_waited_for_no_longer(
    redis: Redis, trips: RoundTrips
) -> None:
    with pytest.raises(TimeoutError):
        await trips.send("BLPOP", "nothing", 4, by=trips.deadline(0.1))
    await blocked(redis, 1)  # Redis has not answered
    assert await trips.send("PING", by=trips.deadline(HANGS_AFTER_S)) == b"PONG"
