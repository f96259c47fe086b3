"""A worker's jobs while Redis is in trouble, and when it is told to stop."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from functools import partial

import pytest
import structlog
from redis.asyncio import Redis

from bookings.accounts import Accounts
from bookings.clock import now_ms
from bookings.connection import connect
from bookings.record import WriteState
from bookings.store import Store
from config.settings import CalendarAddress
from network.outgoing import Outgoing
from tests.conftest import Settle
from tests.integration.calendars import MICROSOFT, World, one_part, utc
from tests.waiting import comes, unless_it_hangs, until
from workers.calendars.directory import Directory
from workers.calendars.port import Calendar
from workers.metrics import Alarm
from workers.polling import Bell, poll_until_stopped, polling_worker
from workers.sync import Sync


async def test_a_part_that_cannot_be_read_is_told_of_and_its_place_is_free_again(world: World) -> None:
    await world.accept(one_part("google"))
    [member] = await world.store.redis.zrange(world.store.keys.open, 0, -1)
    bid, pid = member.decode().split(":")
    await world.store.redis.hset(world.store.keys.booking(bid), f"part:{pid}", "nothing that we wrote")
    worker = polling_worker(world.store, world.sync, concurrency=1)
    with structlog.testing.capture_logs() as lines:
        await worker.poll()
        await until(lambda: worker.places.room)
    [line] = lines
    assert (line["event"], line["booking"], line["part"]) == ("part_not_settled", bid, pid)
    assert isinstance(line["exc_info"], Exception)
    assert (await world.store.counts())["open"] == 1


@pytest.mark.settings(worker={"request_timeout": "100ms"})
async def test_an_attempt_that_takes_too_long_is_given_up_and_made_again(world: World) -> None:
    body = one_part("microsoft")
    await world.accept(body)
    others = {f"another {number}": now_ms() + 3_600_000 for number in range(3)}
    await world.store.redis.zadd(world.store.keys.account(f"microsoft-hr/{MICROSOFT}", "slots"), others)
    await comes(world.work())
    write = await world.write(body)
    assert (write.state, [each.code for each in write.attempts]) == (
        WriteState.RETRYING,
        ["attempt_too_long"],
    )


class Defective(Directory):
    """Knows how to open every calendar but Google's."""

    def calendar_at(self, address: CalendarAddress) -> Calendar:
        if address.provider == "google":
            raise LookupError("a defect")
        return super().calendar_at(address)


async def test_a_defect_in_one_write_is_an_alarm_and_leaves_the_others_alone(world: World) -> None:
    body = one_part("both")
    await world.accept(body)
    async with Outgoing(world.settings.network) as outgoing:
        with closing(Defective(world.settings, outgoing, Accounts(world.store))) as directory:
            sync = Sync(world.store, world.settings, directory, worker="test", clock=world.clock)
            with structlog.testing.capture_logs() as lines:
                await World(world.settings, world.store, world.sandbox, sync, world.clock).work()
    assert len([line for line in lines if line["event"] == Alarm.WRITE_CRASHED]) == 1
    assert len(world.events("microsoft")) == 1
    await world.work_until_done()
    assert len(world.events()) == 2


@asynccontextmanager
async def out_of_memory(redis: Redis) -> AsyncIterator[None]:
    """Redis takes no writes meanwhile."""
    await redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        await redis.config_set("maxmemory", 0)


@pytest.mark.settings(worker={"lease": "1s"})
async def test_a_lease_that_redis_does_not_renew_just_now_is_not_lost(world: World) -> None:
    body = one_part("google")
    world.fault("google", "hold", method="POST")
    await world.accept(body)
    at_work = asyncio.create_task(world.work())
    await world.held()
    async with out_of_memory(world.store.redis):
        with structlog.testing.capture_logs() as lines:
            await until(lambda: [line for line in lines if line["event"] == "lease_not_renewed"])
    world.sandbox.state.faults.release()
    await at_work
    assert (await world.write(body)).state is WriteState.WRITTEN
    assert world.requests("google") == ["POST"]


async def test_a_worker_told_to_stop_while_it_writes_the_outcome_down_leaves_a_newer_revision_to_others(
    world: World,
) -> None:
    world.fault("google", "hold", method="POST")
    await world.accept(one_part("google"))
    [member] = await world.store.redis.zrange(world.store.keys.open, 0, -1)
    bid, pid = member.decode().split(":")
    at_work = asyncio.create_task(world.sync.part(bid, pid))
    await world.held()
    await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    await world.store.redis.client_pause(60_000, all=False)
    world.sandbox.state.faults.release()
    await until(partial(is_blocked, world.store.redis))
    at_work.cancel()
    await asyncio.sleep(0)
    await world.store.redis.client_unpause()
    with pytest.raises(asyncio.CancelledError):
        await at_work
    await world.work()
    assert world.event("google").starts_at == utc(11, 30)


async def is_blocked(redis: Redis) -> bool:
    """Whether a connection waits for Redis."""
    return int((await redis.info("clients"))["blocked_clients"]) == 1


async def test_a_worker_that_is_told_to_stop_leaves_nothing_running(world: World) -> None:
    before = asyncio.all_tasks()
    worker = polling_worker(world.store, world.sync, concurrency=1)
    polling = asyncio.create_task(poll_until_stopped(worker, Bell(world.store), poll_delay=3600))
    await until(partial(is_blocked, world.store.redis))  # by the bell, which another is to hear from now on
    signal.raise_signal(signal.SIGTERM)
    await polling
    await worker.end()
    assert asyncio.all_tasks() == before


async def test_a_worker_whose_redis_is_away_does_not_stand_still(world: World, settle: Settle) -> None:
    async with aclosing(connect(settle(redis={"url": "redis://127.0.0.1:1"}).redis)) as nowhere:
        store = Store(nowhere, "sequence-sync")
        worker = polling_worker(store, world.sync, concurrency=1)
        polling = asyncio.create_task(poll_until_stopped(worker, Bell(store), poll_delay=0.01))
        await until(lambda: worker.last_poll > 0)
        first = worker.last_poll
        await until(lambda: worker.last_poll > first)
        signal.raise_signal(signal.SIGTERM)
        async with unless_it_hangs():
            await polling
