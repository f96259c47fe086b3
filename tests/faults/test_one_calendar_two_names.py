"""Fault 31: one event, or one calendar, goes by another id than before, and a second event is made.

A Microsoft mailbox's default calendar has an id and needs none. Classic Outlook moves an event by copying and
deleting it: even the immutable id is another one then.
"""

import pytest

from bookings.record import WriteState
from sandbox.person import Person
from tests.faults.conftest import Hire
from tests.integration.calendars import GOOGLE, MICROSOFT, World, one_part, utc

pytestmark = pytest.mark.fault(number=31)

BODY = one_part("microsoft")
LATER = one_part("microsoft", start="2026-04-30T11:30:00Z")


def by_id(world: World) -> str:
    return world.sandbox.state.microsoft.put_mailbox(MICROSOFT).default_calendar_id


async def hired(hire: Hire, *calendar_ids: str) -> World:
    """A worker whose configuration names the panel's calendar so, and sends the part to all of these names."""
    named = [
        {
            "name": f"panel-{number}",
            "account": "microsoft-hr",
            "mailbox": MICROSOFT,
            "calendar_id": calendar_id,
        }
        for number, calendar_id in enumerate(calendar_ids)
    ]
    routes = [{"app": "hiring", "sequence_id": "microsoft", "calendars": [each["name"] for each in named]}]
    google = {"name": "interviews", "account": "google-hr", "calendar_id": GOOGLE}
    return await hire(calendars=[google, *named], routes=routes)


@pytest.mark.parametrize("first", ["", "id"])
async def test_the_default_calendar_is_the_same_by_its_id(world: World, hire: Hire, first: str) -> None:
    names = ["", by_id(world)] if first == "" else [by_id(world), ""]
    before, after = [await hired(hire, name) for name in names]
    await before.accept(BODY)
    await before.work_until_done()
    event = world.event("microsoft")
    await after.accept(LATER)
    await after.work_until_done()
    assert (world.event("microsoft").id, world.event("microsoft").starts_at) == (event.id, utc(11, 30))
    assert world.requests("microsoft").count("POST") == 1


@pytest.mark.parametrize("first", ["", "id"])
async def test_it_is_so_for_a_cancel(world: World, hire: Hire, first: str) -> None:
    names = ["", by_id(world)] if first == "" else [by_id(world), ""]
    before, after = [await hired(hire, name) for name in names]
    await before.accept(BODY)
    await before.work_until_done()
    await after.cancel(BODY)
    await after.work_until_done()
    assert world.events() == []
    assert (await world.write(BODY)).state is WriteState.CANCELLED


@pytest.mark.parametrize("first", ["", "id"])
async def test_it_is_so_although_the_record_was_lost(world: World, hire: Hire, first: str) -> None:
    names = ["", by_id(world)] if first == "" else [by_id(world), ""]
    before, after = [await hired(hire, name) for name in names]
    await before.accept(BODY)
    await before.work_until_done()
    await world.store.redis.flushall()
    await after.accept(LATER)
    await after.work_until_done()
    assert world.event("microsoft").starts_at == utc(11, 30)


async def test_a_part_that_goes_there_by_both_names_is_one_event(world: World, hire: Hire) -> None:
    both = await hired(hire, "", by_id(world))
    await both.accept(BODY)
    await both.work_until_done()
    assert world.event("microsoft").starts_at == utc(11)


async def test_nothing_is_written_before_it_is_known_which_calendar_it_is(world: World, hire: Hire) -> None:
    before, after = await hired(hire, ""), await hired(hire, by_id(world))
    await before.accept(BODY)
    await before.work_until_done()
    event = world.event("microsoft")
    world.fault("microsoft", "error;status=503", method="GET", count=2)
    await after.accept(LATER)
    await after.work()
    assert world.event("microsoft") == event
    await after.work_until_done()
    assert (world.event("microsoft").id, world.event("microsoft").starts_at) == (event.id, utc(11, 30))


async def dragged(world: World) -> str:
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, "private")
    await world.accept(BODY)
    await world.work()
    event = world.event("microsoft")
    person = Person(world.sandbox.state)
    return person.drags("microsoft", MICROSOFT, event.id, f"{MICROSOFT}/private")


async def test_an_event_dragged_in_classic_outlook_moves_with_its_booking(world: World) -> None:
    event_id = await dragged(world)
    await world.accept(LATER)
    await world.work_until_done()
    assert (world.event("microsoft").id, world.event("microsoft").starts_at) == (event_id, utc(11, 30))


async def test_an_event_dragged_in_classic_outlook_is_removed_with_its_booking(world: World) -> None:
    await dragged(world)
    await world.cancel(BODY)
    await world.work_until_done()
    assert world.events() == []


async def test_a_copy_in_another_calendar_is_not_taken_for_a_dragged_event(world: World) -> None:
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, "private")
    await world.accept(BODY)
    await world.work()
    event = world.event("microsoft")
    person = Person(world.sandbox.state)
    copy_id = person.copies("microsoft", MICROSOFT, event.id, f"{MICROSOFT}/private")
    person.deletes("microsoft", MICROSOFT, event.id)
    await world.let_pass(1200)
    await world.cancel(BODY)
    await world.work_until_done()
    assert [event.id for event in world.events()] == [copy_id]
