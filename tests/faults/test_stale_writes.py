"""An older revision that comes late.

6: a job, a request or a worker from before overwrites what is newer. xagent issue 2190 and pull request 2339:
lost updates for want of If-Match.
"""

import asyncio

import pytest

from bookings.record import WriteState
from tests.integration.calendars import PROVIDERS, World, one_part, utc
from tests.waiting import comes, until

both = pytest.mark.parametrize("provider", PROVIDERS)


@both
@pytest.mark.fault(number=6)
async def test_jobs_in_any_order_write_the_newest_revision(world: World, provider: str) -> None:
    for minute in (0, 15, 30):
        await world.accept(one_part(provider, start=f"2026-04-30T11:{minute:02}:00Z"))
    [job] = await world.store.redis.zrange(world.store.keys.queue_of("hiring"), 0, -1)
    bid, pid = job.decode().split(":")[-2:]
    await asyncio.gather(*(world.sync.part(bid, pid) for _ in range(3)))  # as jobs left behind would
    assert world.event(provider).starts_at == utc(11, 30)


@both
@pytest.mark.fault(number=6)
@pytest.mark.settings(worker={"request_timeout": "2s"})
async def test_an_update_that_is_carried_out_after_a_newer_one_changes_nothing(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work_until_done()
    world.fault(provider, "late", method="PATCH")
    await world.accept(one_part(provider, start="2026-04-30T11:15:00Z"))
    await world.work()  # gives up waiting; the request is still on its way
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    sent = world.requests(provider).count("PATCH")
    world.sandbox.state.faults.release()
    await until(lambda: world.requests(provider).count("PATCH") > sent)  # that nobody waits for any more
    assert world.event(provider).starts_at == utc(11, 30)


@both
@pytest.mark.fault(number=6)
async def test_a_worker_that_was_away_while_another_wrote_sends_nothing(
    world: World, fleet: list[World], provider: str
) -> None:
    away, other = fleet[:2]
    await world.accept(one_part(provider))
    await world.work()
    world.fault(provider, "drop", method="PATCH")
    await world.accept(one_part(provider, start="2026-04-30T11:15:00Z"))
    await away.work()
    await world.let_pass(60)
    world.fault(provider, "hold", method="GET")
    asleep = asyncio.create_task(away.work())  # about to look what became of its update
    await world.held()
    await _lease_runs_out(world)
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await other.work()
    sent = world.requests(provider).count("PATCH")
    world.sandbox.state.faults.release()
    await asleep
    assert world.requests(provider).count("PATCH") == sent
    assert world.event(provider).starts_at == utc(11, 30)


@both
@pytest.mark.fault(number=6)
@pytest.mark.settings(worker={"lease": "1s", "request_timeout": "1h"})
async def test_a_worker_that_lost_its_lease_stops_what_it_does_under_it(world: World, provider: str) -> None:
    world.fault(provider, "hold")
    await world.accept(one_part(provider))
    at_work = asyncio.create_task(world.work())
    await world.held()
    await _lease_runs_out(world)
    await comes(at_work)
    # The one that it was at, which the sandbox may have seen the end of by now; none after it.
    assert len(world.requests(provider)) <= 1


@both
@pytest.mark.fault(number=6)
async def test_a_record_restored_from_an_old_backup_overwrites_no_newer_event(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    booking = await world.booking(body)
    record = world.store.keys.booking(booking.id)
    backup = await world.store.redis.dump(record)
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work()
    await world.store.redis.restore(record, 0, backup, replace=True)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    assert (await world.write(body)).state is WriteState.SUPERSEDED


async def _lease_runs_out(world: World) -> None:
    for member in await world.store.redis.zrange(world.store.keys.open, 0, -1):
        bid, _, pid = member.decode().partition(":")
        await world.store.redis.hdel(world.store.keys.booking(bid), f"lease:{pid}")
