"""How the last day went: once a minute, one process of the fleet writes down how much there is of what.

Every process keeps the history, and whoever is first in a minute takes its sample: it goes on while the
workers are away, which is when somebody wants to see it. Workers add what they have written to one total
every few seconds; what a killed one did in its last seconds is missing from the picture, and only from there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
from redis.exceptions import RedisError

from bookings.clock import now_ms
from bookings.patience import in_time
from bookings.store import Store

MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS
_SAMPLES = 1440
_EVERY_S = 5.0
_WITHIN_S = 2.0


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One minute."""

    at: int
    """Unix milliseconds."""
    written: int
    """What the fleet has written since it began to count: created, updated or removed events."""
    open: int
    dead: int
    ready: int
    oldest_ready_ms: int


_DECODER = msgspec.json.Decoder(Sample)


class History:
    """The history in Redis. Every method may raise `redis.RedisError` or `OSError`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, written: int) -> None:
        """Adds what one process has written to the fleet's total."""
        await self._store.redis.incrby(self._store.keys.written, written)

    async def sample(self, now: int) -> bool:
        """Takes the sample of this minute; False where another process has taken it."""
        store = self._store
        if not await store.elect(f"history:{now // MINUTE_MS}", "", for_s=2 * MINUTE_MS / 1000):
            return False
        counts = await store.counts()
        sample = Sample(
            at=now,
            written=int(await store.redis.get(store.keys.written) or 0),
            open=counts["open"],
            dead=counts["dead"],
            ready=counts["ready"],
            oldest_ready_ms=counts["oldest_ready_ms"],
        )
        async with store.redis.pipeline(transaction=True) as pipe:
            pipe.lpush(store.keys.history, msgspec.json.encode(sample))
            pipe.ltrim(store.keys.history, 0, _SAMPLES - 1)
            await pipe.execute()
        return True

    async def last_day(self, now: int) -> list[Sample]:
        """The samples of the last 24 hours, oldest first."""
        samples = map(_DECODER.decode, await self._store.redis.lrange(self._store.keys.history, 0, -1))
        return sorted((each for each in samples if now - DAY_MS < each.at <= now), key=lambda each: each.at)


@asynccontextmanager
async def history_kept(
    store: Store, *, written: Callable[[], int] | None = None, every_s: float = _EVERY_S
) -> AsyncIterator[None]:
    """Keeps the history as long as it is entered; `written` gives what this process has written so far."""
    stopping = asyncio.Event()
    keeper = asyncio.create_task(_keep(History(store), written or (lambda: 0), stopping, every_s))
    try:
        yield
    finally:
        stopping.set()
        await keeper


async def _keep(
    history: History, written: Callable[[], int], stopping: asyncio.Event, every_s: float
) -> None:
    added, minute = 0, -1
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)
        with suppress(RedisError, OSError):  # the next round makes up for it
            if (total := written()) > added:
                await in_time(history.add(total - added), within_s=_WITHIN_S)
                added = total
            now = now_ms()
            if now // MINUTE_MS != minute and not stopping.is_set():
                await in_time(history.sample(now), within_s=_WITHIN_S)
                minute = now // MINUTE_MS
        if stopping.is_set():
            return
