"""A real redis-server on a port of its own, to be troubled: hung, killed, started again, made a replica."""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bookings.embedded import end_with_parent, redis_server
from cli.processes import free_ports
from tests.waiting import until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction")


class RedisServer:
    """One redis-server process; with `--sentinel` among its arguments, one sentinel."""

    def __init__(self, folder: Path, *arguments: str, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.arguments = arguments
        self.port = free_ports(1)[0] if port is None else port
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self, *more: str, loaded: bool = True) -> None:
        """Starts it and waits until it answers; with `loaded=False`, also while it is loading its data."""
        self.process = await asyncio.create_subprocess_exec(
            *(str(redis_server()), *self.arguments, *more, "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self.folder), "--logfile", str(self.folder / "redis.log")),
            preexec_fn=end_with_parent,
        )
        await until(partial(self._answers, self.process, loaded=loaded))

    async def _answers(self, process: asyncio.subprocess.Process, *, loaded: bool) -> bool:
        assert process.returncode is None, (self.folder / "redis.log").read_text()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer.startswith((b"+PONG", b"-NOAUTH")) or (not loaded and answer.startswith(b"-LOADING"))

    async def kill(self) -> None:
        """Ends it as a crash would."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def hang(self) -> None:
        """Lets it keep its connections and take new ones, and answer nothing."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Ends `hang()`."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def ask(self, *command: Any) -> Any:
        """Sends one command over a connection of its own."""
        async with Redis(port=self.port) as client:
            return await client.execute_command(*command)

    async def info(self) -> dict[str, Any]:
        """What INFO says; nothing where it does not answer."""
        try:
            async with Redis(port=self.port, socket_timeout=5) as client:
                found: dict[str, Any] = await client.info()
        except (RedisError, OSError):
            return {}
        return found
