"""What chaos runs found, made small."""

import asyncio
from collections.abc import Sequence

import msgspec

from bookings import part_writes, state
from bookings.clock import now_ms
from bookings.identity import booking_id, part_id, write_id
from bookings.leases import Claim
from bookings.record import Part, Write
from bookings.store import Store
from config.settings import CalendarAddress

ADDRESS = CalendarAddress("google", "", "interviews@globex.example")
TARGET = part_writes.Target(write_id(ADDRESS), "interviews", ADDRESS)


async def test_an_unrouted_part_leaves_the_dead_letters_although_the_worker_that_routed_it_was_killed(
    store: Store,
) -> None:
    await accept(store, "first delivery")
    unrouted = await claim(store)
    waits = part_writes.revised((), [], revision=unrouted.revision, now=1)
    await settle(store, unrouted, part_writes.revised(waits, [], revision=unrouted.revision, now=now_ms()))
    assert len(await store.dead_letters(limit=10)) == 1
    await accept(store, "second delivery")
    killed = await claim(store, lease_s=0.01)
    routed = part_writes.revised(killed.writes, [TARGET], revision=killed.revision, now=now_ms())
    await store.journal(killed, routed, lease_s=0.01)
    await asyncio.sleep(0.02)
    [write] = (successor := await claim(store)).writes
    await settle(store, successor, [written(write, successor.revision)])
    assert await store.dead_letters(limit=10) == []


async def accept(store: Store, delivery: str) -> None:
    part = Part(sequence_id="1", event=msgspec.Raw(b"{}"))
    await store.accept(
        app="hiring",
        event_id="found",
        delivery=delivery,
        parts=[part],
        link=None,
        window_s=60,
        queue_limit=10,
        dead_letters_limit=10,
    )


async def claim(store: Store, *, lease_s: float = 5) -> Claim:
    bid = booking_id("hiring", "found")
    claimed = await store.claim(bid, part_id("1"), holder=f"{now_ms()}", lease_s=lease_s)
    assert claimed is not None
    return claimed


async def settle(store: Store, claimed: Claim, writes: Sequence[Write]) -> None:
    await store.settle(claimed, writes, ends_at=now_ms(), lease_s=5, keep_s=60, keep_at_least_s=60)


def written(write: Write, revision: int) -> Write:
    return state.written(
        write,
        revision=revision,
        generation=0,
        event_id="event",
        etag="",
        uid="",
        digest="",
        online=False,
        url="",
        degraded=(),
        now=now_ms(),
    )
