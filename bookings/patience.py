"""Waiting for Redis: no longer than said, or to the end."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def in_time(work: Coroutine[Any, Any, T], *, within_s: float) -> T:
    """Gives what `work` gives. Raises `TimeoutError` where it is not done in time; it may still have effects.

    Then, and when we are cancelled, it is cancelled too, but not waited for. Python 3.11's `wait_for`, which
    redis-py uses, may swallow the cancellation (python/cpython#86296, mended in 3.12), and an
    `asyncio.timeout` around it waits on.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait((task,), timeout=within_s)
    except asyncio.CancelledError:
        _give_up(task)
        raise
    if task.cancelled():  # by itself: to who waits that is no end of their own, but work that came to nothing
        raise TimeoutError
    if task.done():
        return task.result()
    _give_up(task)
    raise TimeoutError


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Gives what `work` gives. When we are cancelled, we are so only after it has come to its end."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        task.result()
        raise


def _give_up(task: asyncio.Task[Any]) -> None:
    task.add_done_callback(lambda late: late.cancelled() or late.exception())  # or asyncio warns of it
    task.cancel()
