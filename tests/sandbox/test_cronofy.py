"""Cronofy's API: who may call it, what it refuses, and what it answers."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from sandbox.cronofy_link import TargetCalendar
from sandbox.server import Sandbox
from tests.sandbox.clients import Client
from tests.sandbox.conftest import Time
from tests.sandbox.cronofy_requests import (
    DOCUMENTED,
    FIRST,
    HOST,
    OLDER,
    REPAIRED,
    scheduler_request,
    scheduling,
    sequencing,
)
from tests.waiting import until

SEQUENCING, SCHEDULING, REQUESTS = "/real_time_sequencing", "/real_time_scheduling", "/scheduler_requests"
BODIES = {SEQUENCING: sequencing, SCHEDULING: scheduling, REQUESTS: scheduler_request}
PERIOD = {"start": "2026-10-06T09:00:00Z", "end": "2026-10-06T18:00:00Z"}
SUMMARY_ONLY = {"event_id": "one", "summary": "Interview"}


@pytest.fixture
def cronofy(box: Sandbox, http: aiohttp.ClientSession) -> Client:
    """The calls of an application."""
    box.cronofy_app(client_id="hiring", secret="s3cret", impersonate={HOST}, group_rules={"sgr_1"})
    return Client(http, f"{box.cronofy_endpoint}/v1", "s3cret")


async def wrong(cronofy: Client, path: str, body: dict[str, Any], **headers: str) -> dict[str, list[str]]:
    """The keys of the errors of each field."""
    answer = await cronofy("POST", path, body, headers=headers)
    assert answer.status == 422
    errors = answer.body["errors"]
    assert all(set(each) == {"key", "description"} for field in errors.values() for each in field)
    return {field: [each["key"] for each in found] for field, found in errors.items()}


def test_its_endpoint_is_announced_with_the_others(box: Sandbox) -> None:
    assert box.addresses()["cronofy_endpoint"] == f"{box.url}/cronofy"


@pytest.mark.parametrize(("text", "day"), [(REPAIRED, (2026, 4, 29)), (OLDER, (2024, 10, 14))])
async def test_the_documented_request_makes_a_link(
    box: Sandbox, cronofy: Client, time: Time, text: str, day: tuple[int, int, int]
) -> None:
    time.now = datetime(*day, tzinfo=UTC).timestamp()
    body = json.loads(text)
    answer = await cronofy("POST", SEQUENCING, body)
    (link,) = box.cronofy_links()
    assert answer.body == {
        "real_time_sequencing": {
            "real_time_sequencing_id": link.id,
            "url": link.url,
            "event": body["event"],
            "status": "open",
        }
    }
    assert answer.status == 200
    assert (link.kind, link.id[:4], link.request) == ("real_time_sequencing", "seq_", body)
    assert link.callback_url == "http://www.example.com/callback"
    assert link.target_calendars == (TargetCalendar(FIRST, "cal_n23kjnwrw2_jsdfjksn234"),)


async def test_the_documented_request_as_it_is_printed_is_no_json(
    box: Sandbox, cronofy: Client, http: aiohttp.ClientSession
) -> None:
    headers = {"Authorization": "Bearer s3cret"}
    async with http.post(f"{cronofy.base}{SEQUENCING}", data=DOCUMENTED, headers=headers) as answer:
        assert answer.status == 400
    assert box.cronofy_links() == []


async def test_what_python_s_sdk_sends_is_taken(cronofy: Client) -> None:
    body = sequencing(availability__sequence__0__buffer={}, target_calendars=[])
    body["availability"]["sequence"][0]["start_interval"] = None
    body["availability"]["available_periods"] = body["availability"].pop("query_periods")
    assert (await cronofy("POST", SEQUENCING, body)).status == 200


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("token", ["", "wrong", "hiring"])
async def test_only_a_client_secret_opens(box: Sandbox, cronofy: Client, path: str, token: str) -> None:
    cronofy.token = token
    answer = await cronofy("POST", path, BODIES[path]())
    assert (answer.status, answer.body) == (401, "")
    assert box.cronofy_links() == []


async def test_older_sdks_send_their_credentials_in_the_body(cronofy: Client) -> None:
    cronofy.token = ""
    credentials = {"client_id": "hiring", "client_secret": "s3cret"}
    assert (await cronofy("POST", SEQUENCING, sequencing(**credentials))).status == 200
    credentials["client_id"] = "other"
    assert (await cronofy("POST", SEQUENCING, sequencing(**credentials))).status == 401


async def test_each_active_secret_opens(box: Sandbox, cronofy: Client) -> None:
    box.cronofy_app(client_id="hiring", secret=("new", "s3cret"))
    for cronofy.token in ("new", "s3cret"):
        assert (await cronofy("POST", SEQUENCING, sequencing())).status == 200
    box.cronofy_app(client_id="hiring", secret="new")
    assert (await cronofy("POST", SEQUENCING, sequencing())).status == 401


@pytest.mark.parametrize("path", BODIES)
async def test_a_plan_without_the_feature_is_told_so(box: Sandbox, cronofy: Client, path: str) -> None:
    box.cronofy_app(client_id="hiring", secret="s3cret", plan=False)
    assert (await cronofy("POST", path, BODIES[path]())).status == 402


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"event": None}, {"event": ["errors.required"]}),
        ({"event__event_id": None}, {"event.event_id": ["errors.required"]}),
        ({"event__summary": "x" * 1025}, {"event.summary": ["errors.too_long"]}),
        ({"event__start": "2026-10-06T09:00:00Z"}, {"event.start": ["errors.invalid"]}),
        ({"event__end": "2026-10-06T09:00:00Z"}, {"event.end": ["errors.invalid"]}),
        ({"event__attendees": {"invite": []}}, {"event.attendees": ["errors.invalid"]}),
        ({"event__tzid": "Europe/Londres"}, {"event.tzid": ["errors.invalid"]}),
        ({"availability": None}, {"availability": ["errors.required"]}),
        ({"availability__query_periods": None}, {"availability.query_periods": ["errors.required"]}),
        ({"availability__query_periods": [PERIOD] * 51}, {"availability.query_periods": ["errors.too_many"]}),
        ({"callback_url": "callback"}, {"callback_url": ["errors.invalid"]}),
        ({"callback_urls": {"completed_url": 5}}, {"callback_urls.completed_url": ["errors.invalid"]}),
        ({"selection_mode": "maybe"}, {"selection_mode": ["errors.invalid"]}),
        ({"target_calendars__0__sub": None}, {"target_calendars.sub": ["errors.required"]}),
        ({"target_calendars__0__calendar_id": 7}, {"target_calendars.calendar_id": ["errors.invalid"]}),
    ],
)
@pytest.mark.parametrize("path", [SEQUENCING, SCHEDULING])
async def test_a_wrong_field_is_named(
    cronofy: Client, path: str, changes: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    assert await wrong(cronofy, path, BODIES[path](**changes)) == errors


MEMBER = "participants__0__members__0__"


@pytest.mark.parametrize(
    ("changes", "field", "key"),
    [
        ({"event": None}, "event", "required"),
        ({"event__summary": None}, "event.summary", "required"),
        ({"event__end": "2026-10-06T09:00:00Z"}, "event.end", "invalid"),
        ({"sequence_id": None}, "sequence_id", "required"),
        ({"sequence_id": "456"}, "sequence_id", "not_unique"),
        ({"ordinal": "1"}, "ordinal", "invalid"),
        ({"participants": None}, "participants", "required"),
        ({"participants": []}, "participants", "required"),
        ({"participants__0__members": []}, "participants.members", "required"),
        ({"participants__0__required": None}, "participants.required", "required"),
        ({"participants__0__required": 2}, "participants.required", "invalid"),
        ({"participants__0__required": True}, "participants.required", "invalid"),
        ({MEMBER + "sub": None}, "participants.members.sub", "required"),
        ({MEMBER + "calendar_ids": [1]}, "participants.members.calendar_ids", "invalid"),
        ({MEMBER + "ignore_tentative": "no"}, "participants.members.ignore_tentative", "invalid"),
        ({MEMBER + "available_periods": []}, "participants.members.available_periods", "required"),
        ({"required_duration": None}, "required_duration", "required"),
        ({"required_duration": {"minutes": 0}}, "required_duration", "invalid"),
        ({"required_duration": {"hours": 1, "minutes": 60}}, "required_duration", "invalid"),
        ({"required_duration": {"seconds": 60}}, "required_duration", "invalid"),
        ({"start_interval": {"minutes": 25}}, "start_interval", "invalid"),
        ({"buffer": {"before": {"minimum": 5}}}, "buffer.before.minimum", "invalid"),
        ({"buffer": {"after": {"minutes": "5"}}}, "buffer.after", "invalid"),
    ],
)
async def test_a_wrong_field_of_a_part_is_named(
    cronofy: Client, changes: dict[str, Any], field: str, key: str
) -> None:
    body = sequencing(**{f"availability__sequence__0__{path}": value for path, value in changes.items()})
    assert await wrong(cronofy, SEQUENCING, body) == {f"availability.sequence.{field}": [f"errors.{key}"]}


@pytest.mark.parametrize(
    ("period", "field"),
    [
        ({"start": "2026-09-20T09:00:00Z", "end": "2026-10-06T18:00:00Z"}, "start"),
        ({"start": "2026-10-06T09:00:00.5Z", "end": "2026-10-06T18:00:00Z"}, "start"),
        ({"start": "2026-10-06T09:00:00", "end": "2026-10-06T18:00:00Z"}, "start"),
        ({"start": "tomorrow", "end": "2026-10-06T18:00:00Z"}, "start"),
        ({"start": "2026-10-06T09:00:00Z", "end": "2026-10-06T09:00:59Z"}, "end"),
        ({"start": "2026-10-06T09:00:00Z", "end": "2026-11-10T09:00:01Z"}, "end"),
    ],
)
async def test_a_period_lies_in_the_future_and_in_35_days(
    cronofy: Client, period: dict[str, str], field: str
) -> None:
    body = sequencing(availability__query_periods=[period])
    assert await wrong(cronofy, SEQUENCING, body) == {
        f"availability.query_periods.{field}": ["errors.invalid"]
    }


@pytest.mark.parametrize(
    ("constraint", "field", "key"),
    [
        ({"period": "day", "limit": 3}, "tzid", "required"),
        ({"period": "week", "limit": 3, "tzid": "Etc/UTC"}, "tzid", "invalid"),
        ({"period": "year", "limit": 3}, "period", "invalid"),
        ({"period": "week"}, "limit", "required"),
    ],
)
async def test_a_wrong_constraint_is_named(
    cronofy: Client, constraint: dict[str, Any], field: str, key: str
) -> None:
    place = "availability__sequence__0__" + MEMBER + "availability_constraints"
    name = f"availability.sequence.participants.members.availability_constraints.{field}"
    assert await wrong(cronofy, SEQUENCING, sequencing(**{place: [constraint]})) == {name: [f"errors.{key}"]}


async def test_a_sequence_has_up_to_five_parts_of_up_to_ten_accounts(cronofy: Client) -> None:
    body = sequencing()
    part = body["availability"]["sequence"][0]
    part["participants"][0]["members"] = [{"sub": f"acc_{number}"} for number in range(10)]
    body["availability"]["sequence"] = [{**part, "sequence_id": number} for number in range(5)]
    assert (await cronofy("POST", SEQUENCING, body)).status == 200
    part["participants"][0]["members"].append({"sub": "acc_10"})
    body["availability"]["sequence"].append({**part, "sequence_id": 5})
    assert await wrong(cronofy, SEQUENCING, body) == {
        "availability.sequence": ["errors.too_many"],
        "availability.sequence.participants": ["errors.too_many"],
    }


async def test_every_wrong_field_is_named_in_one_answer(cronofy: Client) -> None:
    assert set(await wrong(cronofy, SEQUENCING, {"event": {}, "selection_mode": 1})) == {
        "availability",
        "event.event_id",
        "event.summary",
        "selection_mode",
    }


async def test_a_scheduling_link_may_offer_slots_instead_of_periods(cronofy: Client) -> None:
    body = scheduling(availability__query_periods=None)
    body["availability"]["query_slots"] = [{"start": "2026-10-06T09:00:00Z"}]
    assert (await cronofy("POST", SCHEDULING, body)).status == 200
    body["availability"]["query_slots"] = [{"start": "2026-09-06T09:00:00Z"}]
    errors = await wrong(cronofy, SCHEDULING, body)
    assert errors == {"availability.query_slots.start": ["errors.invalid"]}


async def test_a_scheduling_link_tells_its_status_by_id_and_by_token(cronofy: Client) -> None:
    made = (await cronofy("POST", SCHEDULING, scheduling())).body
    link = made["real_time_scheduling"]
    assert link["real_time_scheduling_id"].startswith("sch_")
    by_id = await cronofy.get(f"{SCHEDULING}/{link['real_time_scheduling_id']}")
    by_token = await cronofy.get(SCHEDULING, token=link["url"].rpartition("/")[2])
    assert by_id.body == by_token.body == made


async def test_a_link_is_not_found_by_others_nor_as_what_it_is_not(box: Sandbox, cronofy: Client) -> None:
    made = (await cronofy("POST", SCHEDULING, scheduling())).body["real_time_scheduling"]
    link_id, token = made["real_time_scheduling_id"], made["url"].rpartition("/")[2]
    message = {"display_message": "Closed"}
    elsewhere = [
        await cronofy.get(f"{SCHEDULING}/sch_unknown"),
        await cronofy.get(SCHEDULING, token="unknown"),
        await cronofy("POST", f"{SEQUENCING}/{link_id}/disable", message),
        await cronofy("POST", f"{SCHEDULING}/sch_unknown/disable", message),
    ]
    box.cronofy_app(client_id="other", secret="other")
    cronofy.token = "other"
    others = [
        await cronofy.get(f"{SCHEDULING}/{link_id}"),
        await cronofy.get(SCHEDULING, token=token),
        await cronofy("POST", f"{SCHEDULING}/{link_id}/disable", message),
    ]
    assert {answer.status for answer in elsewhere + others} == {404}


@pytest.mark.parametrize("path", [SEQUENCING, SCHEDULING])
async def test_a_link_can_be_disabled_until_a_time_was_chosen(
    box: Sandbox, cronofy: Client, path: str
) -> None:
    body = BODIES[path](callback_url=None)
    for number in range(2):
        await cronofy("POST", path, body)
        link = box.cronofy_links()[number]
        if number:
            await box.pick(link.id)
        answer = await cronofy("POST", f"{path}/{link.id}/disable", {"display_message": "Closed"})
        if number:
            assert (answer.status, list(answer.body["errors"])) == (422, ["status"])
        else:
            assert answer.body == {
                link.kind: {
                    f"{link.kind}_id": link.id,
                    "url": link.url,
                    "event": body["event"],
                    "status": "disabled",
                }
            }


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "required"),
        ({"display_message": ""}, "required"),
        ({"display_message": "x" * 501}, "too_long"),
        ({"display_message": "Gone <b>away</b>"}, "invalid"),
    ],
)
async def test_a_display_message_is_short_plain_text(
    box: Sandbox, cronofy: Client, body: dict[str, str], key: str
) -> None:
    await cronofy("POST", SEQUENCING, sequencing())
    (link,) = box.cronofy_links()
    errors = await wrong(cronofy, f"{SEQUENCING}/{link.id}/disable", body)
    assert errors == {"display_message": [f"errors.{key}"]}
    for message in ("x" * 500, "a < b and b > a"):
        answer = await cronofy("POST", f"{SEQUENCING}/{link.id}/disable", {"display_message": message})
        assert answer.status == 200


async def test_a_scheduler_request_answers_with_an_address_for_its_recipient(
    box: Sandbox, cronofy: Client
) -> None:
    answer = await cronofy("POST", REQUESTS, scheduler_request())
    (link,) = box.cronofy_links()
    recipient = {"email": "doc@evenitron.com", "display_name": "Dr Emmet Brown", "select_url": link.url}
    assert answer.body == {"scheduler_request": {"scheduler_request_id": link.id, "recipients": [recipient]}}
    assert (link.id[:4], link.host) == ("srq_", HOST)


async def test_a_scheduler_request_s_host_comes_from_the_body_the_header_or_a_group_rule(
    box: Sandbox, cronofy: Client
) -> None:
    of_header, of_rule = (
        scheduler_request(host=None),
        scheduler_request(host=None, scheduler_group_rule={"id": "sgr_1"}),
    )
    answers = [
        await cronofy("POST", REQUESTS, scheduler_request()),
        await cronofy("POST", REQUESTS, of_header, headers={"Cronofy-Impersonate": HOST}),
        await cronofy("POST", REQUESTS, of_rule),
    ]
    assert [answer.status for answer in answers] == [200] * 3
    assert [link.host for link in box.cronofy_links()] == [HOST, HOST, ""]


@pytest.mark.parametrize(
    ("changes", "impersonated", "field", "key"),
    [
        ({"host": None}, "", "host", "required"),
        ({}, HOST, "host", "required"),
        ({"scheduler_group_rule": {"id": "sgr_1"}}, "", "host", "required"),
        ({"host": {}}, "", "host.sub", "required"),
        ({"host__sub": "acc_unknown"}, "", "host.sub", "invalid"),
        ({"host": None}, "acc_unknown", "host.sub", "invalid"),
        ({"host": None, "scheduler_group_rule": {"id": "sgr_2"}}, "", "scheduler_group_rule.id", "invalid"),
        ({"recipients": None}, "", "recipients", "required"),
        ({"recipients": []}, "", "recipients", "required"),
        ({"recipients": [{"email": "a@b.example"}] * 2}, "", "recipients", "too_many"),
        ({"recipients__0__email": None}, "", "recipients.email", "required"),
        ({"recipients__0__email": "doc"}, "", "recipients.email", "invalid"),
        ({"event": None}, "", "event", "required"),
        ({"event__summary": None}, "", "event.summary", "required"),
        ({"event__summary": "x" * 1025}, "", "event.summary", "too_long"),
    ],
)
async def test_a_wrong_field_of_a_scheduler_request_is_named(
    box: Sandbox, cronofy: Client, changes: dict[str, Any], impersonated: str, field: str, key: str
) -> None:
    headers = {"Cronofy-Impersonate": impersonated} if impersonated else {}
    assert await wrong(cronofy, REQUESTS, scheduler_request(**changes), **headers) == {
        field: [f"errors.{key}"]
    }
    assert box.cronofy_links() == []


@pytest.mark.parametrize(
    ("fault", "status", "links"),
    [
        ("throttle;retry_after=3", 429, 0),
        ("error;status=500", 500, 0),
        ("expired_token", 401, 0),
        ("forbidden", 403, 0),
        ("conflict", 423, 0),
        ("error_after;status=502", 502, 1),
        ("html_after", 502, 1),
    ],
)
async def test_a_fault_answers_before_or_after_the_link_was_made(
    box: Sandbox, cronofy: Client, fault: str, status: int, links: int
) -> None:
    box.state.faults.add(fault, provider="cronofy")
    answer = await cronofy("POST", SEQUENCING, sequencing())
    assert (answer.status, len(box.cronofy_links())) == (status, links)
    assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)


@pytest.mark.parametrize(("fault", "links"), [("drop", 0), ("drop_after", 1)])
async def test_a_cut_connection_may_leave_a_link(
    box: Sandbox, cronofy: Client, fault: str, links: int
) -> None:
    box.state.faults.add(fault, provider="cronofy", path="*/real_time_sequencing")
    with pytest.raises(aiohttp.ClientConnectionError):
        await cronofy("POST", SEQUENCING, sequencing())
    assert len(box.cronofy_links()) == links


async def test_a_request_can_be_kept_back_until_its_caller_has_gone(box: Sandbox, cronofy: Client) -> None:
    box.state.faults.add("late", provider="cronofy")
    pending = asyncio.create_task(cronofy("POST", SEQUENCING, sequencing()))
    await until(lambda: box.state.faults.held)
    pending.cancel()
    await asyncio.wait({pending})
    assert box.cronofy_links() == []
    box.state.faults.release()
    await until(box.cronofy_links)


async def test_what_is_asked_of_cronofy_is_in_the_journal_without_the_secret(
    cronofy: Client, control: Client
) -> None:
    await cronofy("POST", SEQUENCING, sequencing())
    (noted,) = (await control.get("/requests")).body
    assert (noted["provider"], noted["status"], noted["body"]) == ("cronofy", 200, sequencing())
    assert "s3cret" not in str(noted)
