"""An event that was deleted, and whose id is used up.

7: making the event again is answered with 409 for ever, changing it with 403. google-api-python-client issues 846 and
210, google-api-ruby-client 1811, ical_to_gcal_sync 12, compass-calendar 939.
"""

import pytest

from bookings.record import WriteState
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, PROVIDERS, World, one_part, utc

LATER = "2026-04-30T11:30:00Z"

both = pytest.mark.parametrize("provider", PROVIDERS)


@both
@pytest.mark.fault(number=7)
async def test_what_a_person_deleted_comes_back_with_a_newer_booking(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    await world.let_pass(1200)  # a moment after it was written, a read that misses it says nothing
    deleted = _delete(world, provider)
    await world.accept(one_part(provider, start=LATER))
    await world.work()
    event = world.event(provider)
    assert event.starts_at == utc(11, 30)
    assert (event.id == deleted) == (provider == "google")  # Google restores it, Graph cannot


@both
@pytest.mark.fault(number=7)
async def test_what_a_person_deleted_comes_back_although_the_record_was_lost(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    _delete(world, provider)
    await world.store.redis.flushall()
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)


@pytest.mark.fault(number=7)
@pytest.mark.parametrize("record", ["kept", "lost"])
async def test_an_event_that_may_not_be_restored_is_made_under_another_id(world: World, record: str) -> None:
    await world.accept(one_part("google"))
    await world.work()
    world.sandbox.state.google.put_calendar(GOOGLE, revival_refused=True)
    deleted = _delete(world, "google")
    if record == "lost":
        await world.store.redis.flushall()
    await world.accept(one_part("google", start=LATER))
    await world.work()
    event = world.event("google")
    assert (event.id != deleted, event.starts_at) == (True, utc(11, 30))
    assert (await world.write(one_part("google"))).generation == 1


@pytest.mark.fault(number=7)
async def test_ids_that_are_used_up_one_after_another_end_in_one_event(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, revival_refused=True)
    for minute in (0, 10, 20, 30):
        await world.accept(one_part("google", start=f"2026-04-30T11:{minute:02}:00Z"))
        await world.work_until_done()
        assert world.event("google").starts_at == utc(11, minute)
        if minute < 30:
            _delete(world, "google")
    assert (await world.write(one_part("google"))).generation == 3


@both
@pytest.mark.fault(number=7)
async def test_a_booking_that_comes_back_after_it_was_cancelled_is_written(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    for minute in (0, 10, 20):
        await world.accept(one_part(provider, start=f"2026-04-30T11:{minute:02}:00Z"))
        await world.work_until_done()
        assert world.event(provider).starts_at == utc(11, minute)
        await world.cancel(body)
        await world.work_until_done()
        assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED


def _delete(world: World, provider: str) -> str:
    event = world.event(provider)
    Person(world.sandbox.state).deletes(provider, event.calendar, event.id)
    return event.id
