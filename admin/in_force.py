"""What a process works with by its configuration, and makes anew when that changes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")
Close = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """There is nothing to close."""


class InForce(Generic[T]):
    """What is in force now. Work ends with what it began with, which is closed after the last of it."""

    def __init__(self, made: T, close: Close = _nothing) -> None:
        self._now = _Made(made, close)
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def now(self) -> T:
        """What work that begins now is done with."""
        return self._now.made

    @contextmanager
    def held(self) -> Iterator[T]:
        """Gives what is in force, which stays open until the block is left."""
        held = self._now
        held.holders += 1
        try:
            yield held.made
        finally:
            held.holders -= 1
            self._close_if_over(held)

    def replace(self, made: T, close: Close = _nothing) -> None:
        """Puts another in its place, for all work that begins from now on."""
        former, self._now = self._now, _Made(made, close)
        self._close_if_over(former)

    async def aclose(self) -> None:
        """Closes what is in force, at the end of all work."""
        await asyncio.gather(self._now.close(), *self._closing)

    def _close_if_over(self, each: "_Made[T]") -> None:
        if each is not self._now and not each.holders:
            closing = asyncio.ensure_future(each.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


class _Made(Generic[T]):
    def __init__(self, made: T, close: Close) -> None:
        self.made = made
        self.close = close
        self.holders = 0
