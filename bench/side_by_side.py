"""Two records side by side: what a caller waits for at the one and, right before or after, at the other."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from bench import filling
from bench.figures import Figures, percentile
from bookings.dead_letters import DeadLetter, Filter
from bookings.identity import booking_id, delivery_id
from bookings.operating import Selection, select
from bookings.record import Write
from bookings.store import Store
from receiver.callback import Callback, read_callback

PAGE = 50
"""What `dead-letters list` shows unless told otherwise."""
_ALONE = 100
_TOGETHER = 32
_GROUPS = 12
_LOOKS = 60
_PAGES = 4
_ROUNDS = 12
_LEASE_S = 60.0
_KEEP_S = 90 * 86_400.0

T = TypeVar("T")
Deliveries = Sequence[Mapping[str, Any]]


class Side:
    """One of the records. It is as it was before once all of its deliveries were forgotten.

    Args:
        store: the record.
        writes: of each part, the writes that a worker leaves behind.
    """

    def __init__(self, store: Store, writes: Mapping[str, Sequence[Write]]) -> None:
        self.store = store
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.alone, self.groups = _deliveries("alone", _ALONE), _deliveries("group", _TOGETHER * _GROUPS)
        self._writes = writes
        self._cursor = 0

    async def accept(self, turn: int) -> None:
        """Accepts one callback."""
        await self._timed("accept", self.store.accept(**self.alone[turn]))

    async def accept_together(self, turn: int) -> None:
        """Accepts 32 callbacks; what is noted is the time for each."""
        group = self.groups[turn * _TOGETHER : (turn + 1) * _TOGETHER]
        begun = time.perf_counter()
        await asyncio.gather(*(self.store.accept(**each) for each in group))
        self.took["accept, 32 at a time"].append(1000 * (time.perf_counter() - begun) / _TOGETHER)

    async def work(self, _: int) -> None:
        """Takes one part, claims it and settles it as written."""
        await self._timed("take, claim and settle", self._work())

    async def _work(self) -> None:
        [part], _ = await self._timed("take", self.store.take(limit=1))
        claim = await self._timed(
            "claim", self.store.claim(part.booking, part.part, holder="bench", lease_s=_LEASE_S)
        )
        assert claim is not None
        kept: Any = {"lease_s": _LEASE_S, "keep_s": _KEEP_S, "keep_at_least_s": _LEASE_S}
        settled = self.store.settle(claim, self._writes[part.part], ends_at=claim.revision, **kept)
        assert await self._timed("settle", settled) is None

    async def show(self, bid: str) -> None:
        """Reads a booking."""
        assert await self._timed("show", self.store.booking(bid)) is not None

    async def list_dead(self, _: int) -> None:
        """Reads the first page of dead letters."""
        await self._timed("page of dead letters", self.page())

    async def page(self) -> Sequence[DeadLetter]:
        """The first page of dead letters."""
        return [each async for each in select(self.store, Selection((), Filter(), limit=PAGE), {})]

    async def reconcile(self, _: int) -> None:
        """Goes one round of the reconciler."""
        await self._timed("reconciler's round", self._reconcile())

    async def _reconcile(self) -> None:
        assert await self.store.reconcile() == (0, 0)
        self._cursor = await self.store.prune_index(self._cursor)

    async def forget(self) -> None:
        """Takes out what came in; nothing else is open or queued."""
        redis, keys = self.store.redis, self.store.keys
        ids = [*_ids(self.alone), *_ids(self.groups)]
        jobs = await redis.zrange(keys.queue_of(filling.APP), 0, -1)
        assert len(jobs) == 2 * len(self.groups)
        await redis.delete(*(b"arq:job:" + job for job in jobs), *map(keys.booking, ids))
        await redis.delete(keys.queue_of(filling.APP), keys.turns, keys.open, keys.bell)
        await redis.zrem(keys.index, *ids)

    async def in_redis_ms(self) -> float:
        """How long Redis has been running scripts."""
        stats = await self.store.redis.info("commandstats")
        return float(stats["cmdstat_evalsha"]["usec"]) / 1000 if "cmdstat_evalsha" in stats else 0.0

    async def _timed(self, name: str, step: Awaitable[T]) -> T:
        begun = time.perf_counter()
        result = await step
        self.took[name].append(1000 * (time.perf_counter() - begun))
        return result


async def side_by_side(full: Side, empty: Side, stored: Sequence[str]) -> tuple[Figures, Figures]:
    """Gives the medians of what each operation takes at the one and at the other, in ms.

    What else the machine does slows both alike: at no time does one of them take more than a single step
    alone. `stored` are bookings of the full record to look at; where there are none, those just accepted.
    """
    sides = (full, empty)
    keys = [await side.store.redis.dbsize() for side in sides]
    for side in sides:
        side.took.clear()
    stamps = [[await side.in_redis_ms()] for side in sides]

    async def both(times: int, step: Callable[[Side, int], Awaitable[None]]) -> None:
        for turn in range(times):
            for side in sides if turn % 2 else sides[::-1]:
                await step(side, turn)
        for side, stamp in zip(sides, stamps, strict=True):
            stamp.append(await side.in_redis_ms())

    looks = {side: random.choices(_ids(side.alone), k=_LOOKS) for side in sides}  # noqa: S311
    if stored:
        looks[full] = random.choices(stored, k=_LOOKS)  # noqa: S311
    await both(_ALONE, Side.accept)
    await both(2 * _ALONE, Side.work)
    await both(_LOOKS, lambda side, turn: side.show(looks[side][turn]))
    await both(_PAGES, Side.list_dead)
    await both(_ROUNDS, Side.reconcile)
    await both(_GROUPS, Side.accept_together)
    for side in sides:
        await side.forget()
    if (after := [await side.store.redis.dbsize() for side in sides]) != keys:
        raise RuntimeError(f"{keys} keys before, {after} after")
    ours, theirs = (_figures(side, stamp) for side, stamp in zip(sides, stamps, strict=True))
    return ours, theirs


def _figures(side: Side, stamps: Sequence[float]) -> Figures:
    accepting, working = (after - before for before, after in pairwise(stamps[:3]))
    return {
        **{name: percentile(took, 0.5) for name, took in side.took.items()},
        "accept, in Redis": accepting / _ALONE,
        "take, claim and settle, in Redis": working / (2 * _ALONE),
    }


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


def _ids(deliveries: Deliveries) -> Sequence[str]:
    return [booking_id(filling.APP, each["event_id"]) for each in deliveries]
