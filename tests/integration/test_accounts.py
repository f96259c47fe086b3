"""An account's trouble stays its own, and ends for everything at once."""

import asyncio
import time

import pytest

from bookings.accounts import Accounts, Limits
from bookings.record import Write, WriteState
from bookings.store import Store
from sandbox.server import Sandbox
from tests.integration.calendars import PROVIDERS, World, one_part

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


async def test_a_revoked_consent_parks_the_account_until_it_is_mended(world: World) -> None:
    tokens = world.sandbox.state.microsoft_tokens
    tokens.register("globex", "sync", secret="rotated")
    bodies = await book(world, "microsoft", "one", "two", "three")
    await world.work()
    assert {write.state for write in await writes(world, bodies)} == {WriteState.PARKED}
    assert world.requests("microsoft") == []
    [closed] = await Accounts(world.store).closed()
    assert (closed.name, closed.state, closed.waiting) == ("microsoft-hr", "parked", 3)
    assert "AADSTS7000215" in closed.reason

    await world.let_pass(3600)  # longer and longer, but never dead of waiting
    await world.work()
    assert {write.state for write in await writes(world, bodies)} == {WriteState.PARKED}

    tokens.register("globex", "sync", secret="microsoft-secret")
    await world.work_until_done()
    assert len(world.events("microsoft")) == 3
    assert await Accounts(world.store).closed() == []


async def test_when_the_account_works_again_all_that_waits_is_queued_at_once(world: World) -> None:
    world.sandbox.state.microsoft_tokens.register("globex", "sync", secret="rotated")
    await book(world, "microsoft", "one", "two", "three")
    await world.work()
    world.sandbox.state.microsoft_tokens.register("globex", "sync", secret="microsoft-secret")
    for name in await world.store.redis.smembers(world.store.keys.accounts):
        await world.store.redis.hset(world.store.keys.account(name.decode()), "until", 0)
    [member] = await world.store.redis.zrange(world.store.keys.open, 0, 0)
    await world.store.redis.delete(world.store.keys.queue)
    bid, pid = member.decode().split(":")
    await world.sync.part(bid, pid, "the probe")
    assert len(world.events("microsoft")) == 1
    assert (await world.store.counts())["queue"] == 3  # due now; the probe's own job will find nothing left


async def test_only_one_request_tries_a_parked_account(store: Store) -> None:
    accounts = Accounts(store)
    await accounts.close("a", least_s=0.01, most_s=1, state="parked", reason="x")
    await asyncio.sleep(0.02)
    leaves = [await accounts.admit("a", "a/m", str(number), Limits()) for number in range(5)]
    assert [leave.go for leave in leaves] == [True, False, False, False, False]
    assert leaves[0].told


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


async def test_waiting_never_makes_a_dead_letter(world: World, sandbox: Sandbox) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="rotated")
    bodies = await book(world, "microsoft", "one")
    for _ in range(40):
        await world.work()
        await world.let_pass(7200)
    [write] = await writes(world, bodies)
    assert write.state is WriteState.PARKED
