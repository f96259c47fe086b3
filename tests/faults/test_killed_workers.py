"""Fault 23: a worker is killed in the middle of a write, or its queue gives a job up: the write is lost or made twice.

arq's worker.py: a job that takes longer than its time-out is over and not tried again; a job of a killed worker is left
alone until the longest time-out of all has passed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest

from bookings.accounts import Accounts
from bookings.record import WriteState
from bookings.store import Store
from network.outgoing import Outgoing
from sandbox.graph_times import ZoneRules
from tests.acceptance.conftest import Service, kill
from tests.callbacks import SEQUENCING, changed, moved
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, Clock, World, one_part, utc
from tests.waiting import until
from workers.calendars.directory import Directory
from workers.polling import polling_worker
from workers.sync import Sync

pytestmark = pytest.mark.fault(number=23)


@pytest.fixture
async def colleague(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Books, and goes on with what the killed worker left behind; shares Redis and calendars with it."""
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__LEASE", "500ms")
    settings, clock = service.settings, Clock()
    redis = service.client()
    store = Store.of(settings, redis)
    async with Outgoing(settings.network) as outgoing:
        directory = Directory(settings, outgoing, Accounts(store))
        sync = Sync(store, settings, directory, worker="colleague", clock=clock)
        yield World(settings, store, service.sandbox, sync, clock)
        directory.close()
    await redis.aclose()


async def finished(world: World) -> None:
    """Works until nothing is open; what the killed worker holds is free when its lease has run out."""

    async def is_done() -> bool:
        await world.work()
        await world.let_pass(3600)
        return (await world.store.counts())["open"] == 0

    await until(is_done)


def hold(world: World, method: str, *providers: str) -> None:
    """Has providers keep a reply back, so that the worker is killed while it waits for it."""
    for provider in providers or PROVIDERS:
        world.fault(provider, "hold", method=method)


def all_held(world: World) -> bool:
    return len(world.sandbox.state.faults.held) == len(PROVIDERS)


# Each step gives the callback that has to be in the calendars in the end.


async def looking(world: World) -> bytes:
    """Nothing is written down yet."""
    await world.accept(SEQUENCING)
    await world.work()
    booking = await world.booking(SEQUENCING)
    for part in booking.parts:
        await world.store.ask(booking.id, part.id, "resync")
    hold(world, "GET")
    return SEQUENCING


async def written_down_and_not_sent(world: World) -> bytes:
    """The change is in the journal, and waits for an access token."""
    await world.accept(SEQUENCING)
    await world.work()
    await world.accept(moved(1))
    hold(world, "*", "google-token", "microsoft-token")
    return moved(1)


async def carried_out_and_not_answered(world: World) -> bytes:
    await world.accept(SEQUENCING)
    hold(world, "POST")
    return SEQUENCING


async def answered_and_not_recorded(world: World) -> bytes:
    """Both events are made; Google's meeting is not ready, and Microsoft's hour has to be put right."""
    rules = ZoneRules(shifted={"GMT Standard Time": 60})
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, zone_rules=rules)
    world.sandbox.state.google.put_calendar(GOOGLE, meet_delay=0.2)
    body = changed(sequence__0__event__conferencing={"profile_id": "default"})
    await world.accept(body)
    hold(world, "GET", "google")
    hold(world, "PATCH", "microsoft")
    return body


Step = Callable[[World], Awaitable[bytes]]
STEPS: list[Step] = [
    looking,
    written_down_and_not_sent,
    carried_out_and_not_answered,
    answered_and_not_recorded,
]


@pytest.mark.parametrize("step", STEPS)
async def test_a_write_whose_worker_is_killed_is_finished_by_another_one_once(
    service: Service, colleague: World, step: Step
) -> None:
    body = await step(colleague)
    worker = await service.start("worker")
    await until(lambda: all_held(colleague))
    kill(worker)
    await worker.wait()
    colleague.sandbox.state.faults.release()
    await finished(colleague)
    later = 1 if body == moved(1) else 0
    assert colleague.event("google").starts_at == utc(11 + later)
    assert colleague.event("microsoft").starts_at == utc(12 + later)
    writes = [write for part in (await colleague.booking(body)).parts for write in part.writes]
    assert [write.state for write in writes] == [WriteState.WRITTEN] * 2


def is_sent_twice(world: World, provider: str) -> bool:
    return world.requests(provider).count("POST") == 2


async def test_a_request_that_outlives_its_worker_and_comes_after_its_successor_s_makes_no_second_event(
    service: Service, colleague: World
) -> None:
    for provider in PROVIDERS:
        colleague.fault(provider, "late", method="POST")
    await colleague.accept(SEQUENCING)
    worker = await service.start("worker")
    await until(lambda: all_held(colleague))
    kill(worker)
    await worker.wait()
    await finished(colleague)
    colleague.sandbox.state.faults.release()
    for provider in PROVIDERS:
        await until(partial(is_sent_twice, colleague, provider))
    assert colleague.event("google").starts_at == utc(11)
    assert colleague.event("microsoft").starts_at == utc(12)


async def test_a_booking_cancelled_after_its_worker_was_killed_in_a_create_leaves_no_event(
    service: Service, colleague: World
) -> None:
    body = await carried_out_and_not_answered(colleague)
    worker = await service.start("worker")
    await until(lambda: all_held(colleague))
    kill(worker)
    await worker.wait()
    colleague.sandbox.state.faults.release()
    assert len(colleague.events()) == 2
    await colleague.store.cancel((await colleague.booking(body)).id)
    await finished(colleague)
    assert colleague.events() == []


async def test_the_next_worker_process_takes_up_what_a_killed_one_left(service: Service) -> None:
    for provider in PROVIDERS:
        service.sandbox.state.faults.add(fault="hold", provider=provider, method="POST")
    await service.start("receiver")
    worker = await service.start("worker")
    await service.post(SEQUENCING)
    await until(lambda: len(service.sandbox.state.faults.held) == 2)
    kill(worker)
    await worker.wait()
    service.sandbox.state.faults.release()
    assert len(service.events()) == 2
    await service.start("worker")
    await service.written()
    assert sorted(event.starts_at for event in service.events()) == [utc(11), utc(12)]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_job_that_arq_ends_because_it_took_too_long_is_done_again(
    world: World, provider: str
) -> None:
    world.fault(provider, "hold", method="POST")
    await world.accept(one_part(provider))
    worker = polling_worker(world.store, world.sync, concurrency=8)
    worker.job_timeout_s = 2

    async def is_done() -> bool:
        await worker.poll()
        await world.store.reconcile()
        return (await world.store.counts())["open"] == 0

    try:
        await until(is_done)  # ended while it claims, its lease has to run out
    finally:
        await worker.end()
    assert worker.jobs_failed >= 1  # which is all that arq knows of it
    assert world.requests(provider).count("POST") <= 1  # the held one is noted when its client has gone
    assert world.event(provider).starts_at == utc(11)
