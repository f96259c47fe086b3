"""A booking that is confirmed and moved, by many at once and in any order.

2: a second event on confirmation or reschedule, or one in the default calendar, too. cal.diy issues 7703, 8444,
7329, 5588, 10431, 13548, 7735.
3: the reschedule does not reach the calendar. cal.diy issues 14558, 7728, 8377, 2434, 2988.
"""

import asyncio

import pytest

from bookings.store import Store
from tests.callbacks import SEQUENCING, moved
from tests.integration.calendars import MICROSOFT, PROVIDERS, World, one_part, utc

both = pytest.mark.parametrize("provider", PROVIDERS)


# -- 2


@both
@pytest.mark.fault(number=2)
async def test_a_burst_of_revisions_taken_up_by_many_workers_is_one_event(
    world: World, fleet: list[World], provider: str
) -> None:
    world.fault(provider, "delay;seconds=0.05", count=None)
    at_work = []
    for minute in range(0, 60, 10):
        await world.accept(one_part(provider, start=f"2026-04-30T11:{minute:02}:00Z"))
        at_work += [asyncio.create_task(worker.work()) for worker in fleet]
        await asyncio.sleep(0)
    await asyncio.gather(*at_work)
    await world.work_until_done()
    assert [event.starts_at for event in world.events()] == [utc(11, 50)]
    assert world.requests(provider).count("POST") == 1


@pytest.mark.fault(number=2)
async def test_a_burst_of_revisions_that_nobody_had_taken_up_yet_is_one_write(world: World) -> None:
    for hours in range(4):
        await world.accept(moved(hours))
    await world.work()
    assert world.requests("google") == ["POST"]
    assert world.event("google").starts_at == utc(14)


@both
@pytest.mark.fault(number=2)
@pytest.mark.settings(
    calendars=[
        {"name": "interviews", "account": "google-hr", "calendar_id": "team@globex.example"},
        {"name": "panel", "account": "microsoft-hr", "mailbox": MICROSOFT, "calendar_id": "bookings"},
    ]
)
async def test_only_the_calendar_of_the_route_gets_the_event(world: World, provider: str) -> None:
    google, microsoft = world.sandbox.state.google, world.sandbox.state.microsoft
    google.put_calendar("team@globex.example", shared_with={"*": "writer"})
    microsoft.put_calendar(MICROSOFT, "bookings")
    for start in (11, 13):
        await world.accept(one_part(provider, start=f"2026-04-30T{start}:00:00Z", end="2026-04-30T14:00:00Z"))
        await world.work_until_done()
    named = {"google": "team@globex.example", "microsoft": f"{MICROSOFT}/bookings"}
    assert [(event.calendar, event.starts_at) for event in world.events()] == [(named[provider], utc(13))]


# -- 3


@pytest.mark.fault(number=3)
async def test_a_reschedule_moves_the_same_events(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    before = {event.id for event in world.events()}
    for hours in (2, 4):
        await world.accept(moved(hours))
        await world.work()
        assert {event.id for event in world.events()} == before
        assert world.event("google").starts_at == utc(11 + hours)
        assert world.event("microsoft").starts_at == utc(12 + hours)


@both
@pytest.mark.fault(number=3)
async def test_a_reschedule_that_arrives_while_the_booking_is_written_is_written_too(
    world: World, provider: str
) -> None:
    world.fault(provider, "hold", method="POST")
    await world.accept(one_part(provider))
    under_way = asyncio.create_task(world.work())
    await world.held()
    await world.accept(one_part(provider, start="2026-04-30T14:00:00Z", end="2026-04-30T15:00:00Z"))
    await world.work()  # another worker wakes up, and leaves it to the one that holds the lease
    world.sandbox.state.faults.release()
    await under_way
    await world.work()
    assert [event.starts_at for event in world.events()] == [utc(14)]
    assert (await world.store.counts())["open"] == 0


@both
@pytest.mark.fault(number=3)
async def test_a_reschedule_that_fails_is_tried_until_it_is_written(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    world.fault(provider, "error;status=500", method="PATCH", count=5)
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)


@both
@pytest.mark.fault(number=3)
async def test_a_reschedule_whose_job_was_lost_is_queued_again_and_written(
    world: World, store: Store, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    await store.redis.delete(store.keys.queue_of("hiring"))
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    for lost in [store.keys.queue_of("hiring"), *await store.redis.keys("arq:*")]:
        await store.redis.delete(lost)
    await _overdue(store)
    await store.reconcile()
    for job in await store.redis.zrange(store.keys.queue_of("hiring"), 0, -1):
        bid, pid = job.decode().split(":")[-2:]
        await world.sync.part(bid, pid)
    assert world.event(provider).starts_at == utc(11, 30)


async def _overdue(store: Store) -> None:
    """Lets pass the time within which somebody should have looked at every open part."""
    for member in await store.redis.zrange(store.keys.open, 0, -1):
        await store.redis.zadd(store.keys.open, {member: 0})
