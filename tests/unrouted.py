"""Parts that wait for a route, and the five minutes that they do."""

from msgspec.structs import replace

from bookings.record import UNROUTED, StoredPart
from bookings.store import Store

Waiting = list[tuple[str, StoredPart]]
"""Parts, each after the id of its booking."""


async def waiting(store: Store) -> Waiting:
    """Those that wait for a route."""
    return [
        (booking.id, part)
        async for booking in store.bookings()
        for part in booking.parts
        if any(write.id == UNROUTED and write.state.is_open for write in part.writes)
    ]


async def let_it_pass(store: Store, parts: Waiting) -> None:
    """As if they had waited for as long as they do: the next look is the last, and is now."""
    for bid, part in parts:
        aged = [
            replace(write, due_at=0, failing_since=1) if write.id == UNROUTED else write
            for write in part.writes
        ]
        await store.redis.hset(store.keys.booking(bid), f"writes:{part.id}", store.stored.writes(aged))
        await store.ask(bid, part.id, "look")
