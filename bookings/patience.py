"""Waiting for Redis, and no longer than said."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def in_time(work: Coroutine[Any, Any, T], *, within_s: float) -> T:
    """Gives what `work` gives. Raises `TimeoutError` where it is not done in time; it may still have effects.

    It is cancelled, but not waited for. Python 3.11's `wait_for`, which redis-py uses, may swallow the
    cancellation (python/cpython#86296, mended in 3.12), and an `asyncio.timeout` around it waits on.
    """
    task = asyncio.create_task(work)
    await asyncio.wait((task,), timeout=within_s)
    if task.done():
        return task.result()
    task.add_done_callback(lambda late: late.cancelled() or late.exception())  # or asyncio warns of it
    task.cancel()
    raise TimeoutError
