"""Events that outlive their booking.

4: a cancel, or a change of calendar, leaves the event. cal.diy issues 3849, 8513, 2434; 1501, where the calendar had been changed meanwhile; pull
request 2860, which took every answer to a delete for "already gone".
"""

import asyncio

import pytest

from bookings.links import LinkTarget
from bookings.record import WriteState
from sandbox.person import Person
from tests.callbacks import SEQUENCING
from tests.faults.conftest import Hire
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

CALENDARS = {"google": "interviews", "microsoft": "panel"}
OTHERS = [
    {"name": "interviews", "account": "google-hr", "calendar_id": "others@globex.example"},
    {"name": "panel", "account": "microsoft-hr", "mailbox": "others@globex.example"},
]
"""The names of the world's calendars, given to others."""
FORMER = [
    {"name": "former-interviews", "account": "google-hr", "calendar_id": GOOGLE},
    {"name": "former-panel", "account": "microsoft-hr", "mailbox": MICROSOFT},
]
"""The world's calendars under new names."""

both = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.mark.fault(number=4)
async def test_a_cancelled_booking_is_removed_everywhere(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    booking = await world.booking(SEQUENCING)
    assert await world.store.cancel(booking.id) == 2
    await world.work_until_done()
    assert world.events() == []
    after = await world.booking(SEQUENCING)
    assert [write.state for part in after.parts for write in part.writes] == [WriteState.CANCELLED] * 2
    assert (after.state, after.expires_at is not None) == ("done", True)


@both
@pytest.mark.fault(number=4)
@pytest.mark.parametrize(
    "fault",
    ["forbidden", "conflict", "error;status=500", "error;status=502", "throttle", "html;status=200", "drop"],
)
async def test_a_delete_that_is_refused_for_now_is_repeated(world: World, provider: str, fault: str) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    world.fault(provider, fault, method="DELETE", count=2)
    await world.cancel(body)
    await world.work()
    assert len(world.events(provider)) == 1
    assert (await world.store.counts())["open"] == 1
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
@pytest.mark.fault(number=4)
async def test_an_event_that_is_gone_already_is_no_trouble(world: World, provider: str) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    event = world.event(provider)
    await world.let_pass(1200)  # a moment after it was written, a read that misses it says nothing
    Person(world.sandbox.state).deletes(provider, event.calendar, event.id)
    await world.cancel(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
@pytest.mark.fault(number=4)
@pytest.mark.parametrize("fault", ["", "drop_after", "html;status=404", "forbidden"])
async def test_an_event_that_somebody_removes_at_the_same_time_is_no_trouble(
    world: World, provider: str, fault: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    event = world.event(provider)
    world.fault(provider, "hold", method="GET")
    if fault:
        world.fault(provider, fault, method="DELETE")
    await world.cancel(body)
    under_way = asyncio.create_task(world.work())
    await world.held()  # the worker has seen the event
    Person(world.sandbox.state).deletes(provider, event.calendar, event.id)
    world.sandbox.state.faults.release()
    await under_way
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
@pytest.mark.fault(number=4)
async def test_a_calendar_that_is_not_to_be_seen_is_not_taken_for_an_empty_one(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    _put_calendar(world, provider, gone=True)
    await world.cancel(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.PARKED
    assert len(world.events(provider)) == 1
    _put_calendar(world, provider, gone=False)
    await world.work_until_done()
    assert world.events() == []


@both
@pytest.mark.fault(number=4)
async def test_an_event_is_removed_from_where_it_was_made_whatever_that_calendar_is_called_now(
    world: World, hire: Hire, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    _others(world)
    reconfigured = await hire(calendars=[*OTHERS, *FORMER])
    await world.cancel(body)
    await reconfigured.work_until_done()
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
@pytest.mark.fault(number=4)
async def test_an_event_in_a_calendar_that_is_not_configured_any_more_is_not_taken_for_removed(
    world: World, hire: Hire, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    _others(world)
    await world.cancel(body)
    await (await hire(calendars=OTHERS)).work()
    write = await world.write(body)
    assert (write.state, write.detail) == (WriteState.PARKED, "calendar_not_configured")
    await world.work_until_done()
    assert world.events() == []


@both
@pytest.mark.fault(number=4)
async def test_a_booking_moves_along_when_its_calendar_is_another_one(
    world: World, hire: Hire, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    _others(world)
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await (await hire(calendars=[*OTHERS, *FORMER])).work_until_done()
    assert [(event.calendar.partition("/")[0], event.starts_at) for event in world.events()] == [
        ("others@globex.example", utc(11, 30))
    ]


@both
@pytest.mark.fault(number=4)
async def test_a_part_that_goes_elsewhere_now_is_written_there_and_removed_here(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    other = {"google": "microsoft", "microsoft": "google"}[provider]
    link = await world.store.register_link(
        "hiring", "t", {provider: (LinkTarget(CALENDARS[other]),)}, keep_s=60
    )
    later = one_part(provider, start="2026-04-30T11:30:00Z")
    await world.accept(later, link=link)
    world.fault(other, "error;status=503", method="POST")
    await world.work()
    assert {event.provider for event in world.events()} == {provider}  # never nowhere
    await world.work_until_done()
    assert world.event(other).starts_at == utc(11, 30)
    assert world.events(provider) == []
    await world.accept(one_part(provider, start="2026-04-30T11:45:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 45)
    assert world.events(other) == []


def _others(world: World) -> None:
    """The calendars of `OTHERS`."""
    world.sandbox.state.google.put_calendar("others@globex.example", shared_with={"*": "writer"})
    world.sandbox.state.microsoft.put_calendar("others@globex.example", None)


def _put_calendar(world: World, provider: str, *, gone: bool) -> None:
    if provider == "google":
        world.sandbox.state.google.put_calendar(GOOGLE, gone=gone)
    else:
        world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, gone=gone)
