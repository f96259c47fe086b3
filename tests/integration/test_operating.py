"""What an operator asks for: replay, discard, resync, cancel."""

import asyncio

import pytest

from bookings.errors import Overtaken
from bookings.links import LinkTarget
from bookings.record import UNROUTED, WriteState
from sandbox.person import Person
from tests.callbacks import SEQUENCING, changed, moved
from tests.integration.calendars import PROVIDERS, World, one_part, utc

both = pytest.mark.parametrize("provider", PROVIDERS)


async def replay(world: World, body: bytes) -> bool:
    booking = await world.booking(body)
    [part] = booking.parts
    [write] = part.writes
    letter = f"{booking.id}:{part.id}:{write.id}"
    return await world.store.ask(
        booking.id, part.id, f"replay {write.id}", dead_letter=letter, revision=write.revision
    )


async def kill(world: World, provider: str) -> bytes:
    """A booking whose write is a dead letter, since its calendar answers with errors for too long."""
    world.fault(provider, "error;status=400", count=None)
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.DEAD
    world.sandbox.state.faults.clear()
    return body


@both
async def test_a_replay_after_the_cause_was_mended_ends_in_the_event(world: World, provider: str) -> None:
    body = await kill(world, provider)
    assert await replay(world, body)
    assert await world.store.dead_letters(limit=5) == []
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)
    write = await world.write(body)
    assert (write.state, len(write.attempts)) == (WriteState.WRITTEN, 1)


async def test_replaying_twice_at_once_does_it_once(world: World) -> None:
    body = await kill(world, "google")
    assert sorted(await asyncio.gather(*(replay(world, body) for _ in range(5)))) == [False] * 4 + [True]
    await world.work_until_done()
    assert world.requests("google").count("POST") == 2
    assert world.event("google").starts_at == utc(11)


async def test_a_replay_that_fails_again_is_a_dead_letter_again(world: World) -> None:
    body = await kill(world, "google")
    world.fault("google", "error;status=400")
    await replay(world, body)
    await world.work()
    assert len(await world.store.dead_letters(limit=5)) == 1
    assert len((await world.write(body)).attempts) == 2


async def test_a_replay_of_what_a_newer_revision_has_overtaken_is_refused(world: World) -> None:
    body = await kill(world, "google")
    await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    with pytest.raises(Overtaken):
        await replay(world, body)


async def test_an_unrouted_part_is_routed_afresh_by_a_replay(world: World) -> None:
    body = one_part("789")
    await world.accept(body)
    await world.find_no_route()
    assert (await world.write(body)).id == UNROUTED
    await replay(world, body)
    await world.work()
    assert await world.store.dead_letters(limit=5) == []  # it waits for a route again
    await world.find_no_route()
    assert len(await world.store.dead_letters(limit=5)) == 1
    await replay(world, body)
    link = await world.store.register_link("hiring", "t", {"789": (LinkTarget("panel"),)}, keep_s=60)
    booking = await world.booking(body)
    await world.store.redis.hset(world.store.keys.booking(booking.id), "link", link)
    await world.work_until_done()
    assert world.event("microsoft").starts_at == utc(11)
    assert (await world.booking(body)).state == "done"


async def test_an_ask_that_comes_while_the_part_is_worked_on_is_heard(world: World) -> None:
    body = await kill(world, "google")
    booking = await world.booking(body)
    world.fault("google", "hold", method="POST")
    await replay(world, body)
    under_way = asyncio.create_task(world.work())
    await world.held()
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    world.sandbox.state.faults.release()
    await under_way
    assert world.requests("google")[-2:] == ["GET", "PATCH"]  # looked at and written once more
    assert (await world.booking(body)).state == "done"


async def test_a_resync_repairs_what_a_person_changed_in_our_fields_and_leaves_what_was_deleted(
    world: World,
) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    google, microsoft = world.event("google"), world.event("microsoft")
    person = Person(world.sandbox.state)
    person.edits("google", google.calendar, google.id, {"summary": "Changed by hand"})
    person.deletes("microsoft", microsoft.calendar, microsoft.id)
    booking = await world.booking(SEQUENCING)
    for part in booking.parts:
        await world.store.ask(booking.id, part.id, "resync")
    await world.work_until_done()
    assert (world.event("google").starts_at, world.event("google").summary) == (utc(11), "Pre screen")
    assert world.events("microsoft") == []
    [_, deleted] = [part.writes[0] for part in (await world.booking(SEQUENCING)).parts]
    assert (deleted.state, deleted.reason) == (WriteState.WRITTEN, "deleted_by_person")


# -- cancelling


async def test_cancelling_what_is_not_there_says_so(world: World) -> None:
    assert await world.store.cancel("nothing") is None


async def test_a_late_repeat_does_not_bring_a_cancelled_booking_back(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    await world.store.cancel((await world.booking(SEQUENCING)).id)
    await world.work_until_done()
    await world.accept(SEQUENCING)
    await world.work_until_done()
    assert world.events() == []


# -- parts that a newer delivery no longer lists


async def test_a_part_that_is_no_longer_listed_is_left_alone_and_reported(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    await world.accept(_without_second_part())
    await world.work()
    assert len(world.events()) == 2
    assert [part.listed for part in (await world.booking(SEQUENCING)).parts] == [True, False]


async def test_a_part_that_is_no_longer_listed_is_removed_if_so_configured(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    await world.accept(_without_second_part(), prune=True)
    await world.work_until_done()
    assert [event.provider for event in world.events()] == ["google"]
    await world.accept(moved(2), prune=True)
    await world.work_until_done()
    assert sorted(event.starts_at for event in world.events()) == [utc(13), utc(14)]


def _without_second_part() -> bytes:
    return changed(sequence__1=None)
