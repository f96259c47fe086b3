"""What replication can lose, and the setting that bounds it."""

import itertools
from functools import partial
from pathlib import Path

from bookings.store import Store
from tests.conftest import Settle
from tests.redis_trouble.conftest import numbered, receiver_at
from tests.redis_trouble.proxy import Proxy, Trouble
from tests.redis_trouble.server import DURABLE, RedisServer
from tests.waiting import until

CAREFUL = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", "3")


async def test_what_a_cut_off_replica_has_not_is_lost_with_its_primary_for_as_long_as_the_lag_that_is_allowed(
    settle: Settle, folder: Path
) -> None:
    async with (
        RedisServer(folder / "primary", *DURABLE, *CAREFUL) as primary,
        Proxy(primary.port) as line,
        RedisServer(folder / "replica", *DURABLE, "--replicaof", "127.0.0.1", str(line.port)) as replica,
        receiver_at(settle, primary.url) as (receiver, _store),
    ):

        async def is_stored() -> bool:
            return (await receiver.post(numbered(1))).status != 503

        await until(is_stored)  # the replica follows
        await until(partial(replica.ask, "ZCARD", "sequence-sync:bookings"))
        line.arm(Trouble(replies=0, swallow=True))
        assert (await receiver.post(numbered(2))).status == 202
        numbers = itertools.count(3)

        async def is_refused() -> bool:
            return (await receiver.post(numbered(next(numbers)))).status == 503

        await until(is_refused)
        number = next(numbers)
        assert (await receiver.post(numbered(number))).status == 503
        await primary.kill()
        await replica.ask("REPLICAOF", "NO", "ONE")
        await replica.ask("CONFIG", "SET", "min-replicas-to-write", "0")
        async with receiver_at(settle, replica.url) as (promoted, store):
            assert (await promoted.post(numbered(1))).status == 200
            assert await count(store) == 1  # the second was acknowledged, and is gone
            assert (await promoted.post(numbered(number))).status == 202


async def count(store: Store) -> int:
    return len([booking async for booking in store.bookings()])
