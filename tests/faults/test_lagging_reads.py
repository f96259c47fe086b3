"""Fault 26: a read lags behind the write before it, is believed, and a second event is made.

Both providers answer from replicas. Google's errors guide asks for exponential backoff on a 404, also for what exists;
new Microsoft items are reported not to be found for a while. Seen in turn: 404 on a GET by id, 409 on an insert of it.
"""

import asyncio
from contextlib import suppress

import pytest

from bookings.record import WriteState
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc
from tests.waiting import until

pytestmark = pytest.mark.fault(number=26)

both = pytest.mark.parametrize("provider", PROVIDERS)
LATER = "2026-04-30T11:30:00Z"
MINUTE = 60.0


def lag(world: World, seconds: float) -> None:
    """For so long after it was made, an event is not there for who asks by its id or searches for it."""
    world.sandbox.state.google.put_calendar(GOOGLE, read_lag=seconds)
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, read_lag=seconds, search_lag=seconds)


def nothing_lags(world: World) -> None:
    lag(world, 0)


async def work_for(world: World, minutes: int) -> None:
    for _ in range(minutes):
        await world.work()
        await world.let_pass(MINUTE)


@both
@pytest.mark.parametrize("fault", ["drop_after", "error_after;status=503", "html_after"])
async def test_a_create_in_doubt_that_is_not_seen_for_minutes_is_one_event(
    world: World, provider: str, fault: str
) -> None:
    lag(world, 3600)
    world.fault(provider, fault, method="POST")
    body = one_part(provider)
    await world.accept(body)
    await work_for(world, 5)
    nothing_lags(world)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)
    assert (await world.write(body)).generation == 0


@both
async def test_a_create_that_is_refused_for_an_hour_and_then_stored_unseen_is_one_event(
    world: World, provider: str
) -> None:
    lag(world, 3600)
    world.fault(provider, "error;status=503", method="POST", count=4)
    await world.accept(one_part(provider))
    for _ in range(4):
        await world.work()
        await world.let_pass(20 * MINUTE)
    world.fault(provider, "drop_after", method="POST")
    await world.work()
    await world.let_pass(MINUTE)
    await work_for(world, 4)
    nothing_lags(world)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)


@both
async def test_an_event_moved_at_once_and_not_seen_yet_is_one_event(world: World, provider: str) -> None:
    lag(world, 3600)
    await world.accept(one_part(provider))
    await world.work()
    await world.accept(one_part(provider, start=LATER))
    await work_for(world, 5)
    assert (await world.write(one_part(provider))).detail == "not_seen_yet"
    nothing_lags(world)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    assert (await world.write(one_part(provider))).generation == 0


@both
async def test_an_event_cancelled_at_once_and_not_seen_yet_does_not_stay(world: World, provider: str) -> None:
    lag(world, 3600)
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    await world.cancel(body)
    await work_for(world, 5)
    assert (await world.write(body)).state is WriteState.RETRYING
    nothing_lags(world)
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
async def test_an_event_synced_again_at_once_is_not_taken_for_deleted_by_a_person(
    world: World, provider: str
) -> None:
    lag(world, 3600)
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    booking = await world.booking(body)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await work_for(world, 2)
    nothing_lags(world)
    await world.work_until_done()
    assert (await world.write(body)).reason == ""


@both
async def test_an_unseen_event_of_a_lost_record_is_waited_for(world: World, provider: str) -> None:
    lag(world, 3600)
    await world.accept(one_part(provider))
    await world.work()
    await world.store.redis.flushall()
    await world.accept(one_part(provider, start=LATER))
    await work_for(world, 5)
    nothing_lags(world)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)


async def test_a_create_that_comes_up_long_after_it_was_sent_and_is_not_seen_yet_is_one_event(
    world: World,
) -> None:
    lag(world, 5 * MINUTE)
    world.fault("google", "late", method="POST")
    body = one_part("google")
    await world.accept(body)
    at_work = asyncio.create_task(world.work())
    await world.held()
    at_work.cancel()  # as a worker that is killed meanwhile
    with suppress(asyncio.CancelledError):
        await at_work
    await world.let_pass(20 * MINUTE)
    world.sandbox.state.faults.release()
    await until(lambda: world.events("google"))
    await world.accept(one_part("google", start=LATER))
    await work_for(world, 3)
    nothing_lags(world)
    await world.work_until_done()
    assert world.event("google").starts_at == utc(11, 30)
    assert (await world.write(body)).generation == 0


async def test_an_id_that_stays_taken_by_nothing_is_given_up(world: World) -> None:
    body = one_part("google")
    await world.accept(body)
    await world.work()
    first = world.event("google")
    Person(world.sandbox.state).deletes("google", GOOGLE, first.id)
    await world.let_pass(20 * MINUTE)
    lag(world, 86_400)  # its id stays taken, and there is no getting at it
    await world.accept(one_part("google", start=LATER))
    await world.work_until_done()
    nothing_lags(world)
    assert world.event("google").starts_at == utc(11, 30)
    assert (await world.write(body)).generation == 1
