"""Tests wait for what they mean: a state, an answer, the end of a process. The one limit only ends what hangs."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

HANGS_AFTER_S = 60.0
"""Nothing that tests wait for takes so long, however busy the machine is."""


def unless_it_hangs() -> asyncio.Timeout:
    """Ends what stands in this context, should it hang. Raises `TimeoutError`."""
    return asyncio.timeout(HANGS_AFTER_S)


async def comes(awaited: Awaitable[T]) -> T:
    """Gives what is waited for. Raises `TimeoutError` should it hang."""
    async with unless_it_hangs():
        return await awaited


async def until(condition: Callable[[], object]) -> None:
    """Waits until a condition holds; one that has to ask for it gives an awaitable."""
    async with unless_it_hangs():
        while not await _holds(condition):
            await asyncio.sleep(0.01)


async def _holds(condition: Callable[[], object]) -> object:
    found = condition()
    return await found if inspect.isawaitable(found) else found
