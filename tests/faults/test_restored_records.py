"""Fault 42: a restored record is behind the calendars, and everything is green.

What was booked since the copy is in calendars and in no record; what was moved since stands in the record at its
old time; and a clock that is behind gives new revisions that calendars take for old ones.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from admin.metrics import REGISTRY
from bookings.record import WriteState
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc
from tests.integration.copies import copy_of, restored
from workers.calendars.google_fields import REVISION
from workers.calendars.microsoft_fields import VERSION
from workers.metrics import Alarm

pytestmark = pytest.mark.fault(number=42)

both = pytest.mark.parametrize("provider", PROVIDERS)
LATER, LATEST = "2026-04-30T11:30:00Z", "2026-04-30T11:45:00Z"
TEN_MINUTES_MS = 600_000


@asynccontextmanager
async def alarms(count: int) -> AsyncIterator[None]:
    """So many times is a record found behind meanwhile."""

    def so_far() -> float:
        labels = {"kind": str(Alarm.RECORD_BEHIND)}
        return REGISTRY.get_sample_value("sequence_sync_alarms_total", labels) or 0

    before = so_far()
    yield
    assert so_far() == before + count


def of_a_clock_ahead(world: World, provider: str, *, by_ms: int = TEN_MINUTES_MS) -> int:
    """The event's revision is from before the restore, by a clock ahead of today's; gives it."""
    ours = world.event(provider)
    if provider == "google":
        revision = int(world.sandbox.state.google.calendars[GOOGLE].events[ours.id].private[REVISION]) + by_ms
        changed = {"extendedProperties": {"private": {REVISION: str(revision)}}}
        Person(world.sandbox.state).edits(provider, GOOGLE, ours.id, changed)
        return revision
    mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
    event = mailbox.events[ours.id]
    old, _, digest = event.properties[VERSION].partition(" ")
    revision = int(old) + by_ms
    properties = {**event.properties, VERSION: f"{revision} {digest}"}
    mailbox.put(replace(event, properties=properties, change_key=f"{event.change_key}2"))
    return revision


async def resync(world: World, body: bytes) -> None:
    booking = await world.booking(body)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()


@both
async def test_an_event_that_is_newer_than_anything_on_record_is_an_alarm(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    copy = await copy_of(world.store.redis)
    await world.accept(one_part(provider, start=LATER))
    await world.work()
    await restored(world.store.redis, copy)
    async with alarms(1):
        await resync(world, body)
    assert world.event(provider).starts_at == utc(11, 30)
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.SUPERSEDED, "record_behind")


@both
@pytest.mark.settings(worker={"request_timeout": "20s"})
async def test_a_newer_revision_that_came_in_meanwhile_is_no_alarm(world: World, provider: str) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    booking = await world.booking(body)
    [part] = booking.parts
    world.fault(provider, "late", method="GET")
    await world.store.ask(booking.id, part.id, "resync")
    async with alarms(0):
        working = asyncio.create_task(world.work())
        await world.held()
        newest = of_a_clock_ahead(world, provider)
        await world.store.redis.hset(world.store.keys.booking(booking.id), f"rev:{part.id}", str(newest))
        world.sandbox.state.faults.release()
        await working
    assert (await world.write(body)).state is WriteState.WRITTEN


@both
async def test_with_a_clock_that_is_behind_the_next_reschedule_is_written(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    newest = of_a_clock_ahead(world, provider)
    async with alarms(1):
        await world.accept(one_part(provider, start=LATER))
        await world.work()
    assert world.event(provider).starts_at == utc(11)
    async with alarms(0):
        assert await world.accept(one_part(provider, start=LATEST)) > newest
        await world.work()
    assert world.event(provider).starts_at == utc(11, 45)
    assert await world.accept(one_part(provider, event_id="another")) > newest


@both
async def test_an_event_that_is_newer_than_its_cancel_is_an_alarm_and_the_next_cancel_removes_it(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    of_a_clock_ahead(world, provider)
    async with alarms(1):
        await world.cancel(body)
        await world.work()
    assert world.events(provider)
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.SUPERSEDED, "record_behind")
    await world.cancel(body)
    await world.work()
    assert world.events(provider) == []
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
async def test_a_mark_beyond_all_times_does_not_spoil_the_revisions_of_others(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    of_a_clock_ahead(world, provider, by_ms=2**53)
    async with alarms(1):
        await world.accept(one_part(provider, start=LATER))
        await world.work()
    assert await world.accept(one_part(provider, event_id="another")) < 2**52
