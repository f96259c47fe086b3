"""Fault 42, what a restore leaves behind: events that we made and that no record knows, found, adopted, removed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest

from bookings.accounts import Accounts
from bookings.record import WriteState
from network.outgoing import Outgoing
from sandbox.inspection import SeenEvent
from sandbox.person import Person
from tests.faults.conftest import Hire
from tests.faults.test_one_calendar_two_names import by_id, hired
from tests.faults.test_restored_records import alarms, of_a_clock_ahead
from tests.integration.calendars import MICROSOFT, PROVIDERS, World, one_part, utc
from tests.integration.copies import copy_of, restored
from workers.calendars.directory import Directory
from workers.strays.look import find_strays
from workers.strays.remedies import Act, Result, carry_out
from workers.strays.stray import Standing, Stray, Strays

pytestmark = pytest.mark.fault(number=42)

both = pytest.mark.parametrize("provider", PROVIDERS)
LATER = "2026-04-30T11:30:00Z"


class Operator:
    """Looks for strays and does something about them, as the command does."""

    def __init__(self, world: World, directory: Directory) -> None:
        self.world = world
        self.directory = directory

    async def look(self, *calendars: str) -> Strays:
        start, end = (int(utc(hour).timestamp()) for hour in (0, 23))
        names = calendars or tuple(each.name for each in self.world.settings.calendars)
        return await find_strays(self.world.store, self.world.settings, self.directory, names, start, end)

    async def strays(self) -> list[Stray]:
        """What there is; every calendar can be read."""
        strays = await self.look()
        assert strays.unread == {}
        return strays.found

    async def does(self, act: Act) -> list[Result]:
        return await carry_out(self.world.store, self.directory, act, await self.strays(), who="tester")


@asynccontextmanager
async def operating(world: World) -> AsyncIterator[Operator]:
    async with Outgoing(world.settings.network) as outgoing:
        directory = Directory(world.settings, outgoing, Accounts(world.store))
        yield Operator(world, directory)
        directory.close()


@pytest.fixture
async def operator(world: World) -> AsyncIterator[Operator]:
    async with operating(world) as operator:
        yield operator


def standings(strays: list[Stray]) -> list[Standing]:
    return [each.standing for each in strays]


async def written(world: World, body: bytes) -> None:
    await world.accept(body)
    await world.work_until_done()


async def lost_booking(world: World, provider: str) -> SeenEvent:
    """A booking that was made since the copy; gives its event."""
    await written(world, one_part(provider, event_id="before"))
    copy = await copy_of(world.store.redis)
    kept = {event.id for event in world.events()}
    await written(world, one_part(provider, event_id="since", start=LATER))
    await restored(world.store.redis, copy)
    [event] = [each for each in world.events() if each.id not in kept]
    return event


@both
async def test_nothing_is_a_stray_where_the_record_is_whole(
    world: World, operator: Operator, provider: str
) -> None:
    await written(world, one_part("both"))
    await written(world, one_part(provider, event_id="moved"))
    await written(world, one_part(provider, event_id="moved", start=LATER))
    Person(world.sandbox.state).copies(provider, *at(world, provider))
    assert await operator.strays() == []


def at(world: World, provider: str) -> tuple[str, str]:
    """Where an event of ours is, and its id."""
    event = world.events(provider)[0]
    return event.calendar, event.id


@both
async def test_a_booking_made_since_the_copy_is_found_and_removed(
    world: World, operator: Operator, provider: str
) -> None:
    event = await lost_booking(world, provider)
    [stray] = await operator.strays()
    assert (stray.standing, stray.found.event_id) == (Standing.UNKNOWN, event.id)
    [result] = await operator.does(Act.REMOVE)
    assert (result.done, result.said) == (True, "removed")
    assert event.id not in {each.id for each in world.events()}
    assert len(world.events()) == 1
    [entry] = await world.store.audit(limit=5)
    assert (entry["command"], entry["who"], entry["count"]) == ("strays remove", "tester", 1)


@both
async def test_nobody_adopts_what_no_booking_on_record_has(
    world: World, operator: Operator, provider: str
) -> None:
    await lost_booking(world, provider)
    [result] = await operator.does(Act.ADOPT)
    assert (result.done, "no booking on record" in result.said) == (False, True)
    assert len(world.events()) == 2


@both
async def test_a_lost_booking_that_comes_again_finds_its_event(
    world: World, operator: Operator, provider: str
) -> None:
    event = await lost_booking(world, provider)
    await operator.strays()
    await written(world, one_part(provider, event_id="since", start="2026-04-30T11:45:00Z"))
    assert len(world.events()) == 2
    [again] = [each for each in world.events() if each.starts_at == utc(11, 45)]
    assert again.id == event.id
    assert await operator.strays() == []


@both
async def test_what_comes_again_while_an_operator_decides_is_not_removed(
    world: World, operator: Operator, provider: str
) -> None:
    await lost_booking(world, provider)
    listed = await operator.strays()
    await written(world, one_part(provider, event_id="since", start="2026-04-30T11:45:00Z"))
    [result] = await carry_out(world.store, operator.directory, Act.REMOVE, listed, who="tester")
    assert (result.done, "list strays again" in result.said) == (False, True)
    assert len(world.events()) == 2


@both
async def test_people_s_copies_are_shown_and_left_alone(
    world: World, operator: Operator, provider: str
) -> None:
    event = await lost_booking(world, provider)
    copy = Person(world.sandbox.state).copies(provider, event.calendar, event.id)
    assert sorted(standings(await operator.strays())) == [Standing.COPY, Standing.UNKNOWN]
    results = await operator.does(Act.REMOVE)
    assert {result.stray.standing: result.done for result in results} == {
        Standing.COPY: False,
        Standing.UNKNOWN: True,
    }
    assert copy in {each.id for each in world.events()}


@both
async def test_a_booking_moved_since_the_copy_is_found_and_the_next_reschedule_written(
    world: World, operator: Operator, provider: str
) -> None:
    body = one_part(provider)
    await written(world, body)
    newest = of_a_clock_ahead(world, provider)
    [stray] = await operator.strays()
    assert stray.standing is Standing.NEWER
    assert stray.place is not None
    assert (stray.place.app, stray.place.event_id) == ("hiring", "booking-1")
    async with alarms(0):
        assert await world.accept(one_part(provider, start=LATER)) > newest
        await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    assert await operator.strays() == []


@both
async def test_a_newer_event_that_is_adopted_stays_as_it_is_and_is_known(
    world: World, operator: Operator, provider: str
) -> None:
    body = one_part(provider)
    await written(world, body)
    copy = await copy_of(world.store.redis)
    await written(world, one_part(provider, start=LATER))
    await restored(world.store.redis, copy)
    async with alarms(0):
        [result] = await operator.does(Act.ADOPT)
        await world.work_until_done()
    assert (result.done, result.said) == (True, "adopted")
    assert world.event(provider).starts_at == utc(11, 30)
    assert (await world.write(body)).state is WriteState.SUPERSEDED
    assert await operator.strays() == []


@both
async def test_an_event_that_its_booking_does_not_know_is_adopted_and_goes_with_a_cancel(
    world: World, operator: Operator, provider: str
) -> None:
    body = one_part(provider)
    await written(world, body)
    await forgotten(world, body)
    [stray] = await operator.strays()
    assert stray.standing is Standing.UNRECORDED
    [refused] = await operator.does(Act.REMOVE)
    assert not refused.done
    await operator.does(Act.ADOPT)
    await world.work_until_done()
    assert (await world.write(body)).event_id == world.event(provider).id
    assert await operator.strays() == []
    await world.cancel(body)
    await world.work_until_done()
    assert world.events() == []


async def forgotten(world: World, body: bytes) -> None:
    """The record of a booking at rest knows its write no more."""
    booking = await world.booking(body)
    await world.store.redis.hset(world.store.keys.booking(booking.id), f"writes:{booking.parts[0].id}", "[]")


@both
async def test_an_adopted_event_of_an_older_revision_is_brought_up_to_date(
    world: World, operator: Operator, provider: str
) -> None:
    await written(world, one_part(provider))
    body = one_part(provider, start=LATER)
    world.fault(provider, "error;status=400;code=invalid", method="PATCH")
    await world.accept(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.DEAD
    assert await operator.strays() == []  # a replay looks for it
    await forgotten(world, body)
    booking = await world.booking(body)
    await world.store.redis.hset(world.store.keys.booking(booking.id), f"state:{booking.parts[0].id}", "done")
    await operator.does(Act.ADOPT)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)


@both
async def test_the_event_of_a_cancelled_booking_is_removed_once_it_is_adopted(
    world: World, operator: Operator, provider: str
) -> None:
    body = one_part(provider)
    await written(world, body)
    ours = world.event(provider)
    world.fault(provider, "error;status=500", method="DELETE", count=None)
    await world.cancel(body)
    await world.work()
    world.sandbox.state.faults.clear()
    booking = await world.booking(body)
    [part], [write] = booking.parts, booking.parts[0].writes
    left = msgspec.structs.replace(
        write, state=WriteState.CANCELLED, event_id="", uid="", generation=write.generation + 1
    )
    await world.store.redis.hset(
        world.store.keys.booking(booking.id),
        mapping={f"writes:{part.id}": world.store.stored.writes([left]), f"state:{part.id}": "done"},
    )
    [stray] = await operator.strays()
    assert (stray.standing, stray.found.event_id) == (Standing.UNRECORDED, ours.id)
    await operator.does(Act.ADOPT)
    await world.work_until_done()
    assert world.events() == []


async def test_of_two_events_of_one_write_the_one_that_the_record_does_not_have_is_removed(
    world: World, operator: Operator
) -> None:
    body = one_part("microsoft")
    await written(world, body)
    ours = world.event("microsoft")
    copy = Person(world.sandbox.state).copies("microsoft", MICROSOFT, ours.id)
    mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
    transaction = mailbox.events[ours.id].transaction_id
    mailbox.put(replace(mailbox.events[copy], transaction_id=transaction))  # as of a second create of ours
    [stray] = await operator.strays()
    assert (stray.standing, stray.found.event_id) == (Standing.DOUBLE, copy)
    [refused] = await operator.does(Act.ADOPT)
    assert not refused.done
    await operator.does(Act.REMOVE)
    assert [event.id for event in world.events()] == [ours.id]


@both
async def test_what_a_worker_has_in_hand_is_no_stray(world: World, operator: Operator, provider: str) -> None:
    world.fault(provider, "drop_after", method="POST")
    await world.accept(one_part(provider))
    await world.work()
    assert len(world.events()) == 1
    assert await operator.strays() == []


@both
async def test_an_event_that_a_person_moved_is_known_by_its_id(
    world: World, operator: Operator, provider: str
) -> None:
    await written(world, one_part(provider))
    where, event_id = at(world, provider)
    if provider == "google":
        world.sandbox.state.google.put_calendar("other@globex.example", shared_with={"*": "writer"})
        Person(world.sandbox.state).moves(provider, where, event_id, "other@globex.example")
    else:
        world.sandbox.state.microsoft.put_calendar(MICROSOFT, "other")
        Person(world.sandbox.state).moves(provider, where, event_id, f"{MICROSOFT}/other")
    assert await operator.strays() == []


async def test_a_calendar_that_cannot_be_read_is_named_and_the_others_are_looked_at(
    world: World, operator: Operator
) -> None:
    await lost_booking(world, "google")
    world.fault("microsoft", "error;status=500", count=None)
    strays = await operator.look()
    assert list(strays.unread) == ["panel"]
    assert standings(strays.found) == [Standing.UNKNOWN]


async def test_a_calendar_that_goes_by_two_names_is_looked_at_once(world: World, hire: Hire) -> None:
    both_names = await hired(hire, "", by_id(world))
    await written(both_names, one_part("microsoft"))
    await world.store.redis.flushall()
    async with operating(both_names) as operator:
        assert standings(await operator.strays()) == [Standing.UNKNOWN]
