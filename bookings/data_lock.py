"""A data directory belongs to one server at a time, until that has ended: two would write into one file."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bookings import redis_socket
from bookings.errors import EmbeddedRedisError

_EVERY_S = 0.05


@asynccontextmanager
async def locked(data_dir: Path, socket: Path, *, within_s: float) -> AsyncIterator[int]:
    """Gives the lock, for a server to inherit: it is then the server's for as long as that lives.

    Waits for a server that is just ending. Raises `EmbeddedRedisError` where one runs, or ends too late.
    """
    lock = os.open(data_dir / "redis.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + within_s
        while not await _taken(lock, data_dir, socket):
            if time.monotonic() > deadline:
                raise EmbeddedRedisError(
                    f"a redis-server in {data_dir} neither answers nor ends; end it, then try again"
                )
            await asyncio.sleep(_EVERY_S)
        yield lock
    finally:
        os.close(lock)


async def _taken(lock: int, data_dir: Path, socket: Path) -> bool:
    if await redis_socket.info(socket) is not None:
        raise EmbeddedRedisError(
            f"an embedded Redis already runs in {data_dir}; stop it or choose another data directory"
        )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
