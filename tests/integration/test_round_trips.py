"""Callers share round trips to Redis, and each has an answer, or an error, of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from bookings.round_trips import RoundTrips


@pytest.fixture
async def trips(redis: Redis) -> AsyncIterator[RoundTrips]:
    await redis.config_resetstat()
    yield RoundTrips(redis)
    await redis.client_unpause()


async def packets(redis: Redis) -> int:
    """How often Redis has read something."""
    return int((await redis.info("stats"))["total_reads_processed"])


async def outcomes(*asked: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*asked, return_exceptions=True)


async def both_ways_busy(trips: RoundTrips) -> list[asyncio.Task[Any]]:
    """Two round trips that take their time."""
    under_way = []
    for number in range(2):
        under_way.append(asyncio.create_task(trips.send("BLPOP", f"nothing {number}", 0.3)))
        await asyncio.sleep(0.02)
    return under_way


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
    under_way = await both_ways_busy(trips)
    before = await packets(redis)
    assert await outcomes(*(trips.send("ECHO", "later") for _ in range(50))) == [b"later"] * 50
    assert await packets(redis) - before <= 6
    assert await outcomes(*under_way) == [None, None]


async def test_where_the_connection_is_lost_nobody_is_told_that_it_went_well(
    redis: Redis, trips: RoundTrips
) -> None:
    waiting = [asyncio.create_task(trips.send("BLPOP", "nothing", 5)) for _ in range(3)]
    await asyncio.sleep(0.05)
    await redis.client_kill_filter(_type="normal", skipme=True)
    assert [type(each) for each in await outcomes(*waiting)] == [RedisConnectionError] * 3
    assert await trips.send("PING") == b"PONG"


async def test_a_caller_that_gives_up_takes_back_what_was_not_sent(redis: Redis, trips: RoundTrips) -> None:
    under_way = await both_ways_busy(trips)
    patient, hasty = (asyncio.create_task(trips.send("INCR", name)) for name in ("patient", "hasty"))
    await asyncio.sleep(0.05)
    hasty.cancel()
    assert await patient == 1
    assert await redis.get("hasty") is None
    await outcomes(hasty, *under_way)


async def test_an_answer_that_does_not_come_by_then_is_waited_for_no_longer(
    redis: Redis, trips: RoundTrips
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        await trips.send("BLPOP", "nothing", 1, by=began + 0.1)
    assert loop.time() - began < 0.5
    assert await trips.send("PING", by=loop.time() + 5) == b"PONG"
