"""Links made through our API: what Cronofy is asked for, what it says, and where the callback's parts go."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bookings.clock import now_ms
from bookings.links import LinkState, LinkTarget
from bookings.store import Store
from sandbox.cronofy_link import Status
from sandbox.server import Sandbox
from tests.conftest import FIRST_SECRET, SECOND_SECRET, Settle
from tests.integration.scheduling import (
    DAY,
    MANAGER,
    MANAGER_CALENDAR,
    RECRUITER,
    RECRUITER_CALENDAR,
    Office,
    at,
    office,
    scheduling,
    sequencing,
)


@pytest.fixture(name="office")
async def opened(
    settle: Settle, store: Store, sandbox: Sandbox, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    mark = request.node.get_closest_marker("app")
    more = request.node.get_closest_marker("settings")
    changes = {"app": mark.kwargs if mark else {}, **(more.kwargs if more else {})}
    async with office(settle, store, sandbox, **changes) as opened:
        yield opened


# -- from a link to the calendars


async def test_a_link_s_callback_comes_to_us_and_is_written_where_the_link_says(office: Office) -> None:
    said = await office.ask("real_time_sequencing", sequencing())
    assert said.status == 200
    made = said.data["real_time_sequencing"]
    picked = await office.sandbox.pick(made["real_time_sequencing_id"], start=at(10))
    assert (picked.status, [each.status for each in picked.attempts]) == (Status.COMPLETED, [202])
    await office.world.work()
    events = {event.calendar: event for event in office.world.events()}
    assert {name: (event.summary, event.starts_at) for name, event in events.items()} == {
        "interviews@globex.example": ("Pre screen", DAY + timedelta(hours=10)),
        "panel@globex.example": ("Face to face", DAY + timedelta(hours=11)),
    }


async def test_its_calendars_are_known_before_cronofy_is_asked_and_cronofy_is_told_of_none(
    office: Office,
) -> None:
    await office.ask("real_time_sequencing", sequencing())
    [link], asked = await office.links(), office.asked_of_cronofy
    assert link.targets == {
        "123": (LinkTarget("interviews", RECRUITER),),
        "456": (LinkTarget("panel", MANAGER),),
    }
    assert (link.state, link.cronofy_id, link.url) == (LinkState.OPEN, asked.id, asked.url)
    assert asked.target_calendars == ()
    assert "target_calendars" not in asked.request
    token = asked.callback_url.rpartition("/")[2]
    assert asked.callback_url == f"{office.world.settings.receiver.public_url}/callbacks/hiring/{token}"
    assert len(token) >= 43
    assert token not in str(await office.links())


@pytest.mark.app(pass_target_calendars=True)
async def test_cronofy_is_told_of_target_calendars_where_the_app_says_so(office: Office) -> None:
    await office.ask("real_time_sequencing", sequencing())
    assert [each.calendar_id for each in office.asked_of_cronofy.target_calendars] == [
        RECRUITER_CALENDAR,
        MANAGER_CALENDAR,
    ]


async def test_a_part_goes_to_the_calendar_of_whoever_was_picked(office: Office) -> None:
    said = await office.ask("real_time_scheduling", scheduling())
    link_id = said.data["real_time_scheduling"]["real_time_scheduling_id"]
    await office.sandbox.pick(link_id, subs={"": [MANAGER]})
    await office.world.work()
    assert [event.calendar for event in office.world.events()] == ["panel@globex.example"]


async def test_the_calendar_of_somebody_who_takes_no_part_gets_every_part(office: Office) -> None:
    targets = [{"sub": "acc_organizer", "calendar_id": MANAGER_CALENDAR}]
    await office.ask("real_time_sequencing", sequencing(target_calendars=targets))
    [link] = await office.links()
    assert link.targets == {"123": (LinkTarget("panel"),), "456": (LinkTarget("panel"),)}


@pytest.mark.settings(routes=[{"app": "hiring", "sequence_id": "123", "calendars": ["panel"]}])
async def test_without_targets_routes_decide_and_then_the_people(office: Office) -> None:
    await office.ask("real_time_sequencing", sequencing(target_calendars=None))
    [link] = await office.links()
    assert link.targets == {"456": (LinkTarget("panel", MANAGER),)}
    await office.sandbox.pick(link.cronofy_id)
    await office.world.work()
    assert [event.calendar for event in office.world.events()] == ["panel@globex.example"] * 2


async def test_a_link_is_good_until_its_last_period_is_over_and_bookings_are_no_longer_kept(
    office: Office,
) -> None:
    await office.ask("real_time_sequencing", sequencing())
    [link] = await office.links()
    kept_s = office.world.settings.worker.keep_bookings
    assert link.expires_at is not None
    assert link.expires_at / 1000 == pytest.approx((DAY + timedelta(hours=18)).timestamp() + kept_s, abs=5)
    assert now_ms() - link.created_at < 60_000


async def test_no_link_is_good_for_ever(office: Office) -> None:
    request = sequencing()
    request["availability"]["query_periods"].append({"start": at(9), "end": "9999-12-31T00:00:00Z"})
    assert (await office.ask("real_time_sequencing", request)).status == 422  # Cronofy's own answer


async def test_a_callback_url_of_the_request_s_own_is_passed_on_to(office: Office) -> None:
    await office.ask("real_time_sequencing", sequencing(callback_url="https://ats.globex.example/cronofy"))
    urls = {
        "completed_url": "https://ats.globex.example/done",
        "no_times_suitable_url": "https://x.example/no",
    }
    await office.ask("real_time_scheduling", scheduling(callback_urls=urls))
    newest, first = await office.links()
    assert first.forward_to == ("https://ats.globex.example/cronofy",)
    assert newest.forward_to == ("https://ats.globex.example/done",)
    [_, asked] = office.sandbox.cronofy_links()
    assert asked.request["callback_urls"]["no_times_suitable_url"] == "https://x.example/no"
    assert asked.callback_url.startswith(str(office.world.settings.receiver.public_url))


COMPANY = "https://ats.globex.example"


@pytest.mark.parametrize(
    ("kind", "request_of"), [("real_time_sequencing", sequencing), ("real_time_scheduling", scheduling)]
)
@pytest.mark.parametrize(
    ("named", "passed_on"),
    [
        ({"callback_urls": {"completed_url": f"{COMPANY}/done"}}, (f"{COMPANY}/done",)),
        ({"callback_urls": {"no_times_suitable_url": f"{COMPANY}/none"}}, ()),
        (
            {"callback_url": f"{COMPANY}/old", "callback_urls": {"completed_url": f"{COMPANY}/done"}},
            (f"{COMPANY}/old", f"{COMPANY}/done"),
        ),
    ],
)
async def test_cronofy_calls_us_whichever_callback_urls_a_request_names(
    office: Office, kind: str, request_of: Any, named: dict[str, Any], passed_on: tuple[str, ...]
) -> None:
    said = await office.ask(kind, request_of(**named))
    [link] = await office.links()
    assert link.forward_to == passed_on
    assert COMPANY not in office.asked_of_cronofy.callback_url
    picked = await office.sandbox.pick(said.data[kind][f"{kind}_id"])
    assert [each.status for each in picked.attempts] == [202]


@pytest.mark.parametrize("sequence_id", [0, -1, 2**53 + 1, 2**63, 2**64 - 1])
async def test_an_integer_that_names_a_part_leads_to_its_calendar(office: Office, sequence_id: int) -> None:
    request = sequencing()
    request["availability"]["sequence"][0]["sequence_id"] = sequence_id
    await office.ask("real_time_sequencing", request)
    [link] = await office.links()
    assert link.targets[str(sequence_id)] == (LinkTarget("interviews", RECRUITER),)
    await office.sandbox.pick(link.cronofy_id)
    await office.world.work()
    assert {event.calendar for event in office.world.events()} == {
        "interviews@globex.example",
        "panel@globex.example",
    }


async def test_a_link_is_good_until_its_last_slot_is_over(office: Office) -> None:
    request = scheduling()
    del request["availability"]["query_periods"]
    request["availability"]["query_slots"] = [{"start": at(9, day=60)}, {"start": at(10)}]
    assert (await office.ask("real_time_scheduling", request)).status == 200
    [link] = await office.links()
    last = DAY + timedelta(days=60, hours=10)
    kept_s = office.world.settings.worker.keep_bookings
    assert link.expires_at is not None
    assert link.expires_at / 1000 == pytest.approx(last.timestamp() + kept_s, abs=5)


async def test_a_link_whose_callback_was_accepted_is_completed(office: Office) -> None:
    await office.ask("real_time_sequencing", sequencing())
    [link] = await office.links()
    await office.sandbox.pick(link.cronofy_id)
    [link] = await office.links()
    assert link.state is LinkState.COMPLETED
    await office.world.store.link_made(link.id, cronofy_id=link.cronofy_id, url=link.url)  # heard of late
    [link] = await office.links()
    assert link.state is LinkState.COMPLETED


async def test_tokens_are_not_guessed(office: Office) -> None:
    for _ in range(2):
        await office.ask("real_time_sequencing", sequencing())
    urls = [link.callback_url for link in office.sandbox.cronofy_links()]
    assert len(set(urls)) == 2


# -- disabling


@pytest.mark.parametrize(
    ("kind", "request_of"), [("real_time_sequencing", sequencing), ("real_time_scheduling", scheduling)]
)
async def test_a_disabled_link_can_not_be_picked_any_more(office: Office, kind: str, request_of: Any) -> None:
    link_id = (await office.ask(kind, request_of())).data[kind][f"{kind}_id"]
    said = await office.ask(f"{kind}/{link_id}/disable", {"display_message": "Position filled"})
    assert (said.status, said.data[kind]["status"]) == (200, "disabled")
    [link] = await office.links()
    assert link.state is LinkState.DISABLED
    assert office.asked_of_cronofy.display_message == "Position filled"


@pytest.mark.parametrize("message", [None, "", "x" * 501, "<b>filled</b>", 7])
async def test_a_message_that_cronofy_would_refuse_is_refused(office: Office, message: Any) -> None:
    said = await office.ask("real_time_sequencing/seq_1/disable", {"display_message": message})
    assert (said.status, list(said.data["errors"])) == (422, ["display_message"])


@pytest.mark.parametrize("message", ["fewer < 3 seats left", "<3", "a <- b", "1<2", "x < y > z"])
async def test_a_less_than_sign_in_a_message_is_text(office: Office, message: str) -> None:
    made = (await office.ask("real_time_sequencing", sequencing())).data["real_time_sequencing"]
    path = f"real_time_sequencing/{made['real_time_sequencing_id']}/disable"
    assert (await office.ask(path, {"display_message": message})).status == 200
    assert office.asked_of_cronofy.display_message == message


async def test_disabling_is_repeated_where_cronofy_fails(office: Office) -> None:
    link_id = (await office.ask("real_time_sequencing", sequencing())).data["real_time_sequencing"][
        "real_time_sequencing_id"
    ]
    office.world.fault("cronofy", "error;status=503", count=1)
    office.world.fault("cronofy", "drop_after", count=1)
    said = await office.ask(f"real_time_sequencing/{link_id}/disable", {"display_message": "Filled"})
    assert said.status in {200, 422}  # the second time it is disabled already
    assert office.asked_of_cronofy.status is Status.DISABLED


async def test_how_a_scheduling_link_stands_is_asked_of_cronofy(office: Office) -> None:
    made = (await office.ask("real_time_scheduling", scheduling())).data["real_time_scheduling"]
    by_id = await office.ask(f"real_time_scheduling/{made['real_time_scheduling_id']}", method="GET")
    token = made["url"].rpartition("/")[2]
    by_token = await office.ask(f"real_time_scheduling?token={token}", method="GET")
    assert by_id.data == by_token.data
    assert by_id.data["real_time_scheduling"]["status"] == "open"


# -- when Cronofy refuses, fails, or is not there


async def test_its_refusals_are_passed_on_as_they_are_and_nothing_is_left_of_the_link(office: Office) -> None:
    broken = sequencing()
    del broken["availability"]["sequence"][1]["required_duration"]
    said = await office.ask("real_time_sequencing", broken)
    [[problem]] = said.data["errors"].values()
    assert (said.status, problem["key"]) == (422, "errors.required")
    office.sandbox.cronofy_app(client_id="hiring", secret=FIRST_SECRET, plan=False)
    assert (await office.ask("real_time_sequencing", sequencing())).status == 402
    assert await office.links() == []


async def test_the_other_secret_is_tried_where_cronofy_does_not_know_the_first(office: Office) -> None:
    office.sandbox.cronofy_app(client_id="hiring", secret=SECOND_SECRET)
    assert (await office.ask("real_time_sequencing", sequencing())).status == 200


@pytest.mark.parametrize("fault", ["throttle;retry_after=0", "throttle;retry_after=none"])
async def test_what_cronofy_did_not_even_begin_is_asked_again(office: Office, fault: str) -> None:
    office.world.fault("cronofy", fault, count=2)
    assert (await office.ask("real_time_sequencing", sequencing())).status == 200
    assert len(office.sandbox.cronofy_links()) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [("error_after;status=503", 503), ("drop_after", 502), ("drop", 502), ("error;status=500", 500)],
)
async def test_what_may_have_been_made_is_not_asked_for_twice_and_its_callback_is_still_known(
    office: Office, fault: str, status: int
) -> None:
    office.world.fault("cronofy", fault)
    assert (await office.ask("real_time_sequencing", sequencing())).status == status
    [link] = await office.links()
    assert link.state is LinkState.ASKED
    assert len(office.sandbox.cronofy_links()) <= 1
    for made in office.sandbox.cronofy_links():
        await office.sandbox.pick(made.id)
        await office.world.work()
        assert len(office.world.events()) == 2


async def test_a_link_that_was_made_is_given_out_though_redis_fails_meanwhile(office: Office) -> None:
    redis = office.world.store.redis
    office.world.fault("cronofy", "hold")
    asking = asyncio.create_task(office.ask("real_time_sequencing", sequencing()))
    await office.world.held()
    await redis.config_set("maxmemory", 1)
    try:
        office.sandbox.state.faults.release()
        said = await asking
    finally:
        await redis.config_set("maxmemory", 0)
    assert said.status == 200
    [link] = await office.links()
    assert link.state is LinkState.ASKED
    await office.sandbox.pick(said.data["real_time_sequencing"]["real_time_sequencing_id"])
    await office.world.work()
    assert len(office.world.events()) == 2


@pytest.mark.app(cronofy_endpoint="http://127.0.0.1:1")
async def test_a_cronofy_that_is_not_there_is_said_to_be_so(office: Office) -> None:
    said = await office.ask("real_time_sequencing", sequencing())
    assert (said.status, said.data) == (502, {"error": "cronofy_unreachable", "outcome_unknown": False})
    assert await office.links() == []


# -- requests that are wrong in themselves


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"availability": None}, {"availability"}),
        (
            {"target_calendars": [{"sub": RECRUITER, "calendar_id": "cal_x"}]},
            {"target_calendars[0].calendar_id"},
        ),
        ({"target_calendars": [{}]}, {"target_calendars[0].sub", "target_calendars[0].calendar_id"}),
        ({"callback_url": "nonsense"}, {"callback_url"}),
    ],
)
async def test_a_wrong_request_names_every_wrong_field_and_cronofy_is_not_asked(
    office: Office, changes: dict[str, Any], paths: set[str]
) -> None:
    said = await office.ask("real_time_sequencing", sequencing(**changes))
    assert said.status == 422
    assert {each["path"] for some in said.data["errors"].values() for each in some} == paths
    assert office.sandbox.cronofy_links() == []


@pytest.mark.settings(people=[])
async def test_a_part_that_goes_nowhere_is_refused_before_anybody_can_book_it(office: Office) -> None:
    said = await office.ask("real_time_sequencing", sequencing(target_calendars=None))
    paths = [each["path"] for some in said.data["errors"].values() for each in some]
    assert (said.status, paths) == (422, ["availability.sequence[0]", "availability.sequence[1]"])


@pytest.mark.settings(receiver={"public_url": ""})
async def test_without_a_public_address_there_are_no_links(office: Office) -> None:
    said = await office.ask("real_time_sequencing", sequencing())
    assert said.status == 422
    assert "receiver.public_url" in said.data["errors"]["callback_url"][0]["description"]


async def test_csharp_s_spelling_is_understood(office: Office) -> None:
    request = sequencing()
    request["availablity"] = request.pop("availability")
    assert (await office.ask("real_time_sequencing", request)).status == 200


# -- scheduler requests

REQUEST = {
    "host": {"sub": RECRUITER},
    "recipients": [{"email": "candidate@globex.example", "display_name": "A candidate"}],
    "event": {"summary": "Driving lessons"},
}


async def test_a_scheduler_request_is_passed_on_with_its_host(office: Office) -> None:
    said = await office.ask("scheduler_requests", REQUEST)
    assert said.status == 200
    assert said.data["scheduler_request"]["recipients"][0]["select_url"]
    without = {name: value for name, value in REQUEST.items() if name != "host"}
    said = await office.ask("scheduler_requests", without, headers={"Cronofy-Impersonate": RECRUITER})
    assert said.status == 200
    assert [link.host for link in office.sandbox.cronofy_links()] == [RECRUITER, RECRUITER]


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        ({"host": None}, {}),
        ({"scheduler_group_rule": {"id": "sgr_1"}}, {}),
        ({}, {"Cronofy-Impersonate": RECRUITER}),
    ],
)
async def test_its_host_is_named_in_exactly_one_way(
    office: Office, changes: dict[str, Any], headers: dict[str, str]
) -> None:
    said = await office.ask("scheduler_requests", {**REQUEST, **changes}, headers=headers)
    assert (said.status, list(said.data["errors"])) == (422, ["host"])
    assert office.sandbox.cronofy_links() == []


@pytest.mark.app(scheduler_requests=True)
@pytest.mark.settings(routes=[{"app": "hiring", "calendars": ["interviews"]}])
async def test_the_time_chosen_for_one_is_a_booking_where_the_app_says_so(office: Office) -> None:
    said = await office.ask("scheduler_requests", REQUEST)
    picked = await office.sandbox.pick(said.data["scheduler_request"]["scheduler_request_id"])
    assert [each.status for each in picked.attempts] == [202]
    await office.world.work()
    [event] = office.world.events()
    assert event.summary == "Driving lessons"
    assert isinstance(event.starts_at, datetime)


async def test_else_it_is_ignored(office: Office) -> None:
    said = await office.ask("scheduler_requests", REQUEST)
    picked = await office.sandbox.pick(said.data["scheduler_request"]["scheduler_request_id"])
    assert [each.status for each in picked.attempts] == [200]
    assert (await office.world.store.counts())["open"] == 0


async def test_what_becomes_known_of_a_link_that_has_expired_is_kept_nowhere(store: Store) -> None:
    await store.link_made("expired", cronofy_id="seq_1", url="https://book.cronofy.example/1")
    assert await store.redis.keys() == []


async def test_links_that_expired_leave_the_index_though_nobody_lists_them(store: Store) -> None:
    targets = {"123": (LinkTarget("interviews"),)}
    for number in range(5):
        await store.register_link("hiring", f"short-{number}", targets, keep_s=1)
    await asyncio.sleep(1.1)
    for number in range(5):
        await store.register_link("hiring", f"long-{number}", targets, keep_s=60)
    assert await store.prune_links(0) == 0
    assert await store.redis.zcard(store.keys.links) == 5
    assert len([link async for link in store.links()]) == 5
