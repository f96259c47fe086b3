"""What one app may not do with what is another's: write into its calendars, ask when its people are free."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from bookings import dead_letters
from bookings.accounts import Accounts
from bookings.consents import Consents
from bookings.dead_letters import DeadLetter, Filter
from bookings.links import LinkTarget
from bookings.operating import Act, Selection, carry_out
from bookings.record import NOT_ALLOWED
from bookings.store import Store
from config.settings import Settings
from sandbox.server import Sandbox
from tests import unrouted
from tests.callbacks import SEQUENCING
from tests.conftest import SECOND_SECRET, Settle
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

NEIGHBOUR = {"name": "clinic-secret-name", "client_secrets": ["env:SECOND"]}
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
    async with aiohttp.ClientSession() as session:
        world, store = office.world, office.world.store

        def make(settings: Settings) -> World:
            directory = Directory(settings, session, Accounts(store), Consents(store))
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
