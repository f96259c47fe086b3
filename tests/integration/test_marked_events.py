"""Events that carry our mark, asked of a calendar over a period: what a search for strays goes by."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bookings.accounts import Accounts
from network.outgoing import Outgoing
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc
from workers.calendars.directory import Directory
from workers.calendars.google_fields import REVISION
from workers.calendars.microsoft_fields import VERSION
from workers.calendars.port import Found
from workers.errors import CalendarError, ErrorClass
from workers.times import Timed

both = pytest.mark.parametrize("provider", PROVIDERS)
NAMES = {"google": "interviews", "microsoft": "panel"}


class Asked:
    """Calendars that are asked, by default about the day of the documented callback."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def __call__(self, provider: str, start: int = 0, end: int = 23) -> list[Found]:
        begin, stop = (int(utc(hour).timestamp()) for hour in (start, end))
        return await self._directory.calendar(NAMES[provider]).marked(begin, stop)

    def made(self, provider: str, found: Found) -> bool:
        """Whether an event has what only a create of ours can have given it."""
        return found.proof == self._directory.calendar(NAMES[provider]).proof(found.key)


@pytest.fixture
async def ask(world: World) -> AsyncIterator[Asked]:
    async with Outgoing(world.settings.network) as outgoing:
        directory = Directory(world.settings, outgoing, Accounts(world.store))
        yield Asked(directory)
        directory.close()


def at(world: World, provider: str) -> tuple[str, str]:
    """Where the event that we made is, and its id."""
    event = world.event(provider)
    return event.calendar, event.id


async def written(world: World, provider: str, **fields: Any) -> None:
    await world.accept(one_part(provider, **fields))
    await world.work_until_done()


@both
async def test_what_we_made_is_given_with_all_that_tells_whose_it_is(
    world: World, ask: Asked, provider: str
) -> None:
    await written(world, provider)
    [found] = await ask(provider)
    write = await world.write(one_part(provider))
    assert (found.event_id, found.revision, found.digest) == (write.event_id, write.revision, write.digest)
    assert found.when == Timed(utc(11), utc(12))
    assert (found.uid, found.recurring, ask.made(provider, found)) == (write.uid, False, True)
    assert found.url


@both
async def test_a_copy_is_among_them_without_the_proof_that_we_made_it(
    world: World, ask: Asked, provider: str
) -> None:
    await written(world, provider)
    copy = Person(world.sandbox.state).copies(provider, *at(world, provider))
    found = {each.event_id: each for each in await ask(provider)}
    assert len(found) == 2
    assert not ask.made(provider, found[copy])


@both
async def test_other_people_s_events_and_cancelled_ones_are_not(
    world: World, ask: Asked, provider: str
) -> None:
    await written(world, provider)
    Person(world.sandbox.state).deletes(provider, *at(world, provider))
    start, end = ({"dateTime": f"2026-04-30T{hour}:00:00", "timeZone": "UTC"} for hour in (11, 12))
    state, theirs = world.sandbox.state, {"start": start, "end": end}
    if provider == "google":
        state.google.insert(state.google.calendars[GOOGLE], theirs)
    else:
        mailbox = state.microsoft.put_mailbox(MICROSOFT)
        state.microsoft.create(mailbox, mailbox.calendar(None), theirs, immutable=True)
    assert len(world.events(provider)) == 1
    assert await ask(provider) == []


@both
async def test_only_those_that_touch_the_period_are(world: World, ask: Asked, provider: str) -> None:
    await written(world, provider)
    assert len(await ask(provider, 10, 12)) == 1
    assert await ask(provider, 12, 14) == []
    assert await ask(provider, 8, 11) == []


@both
async def test_all_pages_are_read(world: World, ask: Asked, provider: str) -> None:
    await written(world, provider)
    where, event_id = at(world, provider)
    if provider == "google":
        calendar = world.sandbox.state.google.calendars[where]
        for number in range(2500):
            calendar.put(replace(calendar.events[event_id], id=f"copy{number}", serial=10 + number))
    else:
        mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
        for number in range(1000):
            name = f"copy{number}"
            mailbox.put(replace(mailbox.events[event_id], immutable_id=name, mutable_id=f"m-{name}"))
    assert len(await ask(provider)) == (2501 if provider == "google" else 1001)


@both
async def test_a_calendar_that_is_gone_is_told_from_one_without_any(
    world: World, ask: Asked, provider: str
) -> None:
    if provider == "google":
        world.sandbox.state.google.put_calendar(GOOGLE, gone=True)
    else:
        world.sandbox.state.microsoft.put_mailbox(MICROSOFT, rest_enabled=False)
    with pytest.raises(CalendarError) as raised:
        await ask(provider)
    assert raised.value.error_class is ErrorClass.PARK


@both
async def test_a_mark_that_says_no_revision_is_of_the_oldest(world: World, ask: Asked, provider: str) -> None:
    await written(world, provider)
    where, event_id = at(world, provider)
    if provider == "google":
        private = {"extendedProperties": {"private": {REVISION: "not a number"}}}
        Person(world.sandbox.state).edits(provider, where, event_id, private)
    else:
        mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
        event = mailbox.events[event_id]
        mailbox.put(replace(event, properties={**event.properties, VERSION: "nonsense"}))
    assert [found.revision for found in await ask(provider)] == [0]
    await written(world, provider, start="2026-04-30T11:30:00Z")
    assert world.event(provider).starts_at == utc(11, 30)


@both
async def test_no_text_of_a_meeting_is_asked_for(world: World, ask: Asked, provider: str) -> None:
    await written(world, provider, summary="planted words")
    [found] = await ask(provider)
    assert "planted" not in found.text
    asked = [each for each in world.sandbox.state.journal.requests if each.provider == provider][-1]
    assert "summary" not in asked.query
    assert "subject" not in asked.query
