"""41: a signed booking is lost. Answered `ignored` for what stands beside it, or 404 on a link that is not known."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bookings.dead_letters import DeadLetter, Filter, find
from bookings.errors import BookingsError, Overtaken, Unrouted
from bookings.links import LinkTarget
from receiver.public_port import PublicPort
from receiver.replay import replay_delivery
from receiver.server import receiver_runner
from tests.callbacks import SCHEDULING, SEQUENCING, changed, moved
from tests.integration.calendars import World, one_part, utc
from tests.integration.conftest import Receiver

pytestmark = pytest.mark.fault(number=41)

LOST = "/callbacks/hiring/lost"
NOBODYS = pytest.mark.settings(routes=[])


@pytest.fixture
async def receiver(world: World) -> AsyncIterator[Receiver]:
    """The receiver of the world."""
    runner = receiver_runner(PublicPort(world.settings, world.store), world.settings)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield Receiver(runner.addresses[0][1], session)
    await runner.cleanup()


async def letters(world: World, reason: str) -> list[DeadLetter]:
    return [letter async for letter in find(world.store, Filter(reason=reason))]


# -- something stands beside it


@pytest.mark.parametrize(
    "notification", [{"type": "change"}, {"type": "verification"}, {"type": "unheard_of"}, {}, [], "x", 0]
)
async def test_a_booking_that_has_a_notification_beside_it_is_written(
    world: World, receiver: Receiver, notification: object
) -> None:
    answer = await receiver.post(changed(notification=notification, new_in_2027={}))
    assert (answer.status, answer.data.get("status")) == (202, "accepted")
    await world.work_until_done()
    assert {event.starts_at for event in world.events()} == {utc(11), utc(12)}


@pytest.mark.settings(routes=[{"app": "hiring", "calendars": ["interviews"]}])
async def test_so_is_one_without_a_sequence(world: World, receiver: Receiver) -> None:
    answer = await receiver.post(changed(SCHEDULING, notification={"type": "smart_invite"}, sequence=[]))
    assert answer.data.get("status") == "quarantined"
    answer = await receiver.post(changed(SCHEDULING, notification={"type": "smart_invite"}))
    assert answer.data.get("status") == "accepted"
    await world.work_until_done()
    assert [event.summary for event in world.events()] == ["Site visit"]


@pytest.mark.parametrize(
    "body",
    [
        {"notification": {}},
        {"notification": {"type": None}},
        {"notification": ["verification"]},
        {"notification": {"type": "change"}, "sequence": []},
        {"notification": {"type": "change"}, "sequence": {}},
        {"notification": {"type": "change"}, "event": {"start": "2026-04-30T11:00:00Z"}},
        {"notification": {"type": "change"}, "booking": json.loads(SEQUENCING)},
        {"event": {"event_id": "x"}},
    ],
)
async def test_what_is_signed_and_not_understood_is_kept(
    world: World, receiver: Receiver, body: dict[str, object]
) -> None:
    answer = await receiver.post(json.dumps(body).encode())
    assert (answer.status, answer.data.get("status")) == (202, "quarantined")
    assert [json.loads(letter.body) for letter in await letters(world, "unreadable")] == [body]


@pytest.mark.parametrize("kind", ["verification", "change", "profile_disconnected", "unheard_of"])
async def test_a_notification_alone_is_still_ignored(world: World, receiver: Receiver, kind: str) -> None:
    answer = await receiver.post(json.dumps({"notification": {"type": kind}, "channel": {}}).encode())
    assert (answer.status, answer.data) == (200, {"status": "ignored", "type": kind})
    assert await world.store.redis.keys() == []


# -- its link is not known


async def lost(world: World, receiver: Receiver, body: bytes = SEQUENCING) -> DeadLetter:
    """A booking on a link that the record does not know, and what is kept of it."""
    answer = await receiver.post(body, path=LOST)
    assert (answer.status, answer.data.get("status")) == (202, "quarantined")
    [letter] = await letters(world, "unknown_link")
    assert letter.body == body
    return letter


async def replay(world: World, letter: DeadLetter) -> None:
    try:
        await replay_delivery(world.store, world.settings, letter)
    except BookingsError as error:
        pytest.fail(f"refused: {error}")
    await world.work_until_done()


@NOBODYS
async def test_a_booking_on_an_unknown_link_is_written_once_the_link_is_known_again(
    world: World, receiver: Receiver
) -> None:
    letter = await lost(world, receiver)
    targets = {"123": (LinkTarget("interviews"),), "456": (LinkTarget("panel"),)}
    await world.store.register_link("hiring", "lost", targets, keep_s=60)
    await replay(world, letter)
    assert {(event.calendar, event.starts_at) for event in world.events()} == {
        ("interviews@globex.example", utc(11)),
        ("panel@globex.example", utc(12)),
    }
    assert await letters(world, "unknown_link") == []
    assert (await world.booking(SEQUENCING)).link == letter.link
    again = await receiver.post(SEQUENCING, path=LOST)
    assert (again.status, again.data.get("status")) == (200, "duplicate")


async def test_so_it_is_where_routes_say_where_it_goes(world: World, receiver: Receiver) -> None:
    await replay(world, await lost(world, receiver))
    assert {event.starts_at for event in world.events()} == {utc(11), utc(12)}
    assert await letters(world, "unknown_link") == []
    again = await receiver.post(SEQUENCING, path=LOST)
    assert (again.status, again.data.get("status")) == (200, "duplicate")
    assert len(world.events()) == 2


@NOBODYS
async def test_where_nothing_says_so_it_stays_kept_and_the_replay_says_why(
    world: World, receiver: Receiver
) -> None:
    letter = await lost(world, receiver)
    with pytest.raises(Unrouted, match="no route says where"):
        await replay_delivery(world.store, world.settings, letter)
    assert await letters(world, "unknown_link") == [letter]
    assert (await world.store.counts())["open"] == 0


async def test_a_part_that_no_route_knows_is_a_dead_letter_of_its_own(
    world: World, receiver: Receiver
) -> None:
    await replay(world, await lost(world, receiver, changed(sequence__1__sequence_id="789")))
    assert [event.starts_at for event in world.events()] == [utc(11)]
    assert [letter.sequence_id for letter in await letters(world, "unrouted")] == ["789"]


async def test_it_is_not_written_over_what_was_booked_since(world: World, receiver: Receiver) -> None:
    letter = await lost(world, receiver)
    await receiver.post(moved(2))
    await world.work_until_done()
    with pytest.raises(Overtaken):
        await replay_delivery(world.store, world.settings, letter)
    assert {event.starts_at for event in world.events()} == {utc(13), utc(14)}
    assert await letters(world, "unknown_link") == [letter]


async def test_it_is_newer_than_what_was_booked_before(world: World, receiver: Receiver) -> None:
    await receiver.post(SEQUENCING)
    await world.work_until_done()
    await replay(world, await lost(world, receiver, moved(2)))
    assert {event.starts_at for event in world.events()} == {utc(13), utc(14)}


async def test_it_is_taken_once_whatever_came_first_the_repeat_or_the_replay(
    world: World, receiver: Receiver
) -> None:
    body = one_part("123")
    letter = await lost(world, receiver, body)
    await world.store.register_link("hiring", "lost", {"123": (LinkTarget("interviews"),)}, keep_s=60)
    assert (await receiver.post(body, path=LOST)).data.get("status") == "accepted"
    revision = (await world.booking(body)).revision
    await replay(world, letter)
    assert (await world.booking(body)).revision == revision
    assert len(world.events()) == 1
    assert await letters(world, "unknown_link") == []
