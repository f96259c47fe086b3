"""Fault 27: an event that a person copied is taken for ours, and overwritten or deleted.

Outlook copies named properties with an item, ours among them; `transactionId` is the create's own.
"""

from dataclasses import replace

import pytest

from bookings.record import WriteState
from sandbox.inspection import SeenEvent
from sandbox.person import Person
from tests.integration.calendars import MICROSOFT, PROVIDERS, World, one_part, utc

pytestmark = pytest.mark.fault(number=27)

both = pytest.mark.parametrize("provider", PROVIDERS)
LATER = "2026-04-30T11:30:00Z"
BODY = one_part("microsoft")


async def copied(world: World, provider: str = "microsoft", *, older: bool = False) -> tuple[str, SeenEvent]:
    """A written event and a person's copy of it; gives the id of ours, and the copy."""
    await world.accept(one_part(provider))
    await world.work()
    ours = world.event(provider)
    copy_id = Person(world.sandbox.state).copies(provider, ours.calendar, ours.id)
    if older:
        mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
        mailbox.put(replace(mailbox.events[copy_id], created=mailbox.events[ours.id].created - 3600))
    return ours.id, stored(world, copy_id)


def stored(world: World, event_id: str) -> SeenEvent:
    [event] = [each for each in world.events() if each.id == event_id]
    return event


@both
async def test_a_cancel_leaves_the_copy(world: World, provider: str) -> None:
    _, copy = await copied(world, provider)
    await world.cancel(one_part(provider))
    await world.work_until_done()
    assert world.events() == [copy]


@both
async def test_a_copy_is_not_removed_as_a_double(world: World, provider: str) -> None:
    ours, copy = await copied(world, provider)
    Person(world.sandbox.state).edits(
        provider, copy.calendar, ours, {"summary" if provider == "google" else "subject": "Changed"}
    )
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert stored(world, copy.id) == copy
    assert stored(world, ours).starts_at == utc(11, 30)
    assert len(world.events()) == 2


@pytest.mark.parametrize("older", [False, True])
async def test_a_resync_goes_to_our_own_event(world: World, older: bool) -> None:
    ours, copy = await copied(world, older=older)
    booking = await world.booking(BODY)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()
    assert {event.id for event in world.events()} == {ours, copy.id}
    assert stored(world, copy.id) == copy


async def test_a_copy_of_an_event_that_was_deleted_is_not_taken_over(world: World) -> None:
    ours, copy = await copied(world)
    Person(world.sandbox.state).deletes("microsoft", MICROSOFT, ours)
    await world.let_pass(1200)
    await world.accept(one_part("microsoft", start=LATER))
    await world.work_until_done()
    assert stored(world, copy.id) == copy
    [made] = [event for event in world.events() if event.id != copy.id]
    assert made.starts_at == utc(11, 30)


async def test_a_deleted_event_stays_deleted_although_a_copy_of_it_is_there(world: World) -> None:
    ours, copy = await copied(world)
    Person(world.sandbox.state).deletes("microsoft", MICROSOFT, ours)
    await world.let_pass(1200)
    booking = await world.booking(BODY)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()
    assert world.events() == [copy]
    assert (await world.write(BODY)).reason == "deleted_by_person"


async def test_without_a_record_the_event_that_we_made_is_found_among_its_copies(world: World) -> None:
    ours, copy = await copied(world, older=True)
    await world.store.redis.flushall()
    await world.accept(one_part("microsoft", start=LATER))
    await world.work_until_done()
    assert stored(world, copy.id) == copy
    assert stored(world, ours).starts_at == utc(11, 30)
    assert len(world.events()) == 2


async def test_a_copy_of_an_event_whose_create_is_in_doubt_is_not_taken_for_it(world: World) -> None:
    world.fault("microsoft", "drop_after", method="POST")
    await world.accept(BODY)
    await world.work()
    ours = world.event("microsoft")
    person = Person(world.sandbox.state)
    copy = stored(world, person.copies("microsoft", MICROSOFT, ours.id))
    person.deletes("microsoft", MICROSOFT, ours.id)
    await world.work_until_done()
    assert stored(world, copy.id) == copy
    assert len(world.events()) == 2
    assert (await world.write(BODY)).state is WriteState.WRITTEN


async def test_two_events_that_we_made_ourselves_become_one(world: World) -> None:
    ours, copy = await copied(world)
    mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
    transaction = mailbox.events[ours].transaction_id
    mailbox.put(replace(mailbox.events[copy.id], transaction_id=transaction))  # as of a second create of ours
    booking = await world.booking(BODY)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()
    assert [event.id for event in world.events()] == [ours]
