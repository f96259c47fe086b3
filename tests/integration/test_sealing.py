"""What meetings say, encrypted in Redis: by any of several keys, and readable whatever the settings were."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web
from prometheus_client import generate_latest
from redis.asyncio import Redis

from admin.metrics import REGISTRY
from bookings import dead_letters
from bookings.clock import now_ms
from bookings.dead_letters import Filter
from bookings.errors import SealError
from bookings.leases import SEALED_MS
from bookings.record import WriteState
from bookings.seal import Seal, new_key
from bookings.store import Store
from config.sections import EncryptionSettings
from network.outgoing import Outgoing
from receiver.public_port import PublicPort
from receiver.replay import replay_delivery
from receiver.server import receiver_runner
from receiver.signature import signature
from sandbox.server import Sandbox
from tests.callbacks import SEQUENCING
from tests.conftest import FIRST_SECRET, Settle
from tests.integration.calendars import Clock, World, calendar_secrets, calendar_tables, one_part
from tests.integration.scan import everything_in
from tests.integration.scheduling import office, sequencing
from workers.calendars.directory import Directory
from workers.sync import Sync

PLANTED = "planted words"
WRITTEN_BY_PEOPLE = {"summary", "description", "location", "display_name", "email", "name"}
BODY = one_part("google", summary=PLANTED, description=PLANTED)

Make = Callable[..., World]


@pytest.fixture
async def made(settle: Settle, redis: Redis, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes a worker's world with its own idea of the keys; all of them share one record."""
    (tmp_path / "keys").write_text(new_key())
    async with Outgoing(settle().network) as outgoing, AsyncExitStack() as stack:

        def make(*, keys: str | None = f"file:{tmp_path}/keys", bookings: bool = True) -> World:
            settings = settle(
                secrets=calendar_secrets(sandbox),
                **calendar_tables(sandbox),
                encryption={"keys": [keys] if keys else [], "bookings": bookings},
            )
            store, clock = Store.of(settings, redis), Clock()
            directory = stack.enter_context(closing(Directory(settings, outgoing)))
            sync = Sync(store, settings, directory, worker="test", clock=clock)
            return World(settings, store, sandbox, sync, clock)

        yield make


async def test_nothing_in_redis_says_what_a_meeting_is_about(made: Make, redis: Redis) -> None:
    world = made()
    world.sandbox.state.faults.add(fault="drop_after", provider="google", method="POST", count=1)
    await world.accept(BODY)
    await world.work()
    write = await world.write(BODY)
    assert (write.state, write.intent is not None) == (WriteState.RETRYING, True)
    assert PLANTED.encode() not in await everything_in(redis)
    assert write.intent is not None
    assert PLANTED.encode() in bytes(write.intent.body)  # for who has the key

    await world.work_until_done()
    assert world.event("google").summary == PLANTED
    assert PLANTED.encode() not in await everything_in(redis)


def planted(value: Any) -> Any:
    """The same JSON, with every text that a person may have written replaced by one to look for."""
    match value:
        case dict():
            return {
                name: PLANTED if name in WRITTEN_BY_PEOPLE else planted(each) for name, each in value.items()
            }
        case list():
            return [planted(each) for each in value]
        case _:
            return value


async def test_no_text_of_a_whole_callback_is_found_wherever_its_writes_stand(
    made: Make, redis: Redis
) -> None:
    world = made()
    whole = planted(json.loads(SEQUENCING))
    for part in whole["sequence"]:
        part["event"] |= {"description": PLANTED, "location": {"description": PLANTED}}
    body = json.dumps(whole).encode()
    assert body.count(PLANTED.encode()) >= 7

    async def look(*states: WriteState) -> None:
        writes = [write for part in (await world.booking(body)).parts for write in part.writes]
        assert {write.state for write in writes} == set(states)
        assert PLANTED.encode() not in await everything_in(redis)

    await world.accept(body)
    await look()
    world.fault("google", "drop_after", method="POST")
    world.fault("microsoft", "error;status=400", method="POST")
    await world.work()
    await look(WriteState.RETRYING, WriteState.DEAD)
    [letter] = [each async for each in dead_letters.find(world.store, Filter())]
    assert await world.store.ask(*letter.place[:2], f"replay {letter.place[2]}", dead_letter=letter.id)
    await world.work_until_done()
    await look(WriteState.WRITTEN)
    assert [event.summary for event in world.events()] == [PLANTED, PLANTED]
    await world.cancel(body)
    await world.work_until_done()
    await look(WriteState.CANCELLED)


async def test_a_delivery_that_nobody_can_read_is_encrypted_and_replayed(made: Make, redis: Redis) -> None:
    world = made()
    await world.store.quarantine(
        delivery="d1", app="hiring", link=None, reason="?", body=BODY, dead_letters_limit=10
    )
    assert PLANTED.encode() not in await everything_in(redis)
    letter = await dead_letters.get(world.store, "delivery:d1")
    assert letter is not None
    assert letter.body == BODY
    quarantined = await world.store.quarantined("d1")
    assert quarantined is not None
    assert quarantined.body == BODY
    await replay_delivery(world.store, world.settings, letter)
    await world.work_until_done()
    assert world.event("google").summary == PLANTED


async def test_a_body_that_looks_encrypted_is_kept_as_it_is(made: Make) -> None:
    world = made(bookings=False)
    body = b'"%s"' % made().store.seal.seal(b"{}")
    await world.store.quarantine(
        delivery="d1", app="hiring", link=None, reason="?", body=body, dead_letters_limit=10
    )
    letter = await dead_letters.get(world.store, "delivery:d1")
    assert letter is not None
    assert letter.body == body


@pytest.mark.parametrize("before", [True, False])
async def test_what_was_stored_before_encryption_was_switched_stays_readable(
    made: Make, before: bool
) -> None:
    earlier, later = made(bookings=before), made(bookings=not before)
    earlier.sandbox.state.faults.add(fault="drop_after", provider="google", method="POST", count=1)
    await earlier.accept(BODY)
    await earlier.work()
    await later.work_until_done()
    assert later.event("google").summary == PLANTED
    assert (await earlier.write(BODY)).state is WriteState.WRITTEN


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "encryption.keys: there is none"),
        (new_key(), "encryption.keys: none of them opens what is stored"),
    ],
    ids=["no key", "another key"],
)
async def test_without_its_key_a_part_waits_and_does_not_die(
    made: Make, redis: Any, tmp_path: Path, key: str, problem: str
) -> None:
    right = made()
    await right.accept(BODY)
    (tmp_path / "other").write_text(key)
    wrong = made(keys=f"file:{tmp_path}/other" if key else None, bookings=False)
    with pytest.raises(SealError, match=problem):
        await wrong.booking(BODY)

    await wrong.work()
    assert await redis.zrange(right.store.keys.dead, 0, -1) == []
    [(member, look_again)] = await redis.zrange(right.store.keys.open, 0, -1, withscores=True)
    assert SEALED_MS - 5000 < look_again - now_ms() <= SEALED_MS
    await right.work()
    assert right.events() == []  # not before its time

    bid, pid = member.decode().split(":")
    await redis.hdel(right.store.keys.booking(bid), f"lease:{pid}")  # that time is over
    await right.work()
    assert right.event("google").summary == PLANTED


async def test_for_want_of_a_key_the_receiver_answers_503_and_stores_nothing(
    made: Make, redis: Redis
) -> None:
    settings = made().settings
    keyless = EncryptionSettings(bookings=True)
    runner = receiver_runner(PublicPort(settings, Store(redis, "sequence-sync", Seal(keyless))), settings)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks/hiring"
    try:
        async with aiohttp.ClientSession() as session:
            for body in (BODY, b"unreadable"):
                headers = {"Cronofy-HMAC-SHA256": signature(body, secret=FIRST_SECRET).decode()}
                async with session.post(url, data=body, headers=headers) as answer:
                    assert (answer.status, await answer.json()) == (503, {"error": "secret_unavailable"})
                    assert answer.headers["Retry-After"]
        assert await redis.keys() == []
    finally:
        await runner.cleanup()


async def test_a_new_key_goes_first_and_the_old_one_still_opens(
    made: Make, redis: Redis, tmp_path: Path
) -> None:
    old, new = (tmp_path / "keys").read_text(), new_key()
    world = made()
    await world.accept(BODY)
    (tmp_path / "rotated").write_text(f"{new}\n{old}\n")
    rotated = made(keys=f"file:{tmp_path}/rotated")
    await rotated.accept(one_part("google", event_id="booking-2", summary=PLANTED))
    await rotated.work_until_done()
    assert len(rotated.events()) == 2

    (tmp_path / "new").write_text(new)
    only_new = made(keys=f"file:{tmp_path}/new")
    assert await only_new.booking(one_part("google", event_id="booking-2"))
    with pytest.raises(SealError):
        await only_new.booking(BODY)


async def test_an_exported_dead_letter_goes_back_encrypted(made: Make, redis: Redis) -> None:
    world = made()
    world.sandbox.state.faults.add(fault="error;status=400", provider="google", count=None)
    await world.accept(BODY)
    await world.work()
    [letter] = [each async for each in dead_letters.find(world.store, Filter())]
    assert letter.write is not None
    await redis.flushall()
    assert await world.store.restore(letter) == "restored"
    assert PLANTED.encode() not in await everything_in(redis)
    assert await dead_letters.get(world.store, letter.id) == letter
    assert await world.store.restore(letter) == "there"


async def test_nothing_that_a_sender_wrote_stands_in_redis_in_a_log_or_in_a_metric(
    settle: Settle, store: Store, sandbox: Sandbox, redis: Redis, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text(new_key())
    sealed = {"keys": [f"file:{tmp_path}/keys"], "bookings": True}
    routes = [{"app": "hiring", "calendars": ["interviews"]}]
    async with office(settle, store, sandbox, encryption=sealed, routes=routes) as opened:
        world = opened.world
        store.follow(world.settings)
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
            await opened.ask("real_time_sequencing", marked_link())
            [link] = await opened.links()
            await sandbox.pick(link.cronofy_id)
            async with aiohttp.ClientSession() as session:
                for body in marked_callbacks():
                    url = f"{world.settings.receiver.public_url}/callbacks/hiring"
                    said = await session.post(url, data=body, headers=signed(body))
                    assert said.status in (200, 202)
            shown = [await everything_in(redis)]
            world.fault("google", "drop_after", method="POST")
            for _ in range(3):
                await world.work()
                shown.append(await everything_in(redis))
        [again] = await opened.links()
        assert (again.targets, again.forward_to) == (
            link.targets,
            (f"https://{MARK}.example/{MARK}?t={MARK}",),
        )
        letters = [each async for each in dead_letters.find(store, Filter())]
        bookings = [each async for each in store.bookings()]
    assert {each.reason for each in letters} == {"permanent", "unreadable"}
    assert any(MARK in each.event_id for each in letters)
    writes = [write for booking in bookings for part in booking.parts for write in part.writes]
    assert any("unknown_zone: read as Etc/UTC" in write.degraded for write in writes)
    assert {write.state for write in writes} >= {WriteState.WRITTEN, WriteState.DEAD, WriteState.RETRYING}
    shown += [str(lines).encode(), generate_latest(REGISTRY)]
    assert [MARK in each.decode("latin-1").lower() for each in shown] == [False] * len(shown)


MARK = "planted"


def signed(body: bytes) -> dict[str, str]:
    return {"Cronofy-HMAC-SHA256": f"{MARK},{signature(body, secret=FIRST_SECRET).decode()}"}


def marked(value: Any) -> Any:
    """The same JSON with a mark in each text that is no time."""
    match value:
        case dict():
            return {name: marked(each) for name, each in value.items()}
        case list():
            return [marked(each) for each in value]
        case str() if not value[:4].isdigit() or value.isdigit():
            return f"{MARK} {value}"
        case _:
            return value


def marked_callbacks() -> list[bytes]:
    whole = marked(json.loads(SEQUENCING))
    for part in whole["sequence"]:
        part["event"] |= marked(
            {"description": "x", "location": {"description": "x"}, "color": "x", "url": "x"}
        )
    broken = {**whole, "event": {**whole["event"], "event_id": f"{MARK} other"}}
    broken["sequence"] = [
        {**broken["sequence"][0], "event": {"start": MARK, "end": MARK}},
        {
            **broken["sequence"][1],
            "event": {"start": {"time": "2030-01-01T09:00:00", "tzid": MARK}, "end": MARK},
        },
    ]
    notice = {"notification": {"type": f"{MARK} type"}}
    unreadable = {"event": {"event_id": MARK, MARK: 1}, "sequence": [{"sequence_id": {MARK: MARK}}]}
    return [json.dumps(each).encode() for each in (whole, broken, notice, unreadable)]


def marked_link() -> dict[str, Any]:
    request = sequencing(callback_url=f"https://{MARK}.example/{MARK}?t={MARK}")
    for part in (request, *request["availability"]["sequence"]):
        part["event"] |= {"event_id": f"{MARK} id", "summary": MARK, "description": MARK}
    for part in request["availability"]["sequence"]:
        part["sequence_id"] = f"{MARK} {part['sequence_id']}"
    return request
