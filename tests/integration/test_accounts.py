"""An account's trouble stays its own, and ends for everything at once."""

import asyncio
import time

import pytest

from bookings.accounts import Accounts, Limits
from bookings.record import Write, WriteState
from bookings.store import Store
from tests.integration.calendars import PROVIDERS, World, one_part
from workers.calendars.lane import Lane

both = pytest.mark.parametrize("provider", PROVIDERS)
BUSY = """
local function now() local t = redis.call('TIME'); return t[1] * 1000 + t[2] / 1000 end
local till = now() + ARGV[1]
while now() < till do end
"""
OTHER = {"google": "microsoft", "microsoft": "google"}


async def book(world: World, route: str, *names: str) -> list[bytes]:
    bodies = [one_part(route, event_id=name) for name in names]
    for body in bodies:
        await world.accept(body)
    return bodies


async def writes(world: World, bodies: list[bytes]) -> list[Write]:
    return [await world.write(body) for body in bodies]


@both
async def test_throttling_makes_the_whole_lane_wait_and_no_other(world: World, provider: str) -> None:
    world.fault(provider, "throttle;retry_after=120")
    await book(world, provider, "first")
    await world.work()
    requests = len(world.requests(provider))

    late = await book(world, provider, "second", "third")
    await book(world, OTHER[provider], "elsewhere")
    await world.work()
    assert len(world.requests(provider)) == requests  # nothing more was asked of it
    assert len(world.events(OTHER[provider])) == 1
    for write in await writes(world, late):
        assert (write.state, write.reason, write.attempts) == (WriteState.RETRYING, "account_paused", ())
        assert 118_000 < write.due_at - world.clock() < 123_000

    await world.let_pass(125)
    await world.work()
    assert len(world.events(provider)) == 3


async def test_one_mailbox_throttled_for_minutes_slows_no_other_mailbox(world: World) -> None:
    accounts = Accounts(world.store)
    await accounts.close(
        "microsoft-hr/other@globex.example", least_s=300, most_s=600, state="paused", reason="x"
    )
    await book(world, "microsoft", "mine")
    await world.work()
    assert len(world.events("microsoft")) == 1


async def test_an_account_closed_again_and_again_waits_longer_each_time(store: Store) -> None:
    accounts = Accounts(store)
    waits = []
    for _ in range(5):
        until = await accounts.close("a", least_s=10, most_s=60, state="paused", reason="x")
        waits.append(round((until - time.time() * 1000) / 1000))
        await store.redis.hset(store.keys.account("a"), "until", 0)
    assert waits == [10, 20, 40, 60, 60]


async def test_many_who_hear_of_the_same_trouble_count_once(store: Store) -> None:
    accounts = Accounts(store)
    untils = await asyncio.gather(
        *(accounts.close("a", least_s=10, most_s=600, state="paused", reason="x") for _ in range(20))
    )
    assert max(untils) - min(untils) < 1000


async def test_a_google_user_gets_so_many_requests_a_second(store: Store) -> None:
    accounts, limits = Accounts(store), Limits(a_second=50, burst=5)
    started, made = time.monotonic(), 0
    while made < 25:
        leave = await accounts.admit("g", "g", "x", limits)
        made += leave.go
        await asyncio.sleep(leave.wait_s)
    assert 0.35 < time.monotonic() - started < 1.5  # 5 at once, 20 more at 50 a second


async def test_a_slot_of_a_killed_worker_is_free_again_in_time(store: Store) -> None:
    accounts, limits = Accounts(store), Limits(at_a_time=1)
    assert (await accounts.admit("m", "m/a", "killed", limits)).go
    assert not (await accounts.admit("m", "m/a", "next", limits)).go
    await store.redis.zadd(store.keys.account("m/a", "slots"), {"killed": 0})
    assert (await accounts.admit("m", "m/a", "next", limits)).go
    await accounts.leave("m/a", "next")
    assert (await accounts.admit("m", "m/a", "third", limits)).go


async def test_asking_again_after_a_lost_answer_takes_no_second_slot(store: Store) -> None:
    accounts, limits = Accounts(store), Limits(at_a_time=1)
    assert (await accounts.admit("m", "m/a", "one", limits)).go
    assert (await accounts.admit("m", "m/a", "one", limits)).go
    await accounts.leave("m/a", "one")
    assert (await accounts.admit("m", "m/a", "next", limits)).go


async def test_a_slot_whose_answer_nobody_waited_for_is_given_back(store: Store) -> None:
    lane = Lane(Accounts(store), "m", "m/a", Limits(at_a_time=1), cap_s=60)

    async def ask() -> None:
        async with lane.admitted():
            pytest.fail("nobody waits for this answer")

    await asyncio.gather(store.redis.ping(), store.redis.ping())  # two connections
    busy = asyncio.create_task(store.redis.eval(BUSY, 0, 400))
    await asyncio.sleep(0.1)
    asking = asyncio.create_task(ask())
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.wait({asking, busy})
    assert asking.cancelled()
    async with asyncio.timeout(2), lane.admitted():
        assert await store.redis.zcard(store.keys.account("m/a", "slots")) == 1
