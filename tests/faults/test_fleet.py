"""Workers of one fleet that are in each other's way.

36: a worker that takes its time is taken for a dead one, and its job is done by two at once, since its lease is not
renewed (boringnode/queue 16, atlassian/github-for-jira 771); those that a rate limit turns away come back all at once,
and are turned away again (sidekiq 2944, sidekiq-rate-limiter 2); a job waits for the next poll although a worker rests
(graphile/worker 433).
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from redis.asyncio import Redis

from bookings.accounts import Accounts, Limits
from bookings.clock import now_ms
from bookings.record import WriteState
from bookings.store import Store
from cli.processes import free_ports
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING
from tests.faults.conftest import Hire
from tests.integration.calendars import World, one_part
from tests.waiting import until
from workers.calendars.lane import Lane
from workers.errors import AccountWaits
from workers.polling import Bell, poll_until_stopped, polling_worker

pytestmark = pytest.mark.fault(number=36)

# -- leases


@pytest.mark.settings(worker={"lease": "3s"})
async def test_a_worker_whose_provider_takes_its_time_is_not_taken_for_a_dead_one(
    world: World, hire: Hire
) -> None:
    body = one_part("google")
    world.fault("google", "hold", method="POST")
    await world.accept(body)
    at_work = asyncio.create_task(world.work())
    await world.held()
    await lease_is_over(world)
    await until(partial(is_leased, world))
    await (await hire()).work()
    world.sandbox.state.faults.release()
    await at_work
    assert world.requests("google") == ["POST"]
    assert (await world.write(body)).state is WriteState.WRITTEN


async def lease_of_the_part(world: World) -> tuple[str, str, list[bytes]]:
    """The booking's hash, the field of the part's lease, and the lease."""
    [member] = await world.store.redis.zrange(world.store.keys.open, 0, -1)
    bid, _, pid = member.decode().partition(":")
    booking, field = world.store.keys.booking(bid), f"lease:{pid}"
    lease = await world.store.redis.hget(booking, field)
    assert lease, "the provider is not waited for any longer"
    return booking, field, lease.split(b" ")


async def lease_is_over(world: World) -> None:
    """As if nothing had been heard of its holder for as long as it lasts."""
    booking, field, (fence, _, holder) = await lease_of_the_part(world)
    await world.store.redis.hset(booking, field, b"%b 1 %b" % (fence, holder))


async def is_leased(world: World) -> bool:
    _, _, (_, till, _) = await lease_of_the_part(world)
    return int(till) > now_ms()


# -- turns


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def lane(store: Store, seconds: Seconds) -> Lane:
    """One that takes a request at a time."""
    return Lane(Accounts(store), "m", "m/a", Limits(at_a_time=1), cap_s=60, seconds=seconds)


async def ask(lane: Lane, meanwhile: Callable[[], Awaitable[object]]) -> AccountWaits | None:
    """Makes a request that takes as long as something else; gives what it was told instead, if anything."""
    try:
        async with lane.admitted():
            await meanwhile()
    except AccountWaits as waits:
        return waits
    return None


async def test_requests_of_one_worker_go_in_the_order_in_which_they_came(lane: Lane) -> None:
    went: list[int] = []

    async def note(number: int) -> None:
        went.append(number)

    await asyncio.gather(*(ask(lane, partial(note, number)) for number in range(20)))
    assert went == list(range(20))


async def test_a_mailbox_that_others_keep_busy_is_not_waited_for_long(
    lane: Lane, seconds: Seconds, store: Store
) -> None:
    accounts = Accounts(store)
    assert (await accounts.admit("m", "m/a", "another worker", Limits(at_a_time=1))).go
    asking = asyncio.create_task(ask(lane, partial(asyncio.sleep, 0)))
    await asyncio.sleep(0.1)
    assert not asking.done()
    seconds.now += 5
    told = await asking
    assert told is not None
    assert told.busy


# -- the bell


async def blocked(redis: Redis, count: int) -> bool:
    """Whether so many connections wait for Redis."""
    return int((await redis.info("clients"))["blocked_clients"]) == count


async def test_a_worker_that_is_full_passes_on_at_once_that_there_is_work(world: World) -> None:
    redis, keys = world.store.redis, world.store.keys
    world.fault("google", "hold", method="POST")
    await world.accept(one_part("google", event_id="first"))
    await world.accept(one_part("google", event_id="for another worker"))
    await redis.delete(keys.bell)
    worker, bell = polling_worker(world.store, world.sync, concurrency=1), Bell(world.store)
    bell.listen(anew=True)
    await until(partial(blocked, redis, 1))
    polling = asyncio.create_task(poll_until_stopped(worker, bell, poll_delay=3600))
    await until(partial(world.store.bell, within_s=1))  # as another worker would: there may be more
    await world.held()
    signal.raise_signal(signal.SIGTERM)
    await polling
    world.sandbox.state.faults.release()
    await worker.end()


async def test_two_workers_share_the_parts_of_one_booking_although_neither_polls(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__CONCURRENCY", "1")
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__POLL_DELAY", "1h")
    await service.start("receiver")
    await service.start("worker")
    [port] = free_ports(1)
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__ADMIN_PORT", str(port))
    await service.start("worker", admin_port=port)
    faults = service.sandbox.state.faults
    faults.add("hold", method="POST", provider="google")
    faults.add("hold", method="POST", provider="microsoft")
    await service.post(SEQUENCING)
    await until(lambda: len(faults.held) == 2)
    faults.release()
    await service.written()
