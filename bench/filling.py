"""Fills a record with bookings as the receiver would, without its HTTP."""

import asyncio
from collections.abc import Iterable

from bench.callbacks import booking
from bookings.identity import delivery_id
from bookings.store import Store
from receiver.callback import Callback, read_callback

APP = "hiring"
NO_LIMIT = 10**9


async def accept(store: Store, body: bytes) -> None:
    """Accepts one callback."""
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    await store.accept(
        app=APP,
        event_id=str(callback.event_id),
        delivery=delivery_id(APP, None, body),
        parts=callback.parts,
        link=None,
        window_s=7 * 86_400,
        queue_limit=NO_LIMIT,
        dead_letters_limit=NO_LIMIT,
    )


async def accept_all(store: Store, bodies: Iterable[bytes], *, at_a_time: int = 64) -> None:
    """Accepts many."""
    group: list[bytes] = []
    for body in bodies:
        group.append(body)
        if len(group) == at_a_time:
            await asyncio.gather(*(accept(store, each) for each in group))
            group.clear()
    await asyncio.gather(*(accept(store, each) for each in group))


def bookings(count: int, *, prefix: str = "booking", sequence_id: str | None = None) -> Iterable[bytes]:
    """The documented callback for so many bookings."""
    return (booking(f"{prefix}-{number}", sequence_id=sequence_id) for number in range(count))
