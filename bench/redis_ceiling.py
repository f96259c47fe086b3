"""What one Redis can do at the most, as redis-benchmark finds it, and what it has done between two looks."""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple, Self

import psutil

from bench import filling
from bench.children import cpu_seconds
from bench.figures import Figures
from bench.redis_server import RedisServer
from bench.tools import tool
from bookings.identity import part_id
from bookings.keys import Keys
from bookings.scripted import GRACE_MS, PAYLOAD_MS, script
from bookings.seal import Seal
from bookings.stored import Stored
from config.sections import EncryptionSettings
from receiver.callback import Callback, read_callback

_CLIENTS = 32
_ANY = "__rand_int__"
"""Each time redis-benchmark sends it, twelve other digits."""
_DIFFERENT = 10**9
_WITHIN_S = 60
_PER_SECOND = re.compile(rb'"([\d.]+)"(?:,"[\d.]+"){6}\s*$')
"""The first of seven figures; before them stands the command, with its own quotes."""


class Work(NamedTuple):
    """What a Redis has done since it was started."""

    commands: int
    scripts: int
    bytes: int
    cpu_s: float

    @classmethod
    async def of(cls, redis: RedisServer) -> Self:
        """Looks."""
        async with redis.client() as client:
            stats = await client.info("commandstats")
        scripts = int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])
        spent = cpu_seconds(psutil.Process(redis.pid))
        return cls(await redis.commands(), scripts, await redis.network_bytes(), spent)

    def since(self, before: "Work", count: int) -> Figures:
        """What it did since then for each of so many."""
        return {
            "Redis scripts": (self.scripts - before.scripts) / count,
            "Redis commands": (self.commands - before.commands) / count,
            "Redis bytes": (self.bytes - before.bytes) / count,
            "Redis CPU ms": 1000 * (self.cpu_s - before.cpu_s) / count,
        }


async def ceiling(
    redis: RedisServer, command: Sequence[str | bytes], *, together: int, count: int
) -> Figures:
    """Sends so many of a command, so many `together` on one round trip, as fast as Redis answers."""
    async with redis.client() as client:
        await client.flushall()
    before = await Work.of(redis)
    process = await asyncio.create_subprocess_exec(
        *(tool("redis-benchmark"), "-p", str(redis.port), "--csv", "-c", str(_CLIENTS), "-n", str(count)),
        *("-P", str(together), "-r", str(_DIFFERENT), *command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_WITHIN_S):
            said, problem = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()  # without a Redis it asks forever
    if process.returncode:
        raise RuntimeError(f"redis-benchmark ended with {process.returncode}: {problem.decode()}")
    found = _PER_SECOND.search(said)
    assert found is not None, said
    per_second = float(found[1])
    used = (await Work.of(redis)).since(before, count)
    return {"a second": per_second, **used, "Redis busy %": per_second * used["Redis CPU ms"] / 10}


async def accepting(redis: RedisServer, prefix: str) -> Sequence[str | bytes]:
    """The command that accepts the documented callback, each time for another booking."""
    keys, stored = Keys(prefix), Stored(Seal(EncryptionSettings()))
    of_name = script("accept")
    async with redis.client() as client:
        await client.script_load(of_name.text.decode())
    [body] = filling.bookings(1)
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    parts = [each for part in callback.parts for each in (part_id(part.sequence_text), stored.part(part))]
    limits = (filling.NO_LIMIT, filling.NO_LIMIT, GRACE_MS, PAYLOAD_MS)
    booking = (filling.APP, f"booking-{_ANY}", "", "", "", "", len(callback.parts))
    args = (prefix, _ANY, _ANY, 7 * 86_400_000, *limits, *booking)
    return (
        *("EVALSHA", of_name.sha, "5"),
        *(keys.booking(_ANY), keys.open, keys.queue_of(_ANY), keys.turns, keys.index, keys.dead),
        *map(str, args),
        *parts,
    )
