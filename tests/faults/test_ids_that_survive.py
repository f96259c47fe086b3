"""Faults 28, 29 and 30: what became of an event is not what its id, or an answer, says.

28: an immutable id goes on to answer after a delete, the event is changed in Deleted Items, and nothing stands in the
calendar (outlook-immutable-id.md leaves it open; a second DELETE there is refused with ErrorCannotDeleteObject).
29: a DELETE is answered with 204 and does nothing.
30: a create fails with 503 ConcurrentItemSave and is stored without our properties; our own event is then taken for
somebody else's, and a second one made (reported on r/GraphAPI).
"""

from dataclasses import replace

import pytest

from bookings.record import WriteState
from sandbox.person import Person
from tests.integration.calendars import MICROSOFT, PROVIDERS, World, one_part, utc

both = pytest.mark.parametrize("provider", PROVIDERS)
LATER = "2026-04-30T11:30:00Z"
BODY = one_part("microsoft")


async def deleted_with_an_id_that_survives(world: World) -> None:
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, ids_survive=True)
    await world.accept(BODY)
    await world.work()
    event = world.event("microsoft")
    await world.let_pass(1200)
    Person(world.sandbox.state).deletes("microsoft", MICROSOFT, event.id)


@pytest.mark.fault(number=28)
async def test_a_booking_that_moves_after_a_person_deleted_its_event_is_in_the_calendar(world: World) -> None:
    await deleted_with_an_id_that_survives(world)
    await world.accept(one_part("microsoft", start=LATER))
    await world.work_until_done()
    assert world.event("microsoft").starts_at == utc(11, 30)
    assert (await world.write(BODY)).state is WriteState.WRITTEN


@pytest.mark.fault(number=28)
async def test_what_a_person_deleted_stays_deleted_although_its_id_answers(world: World) -> None:
    await deleted_with_an_id_that_survives(world)
    booking = await world.booking(BODY)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(BODY)).reason == "deleted_by_person"


@pytest.mark.fault(number=28)
async def test_a_cancel_of_what_a_person_deleted_is_done_and_closes_no_account(world: World) -> None:
    await deleted_with_an_id_that_survives(world)
    await world.cancel(BODY)
    await world.work()
    assert (await world.write(BODY)).state is WriteState.CANCELLED
    assert await world.store.redis.smembers(world.store.keys.accounts) == set()


@pytest.mark.fault(number=28)
async def test_a_refused_delete_of_one_event_leaves_the_mailbox_open(world: World) -> None:
    await world.accept(BODY)
    await world.work()
    world.fault("microsoft", "error;status=403;code=ErrorCannotDeleteObject", method="DELETE")
    await world.cancel(BODY)
    await world.work()
    assert await world.store.redis.smembers(world.store.keys.accounts) == set()
    await world.work_until_done()
    assert world.events() == []


@both
@pytest.mark.fault(number=29)
@pytest.mark.parametrize("times", [1, 3])
async def test_a_delete_that_does_nothing_is_repeated_until_it_does(
    world: World, provider: str, times: int
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    world.fault(provider, "empty;status=204", method="DELETE", count=times)
    await world.cancel(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.RETRYING
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
@pytest.mark.fault(number=29)
@pytest.mark.settings(worker={"request_timeout": "2s", "retry_for": "2h"})
async def test_a_delete_that_never_does_anything_is_a_dead_letter(world: World, provider: str) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    world.fault(provider, "empty;status=204", method="DELETE", count=None)
    await world.cancel(body)
    await world.work_until_done()
    write = await world.write(body)
    assert (write.state, write.detail) == (WriteState.DEAD, "still_there_after_delete")


@both
@pytest.mark.fault(number=30)
async def test_an_event_stored_without_our_properties_is_ours(world: World, provider: str) -> None:
    world.fault(provider, "stripped;status=503;code=ConcurrentItemSave", method="POST")
    await world.accept(one_part(provider))
    await world.work()
    assert world.event(provider).private == {}
    await world.work_until_done()
    event = world.event(provider)
    assert event.starts_at == utc(11)
    assert len(event.private) >= 2  # our key, and what it holds


@both
@pytest.mark.fault(number=30)
async def test_an_event_stored_without_our_properties_is_moved_with_the_booking(
    world: World, provider: str
) -> None:
    world.fault(provider, "stripped;status=503;code=ConcurrentItemSave", method="POST")
    await world.accept(one_part(provider))
    await world.work()
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    assert (await world.write(one_part(provider))).generation == 0


@both
@pytest.mark.fault(number=30)
async def test_an_event_whose_properties_a_person_s_tool_took_off_is_still_ours(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    event = world.event(provider)
    await world.let_pass(1200)
    if provider == "google":
        taken = {"extendedProperties": {"private": dict.fromkeys(event.private)}}
        Person(world.sandbox.state).edits(provider, event.calendar, event.id, taken)
    else:
        mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
        mailbox.put(replace(mailbox.events[event.id], properties={}, change_key="changed"))
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert (world.event(provider).id, world.event(provider).starts_at) == (event.id, utc(11, 30))
