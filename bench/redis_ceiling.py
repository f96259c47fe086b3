"""What one Redis can do at the most, as redis-benchmark finds it, and what it has done between two looks."""

import asyncio
import csv
from collections.abc import Sequence
from typing import NamedTuple, Self

import psutil

from bench import filling
from bench.children import cpu_seconds
from bench.figures import Figures
from bench.filling import APP, NO_LIMIT
from bench.redis_server import RedisServer
from bench.tools import tool
from bookings.identity import part_id
from bookings.keys import Keys
from bookings.scripted import GRACE_MS, PAYLOAD_MS, script
from bookings.stored import Stored
from receiver.callback import Callback, read_callback

_CLIENTS = 50
_TOGETHER = 16
"""Commands on one round trip, about as many as our processes send together when they are busy."""


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
            commands = await client.info("commandstats")
        scripts = int(commands.get("cmdstat_evalsha", {"calls": 0})["calls"])
        spent = cpu_seconds(psutil.Process(redis.pid))
        return cls(await redis.commands(), scripts, await redis.network_bytes(), spent)

    def since(self, before: Self, count: int) -> Figures:
        """What it did since then for each of so many."""
        return {
            "Redis commands": (self.commands - before.commands) / count,
            "scripts": (self.scripts - before.scripts) / count,
            "bytes": (self.bytes - before.bytes) / count,
            "Redis CPU ms": 1000 * (self.cpu_s - before.cpu_s) / count,
        }
