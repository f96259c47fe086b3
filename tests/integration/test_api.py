"""Who may ask the API, and what is answered whatever is asked: Cronofy's shapes, never a 500."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from admin.metrics import REGISTRY
from bookings.store import Store
from sandbox.server import Sandbox
from scheduler.availability import Answer
from scheduler.engine.effort import Effort, OutOfTimeError
from scheduler.query import Query
from tests.conftest import FIRST_SECRET, SECOND_SECRET, Settle
from tests.integration.scheduling import (
    MANAGER,
    RECRUITER,
    RECRUITER_CALENDAR,
    Office,
    at,
    availability,
    office,
    sequencing,
)
from tests.waiting import until

PATHS = (
    "real_time_sequencing",
    "real_time_scheduling",
    "real_time_sequencing/seq_1/disable",
    "scheduler_requests",
    "sequenced_availability",
)


@pytest.fixture(name="office")
async def opened(
    settle: Settle, store: Store, sandbox: Sandbox, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    mark = request.node.get_closest_marker("app")
    async with office(settle, store, sandbox, app=mark.kwargs if mark else {}) as opened:
        yield opened


def starts(data: Any) -> list[list[str]]:
    return [[part["start"] for part in each["sequence"]] for each in data["sequences"]]


# -- what is counted


async def test_what_could_not_be_read_is_counted_from_0_for_every_calendar_of_people(
    settle: Settle, store: Store, sandbox: Sandbox
) -> None:
    calendars = [
        {"name": name, "account": "google-hr", "calendar_id": name} for name in ("asked-for", "no-one-s")
    ]
    people = [{"sub": RECRUITER, "calendars": ["asked-for"]}]
    async with office(settle, store, sandbox, calendars=calendars, people=people):
        counts = [
            REGISTRY.get_sample_value("sequence_sync_calendars_unreadable_total", {"calendar": each["name"]})
            for each in calendars
        ]
    assert counts == [0, None]


# -- who may ask


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("secret", [None, "wrong", f"{FIRST_SECRET}x", "undefined"])
async def test_who_has_no_secret_of_an_app_is_told_nothing(
    office: Office, path: str, secret: str | None
) -> None:
    said = await office.ask(path, {"anything": 1}, secret=secret)
    assert (said.status, said.data) == (401, None)
    assert office.sandbox.cronofy_links() == []


@pytest.mark.parametrize("secret", [FIRST_SECRET, SECOND_SECRET])
async def test_every_secret_of_an_app_is_its_key(office: Office, secret: str) -> None:
    assert (await office.ask("sequenced_availability", availability(), secret=secret)).status == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer undefined"}])
async def test_it_may_stand_in_the_body_as_older_libraries_have_it(
    office: Office, headers: dict[str, str]
) -> None:
    credentials = {"client_id": "hiring", "client_secret": FIRST_SECRET}
    said = await office.ask(
        "real_time_sequencing", {**sequencing(), **credentials}, secret=None, headers=headers
    )
    assert said.status == 200
    assert office.asked_of_cronofy.request.keys().isdisjoint(credentials)


@pytest.mark.app(access_tokens=["env:SECOND"], client_secrets=["env:FIRST"])
async def test_an_access_token_opens_availability_and_nothing_else(office: Office) -> None:
    said = await office.ask("sequenced_availability", availability(), secret=SECOND_SECRET)
    assert said.status == 200
    for path in PATHS:
        if path != "sequenced_availability":
            assert (await office.ask(path, {"anything": 1}, secret=SECOND_SECRET)).status == 401
    assert office.sandbox.cronofy_links() == []


async def test_the_log_of_a_refusal_says_what_is_wanted(office: Office) -> None:
    with structlog.testing.capture_logs() as lines:

        async def refused() -> list[str]:
            await office.ask("sequenced_availability", availability(), secret="undefined")
            return [line["hint"] for line in lines if line["event"] == "api_refused"]

        await until(refused)  # other tests may have filled this second's lines
        assert "access_tokens" in (await refused())[0]


@pytest.mark.app(availability=False)
async def test_an_app_that_may_not_ask_for_availability_is_told_so(office: Office) -> None:
    assert (await office.ask("sequenced_availability", availability())).status == 402
    assert (await office.ask("real_time_sequencing", sequencing())).status == 200


# -- availability


async def test_times_are_found_around_what_is_in_the_calendars(office: Office) -> None:
    said = await office.ask("sequenced_availability", availability())
    assert starts(said.data) == [[at(9), at(10)], [at(10), at(11)]]
    made = await office.ask("real_time_sequencing", sequencing())
    await office.sandbox.pick(made.data["real_time_sequencing"]["real_time_sequencing_id"], start=at(9))
    await office.world.work()
    said = await office.ask("sequenced_availability", availability())
    assert starts(said.data) == [[at(10), at(11)]]
    assert said.data["sequences"][0]["sequence"][0] == {
        "sequence_id": "123",
        "start": at(10),
        "end": at(11),
        "participants": [{"sub": RECRUITER}],
    }
    assert "X-Unavailable-Accounts" not in said.headers


async def test_the_documented_query_is_answered_as_documented(office: Office) -> None:
    between = {"minimum": {"minutes": 30}, "maximum": {"minutes": 60}}
    after = {"minimum": {"minutes": 15}, "maximum": {"minutes": 30}}
    hour = {
        "required_duration": {"minutes": 60},
        "start_interval": {"minutes": 60},
        "buffer": {"before": between, "after": after},
    }
    recruiter = {"sub": RECRUITER, "calendar_ids": [RECRUITER_CALENDAR]}
    periods = [{"start": at(9), "end": at(12)}, {"start": at(10, day=1), "end": at(20, day=1)}]
    manager = {"sub": MANAGER, "available_periods": periods}
    request = {
        "query_periods": [{"start": at(9, day=day), "end": at(18, day=day)} for day in (0, 1)],
        "sequence": [
            {
                "sequence_id": name,
                "ordinal": ordinal,
                "participants": [{"members": [who], "required": "all"}],
                **hour,
            }
            for name, ordinal, who in (("123", 1, recruiter), ("456", 2, manager))
        ],
    }
    said = await office.ask("sequenced_availability", request)
    assert said.status == 200
    first = said.data["sequences"][0]["sequence"]
    assert first == [
        {"sequence_id": "123", "start": at(9), "end": at(10), "participants": [{"sub": RECRUITER}]},
        {"sequence_id": "456", "start": at(10), "end": at(11), "participants": [{"sub": MANAGER}]},
    ]


async def test_our_own_events_are_left_out_where_the_query_excludes_them(office: Office) -> None:
    request = sequencing()
    made = await office.ask("real_time_sequencing", request)
    await office.sandbox.pick(made.data["real_time_sequencing"]["real_time_sequencing_id"], start=at(9))
    await office.world.work()
    excluded = [{"event_id": request["event"]["event_id"]}]
    said = await office.ask("sequenced_availability", availability(excluded_events=excluded))
    assert starts(said.data) == [[at(9), at(10)], [at(10), at(11)]]


@pytest.mark.parametrize("fault", ["error;status=500", "html;status=200", "drop", "forbidden"])
async def test_whoever_s_calendar_cannot_be_read_is_not_available_and_is_named(
    office: Office, fault: str
) -> None:
    office.world.fault("google", fault, count=None)
    said = await office.ask("sequenced_availability", availability())
    assert (said.status, said.data) == (200, {"sequences": []})
    assert said.headers["X-Unavailable-Accounts"] == RECRUITER


async def test_it_does_not_matter_where_somebody_else_can_come(office: Office) -> None:
    office.world.fault("google", "error;status=500", count=None)
    either = [{"members": [{"sub": RECRUITER}, {"sub": MANAGER}], "required": 1}]
    part = {**availability()["sequence"][0], "participants": either}
    said = await office.ask("sequenced_availability", availability(sequence=[part]))
    assert {each["sequence"][0]["participants"][0]["sub"] for each in said.data["sequences"]} == {MANAGER}
    assert said.headers["X-Unavailable-Accounts"] == RECRUITER


async def test_only_the_calendars_that_are_named_count(office: Office) -> None:
    part = availability()["sequence"][0]
    part["participants"] = [
        {"members": [{"sub": RECRUITER, "calendar_ids": [RECRUITER_CALENDAR]}], "required": "all"}
    ]
    assert (await office.ask("sequenced_availability", availability(sequence=[part]))).status == 200
    part["participants"][0]["members"][0]["calendar_ids"] = ["cal_unknown"]
    said = await office.ask("sequenced_availability", availability(sequence=[part]))
    assert (said.status, list(said.data["errors"])) == (422, ["calendar_ids"])


# -- whatever is asked


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000, b'{"sequence": NaN}']
)
@pytest.mark.parametrize("path", PATHS)
async def test_no_body_is_answered_with_a_500(office: Office, path: str, body: bytes) -> None:
    said = await office.ask(path, body=body)
    assert said.status == 422
    assert said.data["errors"]


async def test_other_paths_and_methods_are_answered_as_json(office: Office) -> None:
    assert (await office.ask("nothing", {})).status == 404
    said = await office.ask("sequenced_availability", method="GET")
    assert (said.status, said.headers["Allow"]) == (405, "POST")
    assert (await office.ask("real_time_scheduling/a%2Fb/disable", {"display_message": "x"})).status == 404
    assert (await office.ask("sequenced_availability", body=b" " * (1 << 20))).status == 413


async def test_while_redis_is_away_it_says_so(office: Office) -> None:
    await office.world.store.redis.config_set("maxmemory", 1)
    try:
        said = await office.ask("real_time_sequencing", sequencing())
    finally:
        await office.world.store.redis.config_set("maxmemory", 0)
    assert (said.status, said.data) == (503, {"error": "redis_unavailable"})
    assert said.headers["Retry-After"]
    assert office.sandbox.cronofy_links() == []


# -- bodies that are not as they are


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x"])
async def test_nothing_that_is_compressed_is_opened(office: Office, encoding: str) -> None:
    for body in (b"no gzip at all", gzip.compress(b"{}")):
        for path in PATHS:
            said = await office.ask(path, body=body, headers={"Content-Encoding": encoding})
            assert (said.status, said.data) == (415, {"error": "content_encoding_not_accepted"})
            assert "Server" not in said.headers


# -- what takes long


def hard(**changes: Any) -> dict[str, Any]:
    """A query that has to be thought about: five parts, no more than one a day of each person."""
    limit = {"period": "day", "limit": 1, "tzid": "Europe/London"}
    members = [{"sub": sub, "availability_constraints": [limit]} for sub in (RECRUITER, MANAGER)]
    parts = [
        {
            "sequence_id": str(minutes),
            "ordinal": 1,
            "participants": [{"members": members, "required": 1}],
            "required_duration": {"minutes": minutes},
            "start_interval": {"minutes": 5},
        }
        for minutes in (25, 30, 45, 60, 75)
    ]
    return {"query_periods": [{"start": at(9), "end": at(9, day=20)}], "sequence": parts, **changes}


async def test_an_answer_that_is_not_whole_says_so_and_is_counted(
    settle: Settle, store: Store, sandbox: Sandbox
) -> None:
    def counted() -> float | None:
        return REGISTRY.get_sample_value("sequence_sync_availability_incomplete_total", {"app": "hiring"})

    async with office(settle, store, sandbox, api={"compute_timeout": "1ms"}) as opened:
        before = counted()
        said = await opened.ask("sequenced_availability", hard())
    assert (said.status, said.headers["X-Incomplete"]) == (200, "true")
    assert before is not None
    assert counted() == before + 1


async def test_a_whole_answer_does_not_say_so(office: Office) -> None:
    said = await office.ask("sequenced_availability", availability())
    assert "X-Incomplete" not in said.headers


async def test_who_leaves_is_not_computed_for(
    settle: Settle, store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(settle, store, sandbox, api={"compute_timeout": "10m"}) as opened:
        monkeypatch.setattr("scheduler.computing.find_sequences", endless)
        asking = asyncio.ensure_future(opened.ask("sequenced_availability", hard()))
        await until(lambda: opened.computing.is_busy)
        asking.cancel()
        await until(lambda: not opened.computing.is_busy)


def endless(query: Query, effort: Effort) -> Answer:
    """The engine with a query that never ends."""
    try:
        while True:
            effort.step()
    except OutOfTimeError:
        return Answer((), whole=False)
