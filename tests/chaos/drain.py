"""Waits until everything that was acknowledged has come to its end.

Nobody waits five minutes for a route here, nor ten for an event that may only not be seen yet.
"""

import asyncio
import time
from contextlib import suppress

from redis.exceptions import RedisError

from bookings.store import Store
from tests import unrouted, unseen
from tests.chaos.people import People, identity
from tests.chaos.plan import mark
from tests.chaos.verdict import waits_for_a_later_look, where
from tests.chaos.world import World

_STILL_S = 2.0
"""For so long nothing came to its end: time to look, at length, what it is that is left."""


async def drained(world: World, store: Store, people: People, *, within_s: float) -> list[str]:
    """Waits until nothing is to be written any more; gives what is wrong if that takes longer.

    What no success woke has somebody try it again.
    """
    opened = -1
    changed = time.monotonic()
    deadline = changed + within_s
    while time.monotonic() < deadline:
        with suppress(RedisError, OSError):
            before, opened = opened, (await store.counts())["open"]
            if opened == 0:
                return []
            if opened != before:
                changed = time.monotonic()
            elif time.monotonic() - changed > _STILL_S:
                if await _only_later_looks(world, store, people):
                    return []
                await unrouted.let_it_pass(store, await unrouted.waiting(store))
                world.lag(0)  # the minutes that pass for the record pass for the calendars, too
                await unseen.let_it_pass(store)
                await people.try_again(store)
                changed = time.monotonic()
        await asyncio.sleep(0.2)
    return [f"{opened} parts are still open after {within_s:.0f} s without faults"]


async def _only_later_looks(world: World, store: Store, people: People) -> bool:
    """Whether all that is open is to look for events that have not come up until now, either."""
    left = set()
    async for booking in store.bookings():
        for part in booking.parts:
            if part.state != "open":
                continue
            opened = [write for write in part.writes if write.state.is_open]
            if not opened or not all(map(waits_for_a_later_look, opened)):
                return False
            name = mark(booking.event_id, part.part.sequence_text or "")
            left |= {(name, where(write)) for write in opened}
    live = [event for event in world.sandbox.events() if event.live and identity(event) not in people.copies]
    return not any(
        name in event.summary and calendar == (event.provider, event.calendar)
        for name, calendar in left
        for event in live
    )
