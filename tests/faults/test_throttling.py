"""Requests that a provider does not take just now.

11: more requests at a time than a mailbox takes are answered with 429 (MailboxConcurrency), and their events are lost.
keeper.sh 568, microsoft-graph-docs 8760, Microsoft Q&A 1660054.
12: Google's 403 is taken for a refusal where it means a rate limit (easyappointments 995, compass-calendar 335,
cal.diy 18079), and asked again and again where it means that the user may not write for hours
(google-api-nodejs-client 3422, CalendarSync 280).
"""

import asyncio
from itertools import cycle

import pytest

from bookings.record import WriteState
from tests.integration.calendars import PROVIDERS, World, one_part, utc

HOUR = 3600

both = pytest.mark.parametrize("provider", PROVIDERS)


# -- 11


@pytest.mark.fault(number=11)
async def test_a_mailbox_never_gets_more_requests_at_a_time_than_it_takes_from_a_whole_fleet(
    world: World, fleet: list[World]
) -> None:
    world.fault("microsoft", "delay;seconds=0.02", count=None)
    for number in range(20):
        await world.accept(one_part("microsoft", event_id=f"booking-{number}"))
    members = await world.store.redis.zrange(world.store.keys.open, 0, -1)
    jobs = zip(cycle(fleet), (member.decode().split(":") for member in members), strict=False)
    await asyncio.gather(*(worker.sync.part(bid, pid) for worker, (bid, pid) in jobs))
    await world.work_until_done()
    assert len(world.events("microsoft")) == 20
    journal = world.sandbox.state.journal
    assert journal.concurrency_violations == 0
    assert journal.peak_concurrency == 3


@pytest.mark.fault(number=11)
async def test_a_crowd_before_a_busy_mailbox_leaves_nothing_behind(world: World) -> None:
    world.fault("microsoft", "delay;seconds=0.02", count=None)
    for number in range(50):
        await world.accept(one_part("microsoft", event_id=f"booking-{number}"))
    await world.work_until_done()
    assert len(world.events("microsoft")) == 50
    assert world.sandbox.state.journal.concurrency_violations == 0
    assert await world.store.redis.keys("*:account:waiting:*") == []


@pytest.mark.fault(number=11)
async def test_no_event_is_lost_where_others_use_up_what_the_mailbox_takes(
    world: World, fleet: list[World]
) -> None:
    world.sandbox.state.faults.add(
        "throttle;retry_after=10", provider="microsoft", count=None, probability=0.3
    )
    for number in range(10):
        await world.accept(one_part("microsoft", event_id=f"booking-{number}"))
    for worker in fleet:
        await worker.work()
        await world.let_pass(60)
    world.sandbox.state.faults.clear()
    await world.work_until_done()
    assert len(world.events("microsoft")) == 10
    assert await world.store.dead_letters(limit=5) == []


@both
@pytest.mark.fault(number=11)
async def test_throttling_is_waited_out(world: World, provider: str) -> None:
    world.fault(provider, "throttle;retry_after=30")
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.RETRYING, "account_paused")
    assert 29_000 < write.due_at - world.clock() < 32_000
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)


# -- 12


@pytest.mark.fault(number=12)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("status=403;reason=rateLimitExceeded", WriteState.RETRYING),
        ("status=403;reason=userRateLimitExceeded", WriteState.RETRYING),
        ("status=429;reason=rateLimitExceeded", WriteState.RETRYING),
        ("status=403;reason=quotaExceeded", WriteState.PARKED),
        ("status=429;reason=quotaExceeded", WriteState.PARKED),
        ("status=403;reason=dailyLimitExceeded", WriteState.PARKED),
    ],
)
async def test_a_limit_is_known_by_its_reason_and_waited_out(
    world: World, method: str, fault: str, state: WriteState
) -> None:
    body = one_part("google")
    await world.accept(body)
    if method != "POST":
        await world.work()
        await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    if method == "DELETE":
        await world.cancel(body)
    world.fault("google", f"throttle;retry_after=none;{fault}", method=method)
    await world.work()
    assert (await world.write(body)).state is state
    assert world.requests("google").count(method) == 1
    await world.work_until_done()
    assert len(world.events("google")) == (method != "DELETE")


@pytest.mark.fault(number=12)
async def test_a_user_who_may_not_write_for_hours_is_not_asked_again_and_again(world: World) -> None:
    world.fault("google", "throttle;retry_after=none;status=403;reason=quotaExceeded", count=None)
    body = one_part("google")
    await world.accept(body)
    for _ in range(6 * HOUR // 60):
        await world.work()
        await world.let_pass(60)
    assert 4 <= len(world.requests("google")) <= 13
    world.sandbox.state.faults.clear()
    await world.work_until_done()
    assert world.event("google").starts_at == utc(11)


@pytest.mark.fault(number=12)
async def test_a_quota_of_hours_is_waited_for_without_a_dead_letter(world: World) -> None:
    world.fault("google", "throttle;retry_after=none;status=403;reason=quotaExceeded", count=None)
    body = one_part("google")
    await world.accept(body)
    for _ in range(10):
        await world.work()
        await world.let_pass(2 * HOUR)
    assert (await world.write(body)).state is WriteState.PARKED


@pytest.mark.fault(number=12)
async def test_a_calendar_that_may_only_be_read_parks_its_own_events(world: World) -> None:
    world.fault("google", "forbidden", method="POST")
    body = one_part("google")
    await world.accept(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.PARKED
    await world.accept(one_part("google", event_id="another"))
    await world.work_until_done()
    assert len(world.events("google")) == 2
