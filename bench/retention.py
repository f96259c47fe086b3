"""What is left of a great many bookings once they are over."""

import asyncio
from collections.abc import Iterator

from bench.troubles import accept
from bench.world import World
from bookings.record import Write, WriteState
from bookings.store import Store

KEPT = 50_000
_WITHIN_S = 120.0


async def retention(here: World) -> dict[str, list[float]]:
    """What is left of a great many bookings once they are over; the memory, against that of a first batch."""
    await here.empty()
    store = here.store()
    used = []
    for batch in range(2):
        numbers = iter(range(KEPT // 2))
        await asyncio.gather(*(_live(store, f"kept-{batch}", numbers) for _ in range(16)))
        async with asyncio.timeout(_WITHIN_S):
            while await store.redis.zcard(store.keys.index):
                cursor = await store.prune_index(0, count=1000)
                while cursor:
                    cursor = await store.prune_index(cursor, count=1000)
                await asyncio.sleep(0.5)
        used.append((await store.redis.info("memory"))["used_memory"])
    await store.redis.delete(store.keys.bell)
    keys = await store.redis.dbsize()
    await store.redis.aclose()
    return {"keys": [float(keys)], "memory": [used[1] / used[0]]}


async def _live(store: Store, mark: str, numbers: Iterator[int]) -> None:
    """Has bookings accepted, taken and written, one after the other."""
    for number in numbers:
        await accept(store, f"{mark}-{number}", "123")
        for part in (await store.take(limit=8))[0]:
            claim = await store.claim(part.booking, part.part, holder=f"{mark}-{number}", lease_s=60)
            if claim is not None:
                write = Write(id="w", calendar="c", address=None, state=WriteState.WRITTEN)
                await store.settle(claim, [write], ends_at=0, lease_s=60, keep_s=0, keep_at_least_s=1)
