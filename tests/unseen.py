"""Writes whose event a provider does not show, and the minutes for which that is not believed."""

from msgspec.structs import replace

from bookings.record import Write
from bookings.store import Store

_UNSEEN = frozenset({"not_seen_yet", "taken_but_not_seen"})


async def let_it_pass(store: Store) -> None:
    """As if the last thing that was sent of them had been sent long ago: what is not seen now is gone."""
    async for booking in store.bookings():
        for part in booking.parts:
            if any(write.detail in _UNSEEN for write in part.writes):
                aged = store.stored.writes(map(_aged, part.writes))
                await store.redis.hset(store.keys.booking(booking.id), f"writes:{part.id}", aged)
                await store.ask(booking.id, part.id, "look")


def _aged(write: Write) -> Write:
    if write.detail not in _UNSEEN:
        return write
    intent = None if write.intent is None else replace(write.intent, at=1)
    return replace(write, written_at=min(write.written_at, 1), intent=intent, due_at=0)
