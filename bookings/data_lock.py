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
async def free(data_dir: Path, socket: Path, *, within_s: float) -> AsyncIterator[int]:
    """Gives the file that a server has to `lock`, once no other one has it; it may be just ending.

    Raises `EmbeddedRedisError` where one runs, or does not end in time.
    """
    file = os.open(data_dir / "redis.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + within_s
        while not await _is_free(file, data_dir, socket):
            if time.monotonic() > deadline:
                raise EmbeddedRedisError(
                    f"a redis-server in {data_dir} neither answers nor ends; end it, then try again"
                )
            await asyncio.sleep(_EVERY_S)
        yield file
    finally:
        os.close(file)


def lock(file: int) -> None:
    """Called in the server's process before it becomes redis-server: the lock is its own as long as it lives.

    A lock of this kind outlives exec and is not inherited by fork, so Redis' helpers do not hold it. Raises
    `OSError` where another process has it.
    """
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def _is_free(file: int, data_dir: Path, socket: Path) -> bool:
    if await redis_socket.info(socket) is not None:
        raise EmbeddedRedisError(
            f"an embedded Redis already runs in {data_dir}; stop it or choose another data directory"
        )
    try:
        lock(file)
    except OSError:  # EACCES or EAGAIN
        return False
    fcntl.lockf(file, fcntl.LOCK_UN)
    return True
