"""Stored bookings by the million: one that a worker wrote and one that died, copied under other names."""

import asyncio
import statistics
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, NamedTuple

from bench import filling
from bench.filling import APP
from bench.world import World
from bookings.clock import now_ms
from bookings.identity import booking_id
from bookings.record import Write
from bookings.store import Store

_COPY = Path(__file__).with_name("stored.lua")
_AT_ONCE = 1000
_SETTLED_WITHIN_S = 60


class Template(NamedTuple):
    """A booking as a worker left it."""

    name: str
    dump: bytes
    expires_at: int
    dead: str
    """Part and id of its dead write; empty where it has none."""
    writes: Mapping[str, Sequence[Write]]
    """Of each part by its id."""

    def ids(self, numbers: Iterable[int]) -> list[str]:
        """The ids of copies."""
        return [booking_id(APP, self.event_id(number)) for number in numbers]

    def event_id(self, number: int) -> str:
        """The `event_id` of a copy."""
        return f"{self.name}-{number:07}"

    async def copy(self, store: Store, numbers: range) -> None:
        """Makes copies. Raises `redis.RedisError` where there is one of that name."""
        copy = store.redis.register_script(_COPY.read_bytes())
        for first in range(numbers.start, numbers.stop, _AT_ONCE):
            group = range(first, min(first + _AT_ONCE, numbers.stop))
            names = zip(self.ids(group), map(self.event_id, group), strict=True)
            await copy(
                keys=[store.keys.index, store.keys.dead],
                args=[
                    *(store.keys.bookings, self.dump, self.expires_at, self.dead, now_ms()),
                    *(each for pair in names for each in pair),
                ],
            )


async def written_and_dead(here: World) -> tuple[Template, Template]:
    """Has a worker write the documented callback, and once more where the mailbox refuses its part for good.

    Leaves the record empty.
    """
    store = here.store()
    templates = []
    async with aclosing(store.redis), here.worker():
        for name in ("written", "dead"):
            if name == "dead":
                await here.sandbox.post("/faults", {"fault": "error;status=400", "provider": "microsoft"})
            await filling.accept_all(store, filling.bookings(1, prefix=name))
            await settled(store)
            templates.append(await _template(store, name))
    if [bool(template.dead) for template in templates] != [False, True]:
        raise RuntimeError(f"not one written and one dead: {templates}")
    await here.empty()
    return templates[0], templates[1]


async def _template(store: Store, name: str) -> Template:
    bid = booking_id(APP, f"{name}-0")
    key = store.keys.booking(bid)
    dead = [each.partition(":")[2] for each, _ in await store.dead_letters(limit=1)]
    booking = await store.booking(bid)
    assert booking is not None
    writes = {part.id: part.writes for part in booking.parts}
    return Template(name, await store.redis.dump(key), booking.expires_at or 0, "".join(dead), writes)


async def settled(store: Store, *, within_s: float = _SETTLED_WITHIN_S) -> None:
    """Waits until nothing is open. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while await store.redis.zcard(store.keys.open):
            await asyncio.sleep(0.02)


async def memory(redis: Any) -> int:
    """What Redis has in use for its data, in bytes; the buffers of connections left out."""
    found = await redis.info("memory")
    return int(found["used_memory"]) - int(found["mem_clients_normal"])


async def mean_usage(store: Store, bids: Sequence[str]) -> float:
    """MEMORY USAGE of the bookings' hashes, in bytes."""
    usages = [await store.redis.memory_usage(store.keys.booking(bid), samples=0) for bid in bids]
    return float(statistics.mean(usages))
