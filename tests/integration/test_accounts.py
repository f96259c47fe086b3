"""An account's trouble stays its own, and ends for everything at once."""

import asyncio

import pytest

from bookings.accounts import Accounts, Limits
from bookings.clock import now_ms
from bookings.record import Write, WriteState
from bookings.store import Store
from tests.integration.calendars import PROVIDERS, World, one_part
from tests.waiting import unless_it_hangs, until
from workers.calendars.lane import Lane

both = pytest.mark.parametrize("provider", PROVIDERS)
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
    for wait_s in (100, 200, 400, 600, 600):
        before = now_ms()
        closed_until = await accounts.close("a", least_s=100, most_s=600, state="paused", reason="x")
        assert before <= closed_until - 1000 * wait_s <= now_ms()
        await store.redis.hset(store.keys.account("a"), "until", 0)


async def test_many_who_hear_of_the_same_trouble_count_once(store: Store) -> None:
    accounts = Accounts(store)
    untils = await asyncio.gather(
        *(accounts.close("a", least_s=100, most_s=600, state="paused", reason="x") for _ in range(20))
    )
    assert max(untils) <= now_ms() + 100_000  # and not twice as long


async def test_who_is_asked_to_wait_longer_meanwhile_waits_as_long_and_no_longer_the_next_time(
    store: Store,
) -> None:
    accounts = Accounts(store)
    await accounts.close("a", least_s=100, most_s=6000, state="paused", reason="x")
    before = now_ms()
    longer = await accounts.close("a", least_s=1000, most_s=6000, state="paused", reason="x")
    assert before <= longer - 1_000_000 <= now_ms()
    assert await store.redis.hget(store.keys.account("a"), "streak") == b"1"


async def test_an_account_that_is_refused_while_it_is_paused_is_parked(store: Store) -> None:
    accounts = Accounts(store)
    await accounts.close("a", least_s=100, most_s=6000, state="paused", reason="429")
    await accounts.close("a", least_s=10, most_s=6000, state="parked", reason="invalid_grant")
    [closed] = await accounts.closed()
    assert (closed.state, closed.reason) == ("parked", "invalid_grant")


async def test_a_google_user_gets_so_many_requests_a_second(store: Store) -> None:
    accounts, limits = Accounts(store), Limits(a_second=0.01, burst=5)
    bucket = store.keys.account("g", "bucket")

    async def asked(times: int) -> list[bool]:
        return [(await accounts.admit("g", "g", "x", limits)).go for _ in range(times)]

    assert await asked(6) == [True] * 5 + [False]
    assert 0 < (await accounts.admit("g", "g", "x", limits)).wait_s <= 100
    await store.redis.hincrbyfloat(bucket, "at", -200_000)  # two hundred seconds later
    assert await asked(3) == [True] * 2 + [False]
    await store.redis.hincrbyfloat(bucket, "at", -3_600_000)
    assert await asked(6) == [True] * 5 + [False]


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

    async def is_asked() -> bool:
        return int((await store.redis.info("clients"))["blocked_clients"]) == 1

    await store.redis.client_pause(60_000, all=False)  # scripts have to wait
    asking = asyncio.create_task(ask())
    await until(is_asked)
    asking.cancel()
    await store.redis.client_unpause()
    await asyncio.wait({asking})
    assert asking.cancelled()
    async with unless_it_hangs(), lane.admitted():
        assert await store.redis.zcard(store.keys.account("m/a", "slots")) == 1
