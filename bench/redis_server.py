"""A redis-server for one benchmark, over TCP as in production, so that every contender speaks to it alike."""

import asyncio
from pathlib import Path
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bookings.embedded import COMPACT, end_with_parent, redis_server
from cli.processes import free_ports


class RedisServer:
    """One redis-server; an async context manager. `appendfsync` as in redis.conf, `no` for no file."""

    def __init__(self, folder: Path, *, appendfsync: str = "always") -> None:
        self._folder = folder
        self._appendfsync = appendfsync
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        [self.port] = free_ports(1)
        self._folder.mkdir(parents=True, exist_ok=True)
        durable = self._appendfsync != "no"
        self._process = await asyncio.create_subprocess_exec(
            *(str(redis_server()), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self._folder), "--save", "", "--maxmemory-policy", "noeviction"),
            *("--hash-max-ziplist-value", COMPACT),
            *("--appendonly", "yes" if durable else "no"),
            *(("--appendfsync", self._appendfsync) if durable else ()),
            stdout=asyncio.subprocess.DEVNULL,
            preexec_fn=end_with_parent,
        )
        async with self.client() as client, asyncio.timeout(10):
            while True:
                try:
                    await client.ping()
                except (RedisConnectionError, OSError):
                    await asyncio.sleep(0.02)
                else:
                    return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    def client(self) -> Redis:
        """A client of it."""
        client: Redis = Redis.from_url(self.url)
        return client

    async def commands(self) -> int:
        """How many commands it has carried out, those inside scripts and transactions counted."""
        async with self.client() as client:
            stats = await client.info("commandstats")
        return sum(int(stat["calls"]) for stat in stats.values())

    async def network_bytes(self) -> int:
        """How many bytes went in and out."""
        async with self.client() as client:
            stats = await client.info("stats")
        return int(stats["total_net_input_bytes"]) + int(stats["total_net_output_bytes"])
