"""What one app may not do with what is another's: write into its calendars, ask when its people are free."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
import pytest

from bookings import dead_letters
from bookings.accounts import Accounts
from bookings.consents import Consents
from bookings.dead_letters import DeadLetter, Filter
from bookings.identity import booking_id
from bookings.links import LinkTarget
from bookings.operating import Act, Selection, carry_out
from bookings.record import NOT_ALLOWED
from bookings.store import Store
from config.settings import Settings
from network.outgoing import Outgoing
from receiver.signature import signature
from sandbox.server import Sandbox
from tests import unrouted
from tests.callbacks import SEQUENCING
from tests.conftest import FIRST_SECRET, SECOND_SECRET, Settle
from tests.integration.calendars import World
from tests.integration.scheduling import (
    MANAGER,
    MANAGER_CALENDAR,
    RECRUITER,
    Office,
    availability,
    office,
    scheduling,
    sequencing,
)
from workers.calendars.directory import Directory
from workers.sync import Sync

NEIGHBOUR: Final[dict[str, Any]] = {"name": "clinic-secret-name", "client_secrets": ["env:SECOND"]}
ROUTES = [
    {"app": "hiring", "calendars": ["interviews"]},
    {"app": "clinic-secret-name", "sub": MANAGER, "calendars": ["panel"]},
]


@pytest.fixture(name="office")
async def opened(
    settle: Settle, store: Store, sandbox: Sandbox, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    mark = request.node.get_closest_marker("app")
    app = {"client_secrets": ["env:FIRST"], **(mark.kwargs if mark else {})}
    async with office(settle, store, sandbox, app=app, neighbours=[NEIGHBOUR], routes=ROUTES) as opened:
        yield opened


def link_to(calendar_id: str, sub: str = RECRUITER) -> dict[str, Any]:
    return scheduling(target_calendars=[{"sub": sub, "calendar_id": calendar_id}])


@pytest.mark.parametrize("calendar_id", [MANAGER_CALENDAR, "panel", "no such calendar"])
async def test_a_link_does_not_lead_to_a_neighbour_s_calendar_and_hears_of_none(
    office: Office, calendar_id: str
) -> None:
    said = await office.ask("real_time_scheduling", link_to(calendar_id))
    [[problem]] = said.data["errors"].values()
    unknown = await office.ask("real_time_scheduling", link_to("really no such calendar"))
    assert (said.status, said.data) == (422, unknown.data)
    assert "clinic" not in str(said.data)
    assert "panel" not in problem["description"]
    assert office.sandbox.cronofy_links() == []


async def test_a_link_does_not_lead_to_a_neighbour_s_person(office: Office) -> None:
    await office.ask("real_time_sequencing", sequencing(target_calendars=None))
    [link] = await office.links()
    assert link.targets == {}  # by the app's route, then
    said = await office.ask("real_time_sequencing", sequencing(target_calendars=None), secret=SECOND_SECRET)
    assert said.status == 422  # the recruiter is no person of the clinic's


@pytest.mark.app(people=["*"], calendars=["*"])
async def test_an_app_that_may_use_all_may(office: Office) -> None:
    assert (await office.ask("real_time_scheduling", link_to("panel", MANAGER))).status == 200
    assert (await office.ask("sequenced_availability", availability())).status == 200


async def test_nobody_asks_when_a_neighbour_s_people_are_free(office: Office) -> None:
    said = await office.ask("sequenced_availability", availability())
    [[problem]] = said.data["errors"].values()
    assert (said.status, problem["path"]) == (422, "sequence[1].participants[0].members[0].sub")
    assert problem["description"].replace(MANAGER, "acc_x") == await description_of_nobody(office)


async def description_of_nobody(office: Office) -> str:
    asked = availability()
    asked["sequence"][1]["participants"][0]["members"] = [{"sub": "acc_x"}]
    said = await office.ask("sequenced_availability", asked)
    [[problem]] = said.data["errors"].values()
    return str(problem["description"])


async def test_a_person_s_calendars_are_told_to_nobody_else(office: Office) -> None:
    asked = availability(sequence=availability()["sequence"][:1])
    asked["sequence"][0]["participants"][0]["members"] = [
        {"sub": RECRUITER, "calendar_ids": [MANAGER_CALENDAR]}
    ]
    said = await office.ask("sequenced_availability", asked)
    assert said.status == 422
    assert "panel" not in str(said.data)


# -- once more where a part is written


@pytest.fixture
async def worker_of(office: Office) -> AsyncIterator[Callable[[Settings], World]]:
    """Makes the workers of another configuration."""
    async with Outgoing(office.world.settings.network) as outgoing:
        world, store = office.world, office.world.store

        def make(settings: Settings) -> World:
            directory = Directory(settings, outgoing, Accounts(store), Consents(store))
            sync = Sync(store, settings, directory, worker="test", clock=world.clock)
            return World(settings, store, world.sandbox, sync, world.clock)

        yield make


@pytest.mark.app(calendars=["*"], people=["*"])
async def test_a_part_is_not_written_where_its_app_may_not_write_any_more_and_is_after_a_replay(
    office: Office, worker_of: Callable[[Settings], World]
) -> None:
    store, targets = office.world.store, {"123": (LinkTarget("panel"),), "456": (LinkTarget("interviews"),)}
    link = await store.register_link("hiring", "token", targets, keep_s=60)
    before = office.world.settings
    app = before.apps[0].model_copy(update={"calendars": ("interviews",), "people": None})
    world = worker_of(before.model_copy(update={"apps": (app, *before.apps[1:])}))
    await world.accept(SEQUENCING, link=link)
    await world.work()
    assert [event.calendar for event in world.events()] == ["interviews@globex.example"]
    [(bid, part)] = await unrouted.waiting(store)
    await unrouted.let_it_pass(store, [(bid, part)])
    await world.work()
    [letter] = await letters(store)
    assert (letter.reason, letter.sequence_id) == (NOT_ALLOWED, "123")
    assert '"panel"' in letter.detail

    await replayed(store, letter, office.world.settings)
    await office.world.work_until_done()
    assert {event.calendar for event in world.events()} == {
        "interviews@globex.example",
        "panel@globex.example",
    }
    assert await letters(store) == []


async def letters(store: Store) -> list[DeadLetter]:
    return [each async for each in dead_letters.find(store, Filter())]


async def replayed(store: Store, letter: DeadLetter, settings: Settings) -> None:
    async def redeliver(_: DeadLetter) -> None:
        raise AssertionError

    chosen = Selection((letter.id,), Filter())
    [result] = await carry_out(
        store, Act.REPLAY, chosen, [letter], who="test", redeliver=redeliver, settings=settings
    )
    assert (result.done, result.said) == (True, "replayed, to panel")


# -- what one app's flood costs the others


@pytest.fixture(name="receiver_of_two")
async def receiver_of_two(
    settle: Settle, store: Store, sandbox: Sandbox, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    limits = {"queue_limit": 5, "dead_letters_limit": 3}
    async with office(
        settle, store, sandbox, app={"client_secrets": ["env:FIRST"]}, neighbours=[NEIGHBOUR], receiver=limits
    ) as opened:
        store.follow(opened.world.settings)
        yield opened


async def sent(office: Office, app: str, body: bytes) -> tuple[int, str]:
    secret = FIRST_SECRET if app == "hiring" else SECOND_SECRET
    headers = {"Cronofy-HMAC-SHA256": signature(body, secret=secret).decode()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{office.receiver}/callbacks/{app}", data=body, headers=headers) as answer,
    ):
        data = await answer.json()
        return answer.status, data.get("error", data.get("status"))


def booking(number: int, parts: int = 1) -> bytes:
    sequence = [{"sequence_id": str(each), "event": {}} for each in range(parts)]
    return json.dumps({"event": {"event_id": f"event {number}"}, "sequence": sequence}).encode()


async def test_one_app_s_open_parts_fill_its_own_share_of_the_queue_alone(receiver_of_two: Office) -> None:
    office, store = receiver_of_two, receiver_of_two.world.store
    flood = [await sent(office, "hiring", booking(number)) for number in range(4)]
    assert flood == [(202, "accepted")] * 3 + [(503, "queue_full")]  # half of 5, rounded up
    assert await sent(office, NEIGHBOUR["name"], booking(1)) == (202, "accepted")
    assert (await store.counts())["of_apps"] == {"hiring": (3, 0), NEIGHBOUR["name"]: (1, 0)}
    await store.cancel(booking_id("hiring", "event 0"))
    assert (await store.counts())["of_apps"]["hiring"] == (3, 0)  # to be removed
    await office.world.work()  # what is withdrawn before it was written is over
    assert (await store.counts())["of_apps"]["hiring"] == (2, 0)
    assert await sent(office, "hiring", booking(9)) == (202, "accepted")


async def test_one_app_s_dead_letters_fill_its_own_share_alone(receiver_of_two: Office) -> None:
    office, store = receiver_of_two, receiver_of_two.world.store
    flood = [await sent(office, "hiring", b"{%d" % number) for number in range(3)]
    assert flood == [(202, "quarantined")] * 2 + [(503, "dead_letters_full")]
    assert await sent(office, "hiring", booking(1)) == (503, "dead_letters_full")
    for body, status in ((b"{", "quarantined"), (booking(1), "accepted")):
        assert await sent(office, NEIGHBOUR["name"], body) == (202, status)
    assert (await store.counts())["of_apps"] == {"hiring": (0, 2), NEIGHBOUR["name"]: (1, 1)}
    [first, *_] = await letters(store)
    dropped = next(each for each in await letters(store) if each.app == "hiring")
    assert first.delivery is not None
    assert dropped.delivery is not None
    await store.drop_delivery(dropped.delivery)
    assert await sent(office, "hiring", booking(1)) == (202, "accepted")


async def test_unrouted_parts_are_their_app_s_dead_letters_until_they_are_discarded(
    receiver_of_two: Office,
) -> None:
    office, store = receiver_of_two, receiver_of_two.world.store
    await sent(office, "hiring", booking(1, parts=2))
    await office.world.work()
    await unrouted.let_it_pass(store, await unrouted.waiting(store))
    await office.world.work()
    assert (await store.counts())["of_apps"]["hiring"] == (0, 2)
    assert await sent(office, "hiring", booking(2)) == (503, "dead_letters_full")
    assert await sent(office, NEIGHBOUR["name"], booking(2)) == (202, "accepted")
    for letter in await letters(store):
        await store.ask(*letter.place[:2], f"discard {letter.place[2]}", dead_letter=letter.id)
    assert (await store.counts())["of_apps"]["hiring"] == (2, 0)
    await office.world.work()
    assert (await store.counts())["of_apps"]["hiring"] == (0, 0)


async def test_what_apps_hold_is_brought_up_to_what_there_is(receiver_of_two: Office) -> None:
    office, store = receiver_of_two, receiver_of_two.world.store
    await sent(office, "hiring", booking(1))
    await sent(office, "hiring", b"{")
    held = (await store.counts())["of_apps"]
    for key in (store.keys.open_of("hiring"), store.keys.dead_of("hiring")):
        await store.redis.delete(key)  # as an older version leaves it
    for key in (store.keys.open_of(NEIGHBOUR["name"]), store.keys.dead_of(NEIGHBOUR["name"])):
        await store.redis.zadd(key, {"gone:gone": 0, "delivery:gone": 0})
    assert (await store.counts())["of_apps"] != held
    at = (0, 0)
    while (at := await store.heal_shares(*at)) != (0, 0):
        pass
    assert (await store.counts())["of_apps"] == held
