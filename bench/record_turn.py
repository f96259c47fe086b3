"""One turn at a record: how long a caller waits for each of the changes and looks that matter."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from bench import filling
from bench.figures import Figures, percentile
from bookings.dead_letters import DeadLetter, Filter
from bookings.identity import booking_id, delivery_id
from bookings.operating import Selection, select
from bookings.queue import part_of
from bookings.record import Write
from bookings.store import Store
from receiver.callback import Callback, read_callback

PAGE = 50
"""What `dead-letters list` shows unless told otherwise."""
_ALONE = 60
_TOGETHER = 32
_GROUPS = 8
_LOOKS = 40
_PAGES = 3
_ROUNDS = 10
_LEASE_S = 60.0
_KEEP_S = 90 * 86_400.0

T = TypeVar("T")
Deliveries = Sequence[Mapping[str, Any]]


class Turn:
    """What is done to one record, which is afterwards as it was before.

    Args:
        store: the record.
        writes: of each part, the writes that a worker leaves behind.
    """

    def __init__(self, store: Store, writes: Mapping[str, Sequence[Write]]) -> None:
        self._store = store
        self._writes = writes
        self._alone, self._groups = _deliveries("alone", _ALONE), _deliveries("group", _TOGETHER * _GROUPS)
        self._took: defaultdict[str, list[float]] = defaultdict(list)
        self._cursor = 0

    async def measure(self, stored: Sequence[str]) -> Figures:
        """Gives medians in ms, and what Redis itself had to do in µs. `stored` are bookings to look at."""
        self._took.clear()
        keys = await self._store.redis.dbsize()
        begun = await self._in_redis_us()
        for each in self._alone:
            await self._timed("accept", self._store.accept(**each))
        accepted = await self._in_redis_us()
        for _ in range(2 * _ALONE):
            await self._timed("take, claim and settle", self._settle())
        settled = await self._in_redis_us()
        await self._look(stored or _ids(self._alone))
        await self._accept_together()
        await self._forget()
        if await self._store.redis.dbsize() != keys:
            raise RuntimeError(f"{keys} keys before, {await self._store.redis.dbsize()} after")
        return {
            **{f"{name} ms": percentile(took, 0.5) for name, took in self._took.items()},
            "accept, in Redis µs": (accepted - begun) / _ALONE,
            "take, claim and settle, in Redis µs": (settled - accepted) / (2 * _ALONE),
        }

    async def page(self) -> list[DeadLetter]:
        """The first page of `dead-letters list`."""
        return [each async for each in select(self._store, Selection((), Filter(), limit=PAGE), {})]

    async def _settle(self) -> None:
        store = self._store
        [job] = await self._timed("take", store.take(store.keys.queue, limit=1))
        bid, pid = part_of(job)
        claim = await self._timed("claim", store.claim(bid, pid, holder="bench", lease_s=_LEASE_S, job=job))
        assert claim is not None
        ends_at = claim.revision
        again = await self._timed(
            "settle",
            store.settle(
                claim,
                self._writes[pid],
                ends_at=ends_at,
                lease_s=_LEASE_S,
                keep_s=_KEEP_S,
                keep_at_least_s=_LEASE_S,
            ),
        )
        assert again is None

    async def _look(self, stored: Sequence[str]) -> None:
        for bid in random.choices(stored, k=_LOOKS):  # noqa: S311 - it only spreads
            assert await self._timed("show", self._store.booking(bid)) is not None
        for _ in range(_PAGES):
            await self._timed("page of dead letters", self.page())
        for _ in range(_ROUNDS):
            await self._timed("reconcile", self._reconcile())

    async def _reconcile(self) -> None:
        assert await self._store.reconcile() == (0, 0)
        self._cursor = await self._store.prune_index(self._cursor)

    async def _accept_together(self) -> None:
        for first in range(0, len(self._groups), _TOGETHER):
            group = self._groups[first : first + _TOGETHER]
            began = time.perf_counter()
            await asyncio.gather(*(self._store.accept(**each) for each in group))
            self._took["accept, 32 at a time"].append(1000 * (time.perf_counter() - began) / len(group))

    async def _forget(self) -> None:
        """Takes out what came in; nothing else is open or queued."""
        redis, keys = self._store.redis, self._store.keys
        ids = [*_ids(self._alone), *_ids(self._groups)]
        jobs = await redis.zrange(keys.queue, 0, -1)
        assert len(jobs) == 2 * len(self._groups)
        await redis.delete(*(b"arq:job:" + job for job in jobs), *map(keys.booking, ids))
        await redis.delete(keys.queue, keys.open, keys.bell)
        await redis.zrem(keys.index, *ids)

    async def _timed(self, name: str, step: Awaitable[T]) -> T:
        began = time.perf_counter()
        result = await step
        self._took[name].append(1000 * (time.perf_counter() - began))
        return result

    async def _in_redis_us(self) -> float:
        """How long Redis has been running scripts."""
        stats = await self._store.redis.info("commandstats")
        return float(stats["cmdstat_evalsha"]["usec"]) if "cmdstat_evalsha" in stats else 0.0


def _deliveries(prefix: str, count: int) -> Deliveries:
    """What the receiver has found in so many callbacks."""
    return [_delivery(body) for body in filling.bookings(count, prefix=prefix)]


def _delivery(body: bytes) -> Mapping[str, Any]:
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    return {
        "app": filling.APP,
        "event_id": str(callback.event_id),
        "delivery": delivery_id(filling.APP, None, body),
        "parts": callback.parts,
        "link": None,
        "window_s": _LEASE_S,
        "queue_limit": filling.NO_LIMIT,
        "dead_letters_limit": filling.NO_LIMIT,
    }


def _ids(deliveries: Deliveries) -> list[str]:
    return [booking_id(filling.APP, each["event_id"]) for each in deliveries]
