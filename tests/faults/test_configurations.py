"""A process works by an old configuration, and nobody sees it: what it does not know.

35: a receiver has a new app and a worker has the old file, so each of the app's parts is a dead letter within a second;
a route is added and the dead letter replayed, which "replayed" says, and it is dead again, since no worker has read
the file; a changed file that is wrong is met only by the next restart, in the middle of the night.
"""

import json
from typing import Any

import pytest

from bookings import dead_letters
from bookings.dead_letters import DeadLetter, Filter
from bookings.identity import delivery_id
from bookings.links import LinkTarget
from bookings.operating import Act, Selection, carry_out
from bookings.record import UNROUTED, Forward, WriteState
from bookings.state import UNROUTED_AGAIN_S
from receiver.callback import Callback, read_callback
from tests.callbacks import SEQUENCING
from tests.faults.conftest import Hire
from tests.integration.calendars import PROVIDERS, ROUTES, World, one_part, utc
from tests.integration.test_forwarding import Company, company

__all__ = ["company"]

pytestmark = pytest.mark.fault(number=35)
both = pytest.mark.parametrize("provider", PROVIDERS)
APPS = [{"name": "another", "client_secrets": ["env:FIRST"]}]


async def letters(world: World) -> list[DeadLetter]:
    return [letter async for letter in dead_letters.find(world.store, Filter())]


# -- a worker that has an older file


@both
@pytest.mark.parametrize(
    "older",
    [{"apps": APPS, "routes": []}, {"routes": []}, {"routes": [{**ROUTES[0], "sequence_id": "another"}]}],
    ids=["app", "routes", "route"],
)
async def test_what_an_older_worker_does_not_know_waits_for_a_newer_one(
    world: World, hire: Hire, provider: str, older: dict[str, Any]
) -> None:
    colleague, body = await hire(**older), one_part(provider)
    await world.accept(body)
    for _ in range(4):
        await colleague.work()
        await world.let_pass(UNROUTED_AGAIN_S)
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.RETRYING, UNROUTED)
    assert await letters(world) == []
    await world.work()
    assert world.event(provider).starts_at == utc(11)
    assert (await world.booking(body)).state == "done"


async def test_a_part_is_looked_at_again_each_minute_without_anybody_asking(world: World, hire: Hire) -> None:
    colleague, body = await hire(routes=[]), one_part("google")
    await world.accept(body)
    await colleague.work()
    [(_, due_at)] = await world.store.redis.zrange(
        world.store.keys.queue_of("hiring"), -1, -1, withscores=True
    )
    assert 0.4 * UNROUTED_AGAIN_S < (due_at - world.clock()) / 1000 <= UNROUTED_AGAIN_S


async def test_a_calendar_that_only_the_link_and_newer_workers_know_is_not_left_out(
    world: World, hire: Hire
) -> None:
    tables = [each.model_dump(exclude_defaults=True) for each in world.settings.calendars]
    colleague = await hire(calendars=tables[:1], routes=ROUTES[:1])
    targets = {"1": (LinkTarget("interviews"), LinkTarget("panel"))}
    link = await world.store.register_link("hiring", "token", targets, keep_s=60)
    body = one_part("1")
    await world.accept(body, link=link)
    await colleague.work()
    assert [event.provider for event in world.events()] == ["google"]  # what it knows, it writes
    [part] = (await world.booking(body)).parts
    assert [(write.calendar, write.state) for write in part.writes] == [
        ("interviews", WriteState.WRITTEN),
        ("", WriteState.RETRYING),
    ]
    assert '"panel"' in part.writes[1].detail
    await world.let_pass(UNROUTED_AGAIN_S)
    await world.work()
    assert [event.provider for event in world.events()] == ["google", "microsoft"]
    assert (await world.booking(body)).state == "done"


async def test_an_app_that_only_newer_workers_know_is_not_written_in_a_zone_of_nobody_s(
    world: World, hire: Hire
) -> None:
    """Its link says where its parts go, but only its app in which zone."""
    newer = await hire(apps=[{**APPS[0], "name": "hiring", "default_zone": "Asia/Tokyo"}])
    older = await hire(apps=APPS, routes=[])
    link = await world.store.register_link("hiring", "token", {"1": (LinkTarget("interviews"),)}, keep_s=60)
    body = without_zone(one_part("1"))
    await world.accept(body, link=link)
    await older.work()
    assert world.events() == []
    await world.let_pass(UNROUTED_AGAIN_S)
    await newer.work()
    assert world.event("google").local_start == "2026-04-30 20:00 Asia/Tokyo"


def without_zone(body: bytes) -> bytes:
    """A callback that names no zone."""
    data = json.loads(body)
    for name in ("start", "end"):
        data["event"][name] = data["event"][name]["time"]
    return json.dumps(data).encode()


@pytest.mark.parametrize("apps", [APPS, [{**APPS[0], "name": "hiring"}]], ids=["no app", "no address"])
async def test_a_delivery_that_an_older_worker_does_not_pass_on_waits_for_a_newer_one(
    world: World, hire: Hire, company: Company, apps: list[dict[str, Any]]
) -> None:
    older = await hire(apps=apps, routes=[])
    newer = await hire(
        apps=[{**APPS[0], "name": "hiring", "forward_to": [company.url], "forward_to_private": True}]
    )
    await pass_on(world, SEQUENCING)
    await older.work()
    assert (await world.store.counts())["open"] == 3  # its two parts, and itself
    await world.let_pass(UNROUTED_AGAIN_S)
    await newer.work()
    assert [got.body for got in company.got] == [SEQUENCING]
    assert (await world.store.counts())["open"] == 0


async def test_a_delivery_that_nobody_passes_on_is_a_dead_letter(world: World) -> None:
    await pass_on(world, SEQUENCING)
    await world.find_no_route()
    [letter] = await letters(world)
    assert letter.detail.startswith("no forward_to says where this delivery is passed on to")
    said, done = await replayed(world)
    assert (said.startswith("replayed, but no forward_to says"), done) == (True, False)


async def pass_on(world: World, body: bytes) -> None:
    """Accepts a callback as a receiver does whose configuration has it passed on."""
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    await world.store.accept(
        app="hiring", event_id=str(callback.event_id), delivery=delivery_id("hiring", None, body),
        parts=callback.parts, link=None, forward=Forward(body, "signature"), forward_always=True,
        window_s=60, queue_limit=10, dead_letters_limit=10,
    )  # fmt: skip


async def test_what_an_outage_keeps_from_its_calendar_does_not_die_by_an_older_worker(
    world: World, hire: Hire
) -> None:
    body = one_part("google")
    world.fault("google", "error;status=500", method="POST")
    await world.accept(body)
    await world.work()
    colleague = await hire(apps=APPS, routes=[])
    await world.let_pass(60)
    await colleague.work()
    assert await letters(world) == []
    await world.let_pass(UNROUTED_AGAIN_S)
    await world.work()
    assert world.event("google").starts_at == utc(11)
    assert (await world.booking(body)).state == "done"


async def test_a_part_that_leads_nowhere_is_a_dead_letter_after_five_minutes(world: World) -> None:
    body = one_part("789")
    await world.accept(body)
    began = world.clock()
    while not (found := await letters(world)):
        await world.work()
        await world.let_pass(30)
    assert 300 <= (world.clock() - began) / 1000 <= 390
    assert (found[0].reason, found[0].detail) == (
        "unrouted",
        "no route says which calendar this part goes to; add it, have the workers read it, and replay what is dead",
    )


# -- a replay


async def replayed(world: World) -> tuple[str, bool]:
    """What a replay of the one dead letter says, and whether it says that it is done."""
    found = await letters(world)

    async def redeliver(letter: DeadLetter) -> object:
        raise AssertionError(letter)

    chosen = Selection((), Filter(), everything=True)
    [result] = await carry_out(
        world.store, Act.REPLAY, chosen, found, who="Anna", redeliver=redeliver, settings=world.settings
    )
    return result.said, result.done


async def test_a_replay_that_an_older_worker_takes_heals_when_a_newer_one_looks(
    world: World, hire: Hire
) -> None:
    colleague, body = await hire(routes=[]), one_part("google")
    await world.accept(body)
    await colleague.find_no_route()
    assert len(await letters(world)) == 1
    assert await replayed(world) == ("replayed, to interviews", True)
    await colleague.work()
    assert await letters(world) == []
    await world.let_pass(UNROUTED_AGAIN_S)
    await world.work()
    assert world.event("google").starts_at == utc(11)


async def test_a_replay_that_leads_nowhere_says_so(world: World) -> None:
    await world.accept(one_part("789"))
    await world.find_no_route()
    said, done = await replayed(world)
    assert not done
    assert (
        said
        == "replayed, but no route says which calendar this part goes to: open for 5 minutes, then dead again"
    )
    [noted] = await world.store.audit(limit=5)
    assert (noted["count"], noted["refused"]) == (1, 0)
    await world.work()
    assert await letters(world) == []
    await world.find_no_route()
    assert len(await letters(world)) == 1


@both
async def test_a_write_whose_route_is_gone_waits_when_it_is_replayed(
    world: World, hire: Hire, provider: str
) -> None:
    world.fault(provider, "error;status=400", method="POST")
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    [letter] = await letters(world)
    assert letter.reason == "permanent"
    colleague = await hire(routes=[])
    bid, pid, wid = letter.place
    assert await world.store.ask(bid, pid, f"replay {wid}", dead_letter=letter.id)
    await colleague.work()
    assert await letters(world) == []
    await world.let_pass(UNROUTED_AGAIN_S)
    await world.work()
    assert world.event(provider).starts_at == utc(11)
    assert (await world.booking(body)).state == "done"
