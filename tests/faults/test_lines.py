"""What waits for an account stands in the line of its lane, goes on at the lane's pace, and in nobody's way."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bookings.accounts import Accounts
from bookings.identity import booking_id
from bookings.store import Store
from tests.integration.calendars import MICROSOFT, World, one_part
from tests.waiting import until
from workers.places import Places
from workers.polling import Bell, poll_until_stopped, polling_worker

pytestmark = pytest.mark.fault(number=36)
MAILBOX = f"microsoft-hr/{MICROSOFT}"


@asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    """A worker at work."""
    concurrency = world.settings.worker.concurrency
    worker = polling_worker(world.store, world.sync, concurrency=concurrency, places=world.sync.places)
    polling = asyncio.create_task(poll_until_stopped(worker, Bell(world.store), poll_delay=0.2))
    try:
        yield
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await worker.end()


async def book(world: World, route: str, *names: str, app: str = "hiring", start: str = "") -> list[str]:
    for name in names:
        more = {"start": start} if start else {}
        await world.accept(one_part(route, event_id=name, **more), app=app)
    return [booking_id(app, name) for name in names]


async def entries(store: Store) -> int:
    """How many places in queues and lines there are."""
    keys = store.keys
    names = await store.redis.keys(f"{keys.queue}:*") + await store.redis.keys(keys.account("*", "waiting"))
    return sum([await store.redis.zcard(name) for name in names])


async def closed(world: World, name: str, *, for_s: float = 600) -> None:
    await Accounts(world.store).close(name, least_s=for_s, most_s=for_s, state="paused", reason="429")


async def in_line(world: World, lane: str, count: int) -> bool:
    standing: int = await world.store.redis.zcard(world.store.keys.account(lane, "waiting"))
    return standing == count


# -- in order, at the lane's pace


async def test_a_busy_mailbox_is_written_in_the_order_of_its_meetings(world: World) -> None:
    world.fault("microsoft", "delay;seconds=0.02", count=None)
    minutes = [37 * number % 60 for number in range(60)]
    for minute in minutes:
        await book(world, "microsoft", f"at-{minute:02}", start=f"2026-04-30T11:{minute:02}:00Z")
    async with working(world):
        await until(lambda: len(world.events("microsoft")) == 60)
    made = [event.starts_at for event in world.events("microsoft")]
    late = [max(0, sorted(made).index(start) - at) for at, start in enumerate(made)]
    assert sorted(late[20:])[len(late[20:]) // 2] <= 6  # the first are those that came first
    assert world.sandbox.state.journal.concurrency_violations == 0


async def test_what_waits_has_one_place_in_line_however_often_its_account_is_closed(world: World) -> None:
    await closed(world, MAILBOX)
    await book(world, "microsoft", *(f"waits-{number}" for number in range(40)))
    async with working(world):
        await until(lambda: in_line(world, MAILBOX, 40))
        for _ in range(5):
            await Accounts(world.store).reopen("microsoft-hr", "microsoft-hr/another@globex.example")
            await closed(world, "microsoft-hr/another@globex.example", for_s=0.001)
        await asyncio.sleep(0.3)
        assert await entries(world.store) == 40


async def test_a_lane_that_works_again_wakes_no_other_of_its_account(world: World) -> None:
    await closed(world, MAILBOX)
    await book(world, "microsoft", *(f"waits-{number}" for number in range(5)))
    async with working(world):
        await until(lambda: in_line(world, MAILBOX, 5))
    await Accounts(world.store).reopen("microsoft-hr", "microsoft-hr/another@globex.example")
    assert await world.store.take(limit=10) == ([], False)
    await Accounts(world.store).reopen("microsoft-hr", MAILBOX)
    assert len((await world.store.take(limit=10))[0]) == 5


async def test_no_more_go_on_than_can_be_written(world: World) -> None:
    await closed(world, MAILBOX)
    await book(world, "microsoft", *(f"waits-{number}" for number in range(40)))
    async with working(world):
        await until(lambda: in_line(world, MAILBOX, 40))
    await Accounts(world.store).reopen("microsoft-hr", MAILBOX)
    parts, more = await world.store.take(limit=100)
    assert (len(parts), more) == (6, True)  # three requests at a time
    assert await world.store.take(limit=100, held={MAILBOX: 6}) == ([], True)
    assert len((await world.store.take(limit=100, held={MAILBOX: 4}))[0]) == 2


async def test_of_an_account_that_refused_its_credentials_one_goes_first(world: World) -> None:
    await Accounts(world.store).close("microsoft-hr", least_s=0.2, most_s=1, state="parked", reason="x")
    await book(world, "microsoft", *(f"waits-{number}" for number in range(5)))
    async with working(world):
        await until(lambda: len(world.events("microsoft")) == 5)
    assert await Accounts(world.store).closed() == []


async def test_what_waited_for_as_long_as_is_retried_is_looked_at_although_its_lane_is_closed(
    world: World,
) -> None:
    await closed(world, MAILBOX)
    await book(world, "microsoft", "waits")
    await world.work()
    await world.store.redis.delete(world.store.keys.queue_of("hiring"))
    world.clock.advance(25 * 3600)
    [member] = await world.store.redis.zrange(world.store.keys.open, 0, -1)
    bid, pid = member.decode().split(":")
    lines = await world.store.redis.hget(world.store.keys.booking(bid), f"lines:{pid}")
    _, rest = lines.split(b"\n", 1)
    await world.store.redis.hset(world.store.keys.booking(bid), f"lines:{pid}", b"1\n" + rest)
    await world.store.redis.zadd(world.store.keys.open, {member: 0})
    assert await world.store.reconcile() == (1, 1)
    [part], _ = await world.store.take(limit=1)
    await world.sync.part(part.booking, part.part)
    assert len(await world.store.dead_letters(limit=5)) == 1
    assert await entries(world.store) == 0


@pytest.mark.parametrize("lost", ["turns", "lines", "everything of arq's"])
async def test_whatever_is_lost_of_queues_and_lines_is_found_again(world: World, lost: str) -> None:
    store, keys = world.store, world.store.keys
    await closed(world, MAILBOX)
    await book(world, "microsoft", *(f"waits-{number}" for number in range(3)))
    await world.work()
    await Accounts(store).reopen("microsoft-hr", MAILBOX)
    names = {
        "turns": [keys.turns],
        "lines": [keys.account(MAILBOX, "waiting"), keys.lanes],
        "everything of arq's": [
            keys.turns,
            *await store.redis.keys("*queue*"),
            *await store.redis.keys("arq:*"),
        ],
    }
    await store.redis.delete(*names[lost])
    for member in await store.redis.zrange(keys.open, 0, -1):
        await store.redis.zadd(keys.open, {member: 0})
    await store.reconcile()
    async with working(world):
        await until(lambda: len(world.events("microsoft")) == 3)


async def test_what_is_tried_before_its_time_by_a_worker_that_is_killed_is_tried_again(world: World) -> None:
    store, keys = world.store, world.store.keys
    world.fault("microsoft", "error;status=503")
    [bid] = await book(world, "microsoft", "fails")
    await world.work()
    await store.take(limit=1)
    [(member, _)] = await store.redis.zrange(keys.open, 0, -1, withscores=True)
    pid = member.decode().partition(":")[2]
    await store.ask(bid, pid, "resync")
    [part] = (await store.take(limit=1))[0]
    assert await store.claim(part.booking, part.part, holder="killed", lease_s=0.001)
    await asyncio.sleep(0.01)
    assert await store.reconcile() == (1, 1)
    await world.work()
    assert len(world.events("microsoft")) == 1
    assert await entries(store) <= 1


# -- fair


async def test_a_flood_of_one_app_lets_another_one_pass(world: World) -> None:
    for number in range(200):
        await book(world, "google", f"flood-{number}")
    await book(world, "google", "other", app="staffing")
    first, more = await world.store.take(limit=10)
    assert more
    assert booking_id("staffing", "other") in [part.booking for part in first]


async def test_lanes_and_apps_take_turns(world: World) -> None:
    await closed(world, MAILBOX)
    waiting = await book(world, "microsoft", *(f"waits-{number}" for number in range(8)))
    await world.work()
    await world.store.redis.delete(world.store.keys.queue_of("hiring"))
    new = await book(world, "google", *(f"new-{number}" for number in range(8)))
    await Accounts(world.store).reopen("microsoft-hr", MAILBOX)
    parts, _ = await world.store.take(limit=4)
    assert sorted(part.booking in waiting for part in parts) == [False, False, True, True]
    assert {part.booking for part in parts} <= {*waiting, *new}


@pytest.mark.settings(worker={"concurrency": 16})
async def test_a_mailbox_whose_provider_hangs_leaves_places_for_others(world: World) -> None:
    world.fault("google", "hold", count=None)
    await book(world, "google", *(f"hangs-{number}" for number in range(60)))
    async with working(world):
        await until(lambda: world.sandbox.state.faults.held)
        await book(world, "microsoft", "healthy")
        await until(lambda: len(world.events("microsoft")) == 1)
        world.sandbox.state.faults.release()


def test_the_places_of_lanes_in_trouble_leave_as_many_free() -> None:
    places = Places(30)
    for lane, number in itertools.product("ab", range(30)):
        place = (lane, str(number))
        if places.room > 0:
            places.take(place, "")
            if places.enter(place, lane, 50):
                places.begun(place)
            else:
                places.give_back(place)
    assert places.crowded == {"a": 15, "b": 7}


# -- clocks


@pytest.mark.parametrize("ahead_s", [-300, 300])
async def test_a_worker_whose_clock_is_wrong_neither_spins_nor_comes_late(world: World, ahead_s: int) -> None:
    world.clock.advance(ahead_s)
    world.fault("google", "error;status=503", count=30)
    bids = await book(world, "google", *(f"fails-{number}" for number in range(10)))
    before = (await world.store.redis.info("stats"))["total_commands_processed"]
    async with working(world):
        await until(lambda: len(world.events("google")) == 10)
    used = (await world.store.redis.info("stats"))["total_commands_processed"] - before
    assert used < 20_000
    states = {(await world.store.booking(bid)).state for bid in bids}  # type: ignore[union-attr]
    assert states == {"done"}


async def test_what_comes_in_after_a_flood_of_its_own_app_does_not_wait_for_it(world: World) -> None:
    for number in range(100):
        await book(world, "google", f"flood-{number}")
    await book(world, "google", "late")
    parts, more = await world.store.take(limit=10)
    assert more
    assert len({part.booking for part in parts}) == 10
    assert {booking_id("hiring", "flood-0"), booking_id("hiring", "late")} <= {part.booking for part in parts}
    left = 101 - 10
    while parts := (await world.store.take(limit=10))[0]:
        left -= len(parts)
    assert left == 0
