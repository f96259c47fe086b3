"""What happens when a time is picked: the page, the callback, and its attempts."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.cronofy_choice import ChoiceError
from sandbox.cronofy_link import CronofyLink
from sandbox.server import Sandbox
from tests.callbacks import SEQUENCING as DOCUMENTED_CALLBACK
from tests.sandbox.clients import Client
from tests.sandbox.conftest import Time
from tests.sandbox.cronofy_requests import (
    FIRST,
    HOST,
    SECOND,
    THIRD,
    scheduler_request,
    scheduling,
    sequencing,
)
from tests.waiting import until


@dataclass(slots=True)
class Receiver:
    """Whoever gets the callbacks. Answers with the planned statuses, then with 202."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if self.statuses else 202
        return web.Response(status=status, headers={"Location": self.url} if status == 302 else {})

    @property
    def body(self) -> Any:
        """The one callback."""
        ((_, body),) = self.got
        return json.loads(body)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiving = Receiver()
    app = web.Application()
    app.router.add_post("/callback", receiving.answer)
    async with TestServer(app) as server:
        receiving.url = str(server.make_url("/callback"))
        yield receiving


@dataclass(frozen=True, slots=True)
class Recruiter:
    """Makes links whose callbacks the receiver gets."""

    box: Sandbox
    api: Client
    receiver: Receiver

    async def sequencing(self, **changes: Any) -> CronofyLink:
        return await self._made("sequencing", sequencing(**{"callback_url": self.receiver.url} | changes))

    async def scheduling(self, **changes: Any) -> CronofyLink:
        return await self._made("scheduling", scheduling(**{"callback_url": self.receiver.url} | changes))

    async def request(self, **changes: Any) -> CronofyLink:
        return await self._made("scheduler_requests", scheduler_request(**changes))

    async def _made(self, what: str, body: dict[str, Any]) -> CronofyLink:
        path = what if what == "scheduler_requests" else f"real_time_{what}"
        assert (await self.api("POST", f"/{path}", body)).status == 200
        return self.box.cronofy_links()[-1]


@pytest.fixture
def recruiter(box: Sandbox, http: aiohttp.ClientSession, receiver: Receiver) -> Recruiter:
    register(box, receiver)
    return Recruiter(box, Client(http, f"{box.cronofy_endpoint}/v1", "s3cret"), receiver)


def register(box: Sandbox, receiver: Receiver, **fields: Any) -> None:
    known = {"client_id": "hiring", "secret": "s3cret", "impersonate": {HOST}, "pauses": (0.01, 0.01)}
    box.cronofy_app(**{**known, "callback_url": receiver.url, **fields})


async def test_a_picked_sequence_is_told_as_documented(box: Sandbox, recruiter: Recruiter) -> None:
    link = await recruiter.sequencing()
    picked = await box.pick(link.id, start="2026-10-06T11:00:00Z")
    documented = json.loads(DOCUMENTED_CALLBACK.replace(b"2026-04-30", b"2026-10-06"))
    documented["participants"] = [{"sub": FIRST}, {"sub": SECOND}]  # all of them, as the page's prose has it
    assert recruiter.receiver.body == picked.callback == documented
    assert (picked.status, [attempt.status for attempt in picked.attempts]) == ("completed", [202])
    assert picked.event == documented["event"]


async def test_a_picked_scheduling_link_is_told_as_documented(box: Sandbox, recruiter: Recruiter) -> None:
    link = await recruiter.scheduling()
    await box.pick(link.id, start="2026-10-06T11:00:00Z")
    booked = {
        "event_id": "qTtZdczOccgaPncGJaCiLg",
        "start": {"time": "2026-10-06T11:00:00Z", "tzid": "Europe/London"},
        "end": {"time": "2026-10-06T12:00:00Z", "tzid": "Europe/London"},
        "summary": "Product Manager Interview at Globex",
    }
    assert recruiter.receiver.body == {
        "event": booked,
        "participants": [{"sub": FIRST}],
        "user": {"tzid": "Europe/London"},
    }
    status = (await recruiter.api.get(f"/real_time_scheduling/{link.id}")).body["real_time_scheduling"]
    assert (status["status"], status["event"]) == ("completed", booked)


@pytest.mark.parametrize("times", [True, False])
async def test_a_picked_scheduler_request_is_notified(
    box: Sandbox, recruiter: Recruiter, times: bool
) -> None:
    register(box, recruiter.receiver, notified_times=times)
    link = await recruiter.request()
    await box.pick(link.id, start="2026-10-06T11:00:00Z")
    told = recruiter.receiver.body
    assert told["notification"] == {
        "type": "scheduling_request_time_chosen",
        "triggered_at": "2026-09-21T14:13:20Z",
    }
    request = told["scheduling_request"]
    booked = {
        "start": {"time": "2026-10-06T11:00:00Z", "tzid": "Etc/UTC"},
        "end": {"time": "2026-10-06T11:30:00Z", "tzid": "Etc/UTC"},
    }
    assert request["event"] == {"summary": "Driving lessons - Marty & Doc", **(booked if times else {})}
    assert (request["scheduling_request_id"], request["slot_selection"]) == (link.id, "complete")
    assert request["duration"] == {"minutes": 30}
    assert request["recipients"] == [
        {
            "email": "doc@evenitron.com",
            "display_name": "Dr Emmet Brown",
            "select_url": link.url,
            "slot_selector": True,
        }
    ]


async def test_a_callback_is_signed_with_every_active_secret(box: Sandbox, recruiter: Recruiter) -> None:
    register(box, recruiter.receiver, secret=["s3cret", "näxt"])
    link = await recruiter.sequencing()
    await box.pick(link.id)
    ((headers, body),) = recruiter.receiver.got
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Cronofy-HMAC-SHA256"].split(",") == [
        base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
        for secret in ("s3cret", "näxt")
    ]


async def test_completed_url_goes_before_callback_url(box: Sandbox, recruiter: Recruiter) -> None:
    link = await recruiter.scheduling(
        callback_url="http://127.0.0.1:1/", callback_urls={"completed_url": recruiter.receiver.url}
    )
    await box.pick(link.id)
    assert len(recruiter.receiver.got) == 1


async def test_a_link_that_nobody_wants_to_hear_of_is_picked_all_the_same(
    box: Sandbox, recruiter: Recruiter
) -> None:
    picked = await box.pick((await recruiter.sequencing(callback_url=None)).id)
    assert (picked.status, picked.attempts) == ("completed", ())


async def test_a_callback_is_sent_again_with_the_same_bytes_until_it_is_taken(
    box: Sandbox, recruiter: Recruiter
) -> None:
    recruiter.receiver.statuses = [500, 302]
    picked = await box.pick((await recruiter.sequencing()).id)
    assert [attempt.status for attempt in picked.attempts] == [500, 302, 202]
    assert len({(headers["Cronofy-HMAC-SHA256"], body) for headers, body in recruiter.receiver.got}) == 1


async def test_a_callback_is_given_up_after_the_last_pause(box: Sandbox, recruiter: Recruiter) -> None:
    picked = await box.pick((await recruiter.sequencing(callback_url="http://127.0.0.1:1/")).id)
    assert [attempt.status for attempt in picked.attempts] == [0, 0, 0]
    assert "ClientConnectorError" in picked.attempts[-1].error


async def test_stopping_does_not_wait_for_callbacks(http: aiohttp.ClientSession, receiver: Receiver) -> None:
    receiver.statuses = [500]
    async with Sandbox(clock=lambda: 1_790_000_000.0) as box:
        register(box, receiver, pauses=(3600,))
        client = Client(http, f"{box.cronofy_endpoint}/v1", "s3cret")
        await client("POST", "/real_time_sequencing", sequencing(callback_url=receiver.url))
        (link,) = box.cronofy_links()
        async with http.post(link.url, data={"start": "2026-10-06T09:00:00Z"}) as answer:
            assert answer.status == 200
        await until(lambda: box.cronofy_links()[0].attempts)
    assert len(receiver.got) == 1


async def test_the_first_so_many_are_picked_unless_somebody_says_whom(
    box: Sandbox, recruiter: Recruiter
) -> None:
    members = [{"sub": each} for each in (THIRD, FIRST, SECOND)]
    groups = [{"members": members, "required": 2}, {"members": [{"sub": FIRST}], "required": "all"}]
    changes = {"availability__sequence__0__participants": groups}
    for subs, expected in (({}, [THIRD, FIRST]), ({"123": [SECOND, FIRST]}, [SECOND, FIRST])):
        await box.pick((await recruiter.sequencing(**changes)).id, subs=subs)
        told = json.loads(recruiter.receiver.got[-1][1])
        assert [each["sub"] for each in told["sequence"][0]["participants"]] == expected
        assert [each["sub"] for each in told["sequence"][1]["participants"]] == [SECOND]


async def test_parts_keep_their_order_and_follow_each_other(box: Sandbox, recruiter: Recruiter) -> None:
    link = await recruiter.sequencing(
        availability__sequence__0__required_duration={"hours": 1, "minutes": 15},
        availability__sequence__0__event__description="Bring a pen.",
        availability__sequence__0__sequence_id=7,
    )
    await box.pick(link.id, start="2026-10-06T10:00:00+01:00")
    parts = recruiter.receiver.body["sequence"]
    assert [(part["event"]["start"], part["event"]["end"]) for part in parts] == [
        ("2026-10-06T09:00:00Z", "2026-10-06T10:15:00Z"),
        ("2026-10-06T10:15:00Z", "2026-10-06T11:15:00Z"),
    ]
    assert (parts[0]["sequence_id"], parts[0]["event"]["description"]) == (7, "Bring a pen.")


@pytest.mark.parametrize(
    "choice",
    [
        {"start": "soon"},
        {"start": "2026-10-06T09:00:00"},
        {"subs": {"123": ["acc_stranger"]}},
        {"subs": {"789": [FIRST]}},
    ],
)
async def test_a_choice_that_cannot_be_made_changes_nothing(
    box: Sandbox, recruiter: Recruiter, choice: dict[str, Any]
) -> None:
    link = await recruiter.sequencing()
    with pytest.raises(ChoiceError):
        await box.pick(link.id, **choice)
    assert box.cronofy_links() == [link]
    assert recruiter.receiver.got == []


async def test_a_person_chooses_a_time_on_a_page_without_a_script(
    box: Sandbox, recruiter: Recruiter, http: aiohttp.ClientSession
) -> None:
    link = await recruiter.sequencing(event__summary="<script>Interview</script>")
    async with http.get(link.url) as answer:
        page = await answer.text()
    assert "<script" not in page
    assert "Tue 06 Oct 2026 10:00 Europe/London to Tue 06 Oct 2026 12:00 Europe/London" in page
    starts = re.findall(r'name="start" value="([^"]+)"', page)
    assert starts[:2] == ["2026-10-06T09:00:00Z", "2026-10-06T09:30:00Z"]
    async with http.post(link.url, data={"start": starts[1]}) as answer:
        assert "Chosen: Tue 06 Oct 2026 10:30" in await answer.text()
    await until(lambda: box.cronofy_links()[0].attempts)
    assert recruiter.receiver.body["event"]["start"]["time"] == starts[1]
    async with http.post(link.url, data={"start": starts[0]}) as answer:
        assert answer.status == 409


async def test_a_person_is_sent_on_where_the_request_says(
    box: Sandbox, recruiter: Recruiter, http: aiohttp.ClientSession
) -> None:
    link = await recruiter.scheduling(redirect_urls={"completed_url": "http://ats.example/thanks?a=1"})
    form = {"start": "2026-10-06T09:00:00Z"}
    async with http.post(link.url, data=form, allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"http://ats.example/thanks?a=1&token={link.token}"
    await until(lambda: box.cronofy_links()[0].attempts)


async def test_times_offered_lie_in_a_period_on_the_interval_and_in_the_future(
    recruiter: Recruiter, http: aiohttp.ClientSession, time: Time
) -> None:
    periods = [
        {"start": "2026-10-07T09:00:00Z", "end": "2026-10-07T11:10:00Z"},
        {"start": "2026-10-06T09:00:00Z", "end": "2026-10-06T12:59:00Z"},
    ]
    link = await recruiter.sequencing(
        availability__query_periods=periods, availability__sequence__0__start_interval={"minutes": 60}
    )
    time.now += 15 * 86_400 - 4 * 3600  # 6 October, 10:13 UTC
    async with http.get(link.url) as answer:
        starts = re.findall(r'name="start" value="([^"]+)"', await answer.text())
    assert starts == ["2026-10-07T09:00:00Z"]
    time.now += 86_400
    async with http.get(link.url) as answer:
        assert "no time left" in await answer.text()
    with pytest.raises(ChoiceError, match="no time left"):
        await recruiter.box.pick(link.id)


async def test_a_disabled_link_shows_its_message_and_takes_no_choice(
    box: Sandbox, recruiter: Recruiter, http: aiohttp.ClientSession
) -> None:
    link = await recruiter.sequencing()
    await recruiter.api(
        "POST", f"/real_time_sequencing/{link.id}/disable", {"display_message": "Filled & closed"}
    )
    async with http.get(link.url) as answer:
        assert "Filled &amp; closed" in await answer.text()
    with pytest.raises(ChoiceError, match="disabled"):
        await box.pick(link.id)


async def test_an_unknown_link_has_no_page(box: Sandbox, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{box.cronofy_endpoint}/links/unknown") as answer:
        assert answer.status == 404


async def test_another_process_arranges_picks_and_looks(
    receiver: Receiver, control: Client, http: aiohttp.ClientSession, box: Sandbox
) -> None:
    known = {"client_id": "ats", "secret": ["one", "two"], "pauses": []}
    assert (await control("POST", "/cronofy/apps", known)).status == 201
    client = Client(http, f"{box.cronofy_endpoint}/v1", "two")
    made = await client("POST", "/real_time_sequencing", sequencing(callback_url=receiver.url))
    link_id = made.body["real_time_sequencing"]["real_time_sequencing_id"]
    receiver.statuses = [503]
    choice = {"start": "2026-10-07T09:00:00Z", "subs": {"123": [FIRST]}}
    picked = await control("POST", f"/cronofy/links/{link_id}/pick", choice)
    assert (picked.status, picked.body["status"]) == (200, "completed")
    assert [attempt["status"] for attempt in picked.body["attempts"]] == [503]
    assert (await control.get("/cronofy/links")).body == [picked.body]
    answers = [
        await control("POST", f"/cronofy/links/{link_id}/pick"),
        await control("POST", "/cronofy/links/unknown/pick"),
        await control("POST", "/cronofy/apps", {"plans": True}),
    ]
    assert [answer.status for answer in answers] == [409, 404, 400]


async def test_a_reset_forgets_links_and_keeps_applications(
    box: Sandbox, recruiter: Recruiter, control: Client
) -> None:
    await recruiter.sequencing()
    await control("POST", "/reset")
    assert box.cronofy_links() == []
    await recruiter.sequencing()
    await control("POST", "/reset", {"everything": True})
    assert (await recruiter.api("POST", "/real_time_sequencing", sequencing())).status == 401


async def test_the_sandbox_s_page_lists_links(
    box: Sandbox, recruiter: Recruiter, http: aiohttp.ClientSession
) -> None:
    link = await recruiter.sequencing(event__summary="<i>Interview</i>")
    await box.pick(link.id, start="2026-10-06T11:00:00Z")
    async with http.get(box.url) as answer:
        page = await answer.text()
    for shown in (link.url, "&lt;i&gt;Interview", "completed", "2026-10-06T11:00:00Z", "202"):
        assert shown in page
