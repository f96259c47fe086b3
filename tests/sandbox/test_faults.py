import asyncio

import aiohttp
import pytest

from sandbox.faults import FaultBoard, FaultError, parse
from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, Client, google_event, graph_event
from tests.waiting import until


def live(box: Sandbox) -> int:
    return len(box.state.google.calendars["recruiter@globex.com"].events)


def fault(text: str) -> dict[str, str]:
    return {"X-Sandbox-Fault": text}


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("throttle;retry_after=3", 429, "rateLimitExceeded"),
        ("throttle;status=403;reason=userRateLimitExceeded", 403, "userRateLimitExceeded"),
        ("throttle;status=403;reason=quotaExceeded", 403, "quotaExceeded"),
        ("error;status=500", 500, "backendError"),
        ("expired_token", 401, "authError"),
        ("conflict", 412, "conditionNotMet"),
        ("forbidden", 403, "forbidden"),
    ],
)
async def test_google_refuses_in_its_own_shape_and_stores_nothing(
    box: Sandbox, google: Client, text: str, status: int, reason: str
) -> None:
    answer = await google("POST", json=google_event(), headers=fault(text))
    assert (answer.status, answer.reason, live(box)) == (status, reason, 0)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("throttle", 429, "ApplicationThrottled"),
        ("error;status=503", 503, "serviceNotAvailable"),
        ("error;status=503;code=ErrorServerBusy", 503, "ErrorServerBusy"),
        ("error;status=507", 507, "ErrorQuotaExceeded"),
        ("expired_token", 401, "InvalidAuthenticationToken"),
        ("conflict", 412, "ErrorIrresolvableConflict"),
        ("conflict;status=409", 409, "ConcurrentItemSave"),
        ("forbidden", 403, "ErrorAccessDenied"),
    ],
)
async def test_graph_refuses_in_its_own_shape_and_stores_nothing(
    box: Sandbox, graph: Client, text: str, status: int, code: str
) -> None:
    answer = await graph("POST", "/events", graph_event(), headers=fault(text))
    assert (answer.status, answer.code) == (status, code)
    assert "request-id" in answer.body["error"]["innerError"]
    assert not box.state.microsoft.mailbox(PANEL).events


async def test_throttling_says_when_to_come_back_unless_told_not_to(google: Client) -> None:
    told = await google("GET", headers=fault("throttle;retry_after=3"))
    untold = await google("GET", headers=fault("throttle;retry_after=none"))
    assert told.headers["Retry-After"] == "3"
    assert "Retry-After" not in untold.headers


@pytest.mark.parametrize(
    ("text", "status"), [("error_after", 503), ("html_after;status=200", 200), ("empty_after", 200)]
)
async def test_a_stored_write_can_be_hidden_by_its_answer(
    box: Sandbox, google: Client, text: str, status: int
) -> None:
    answer = await google("POST", json=google_event(), headers=fault(text))
    assert answer.status == status
    assert answer.body == "" or "id" not in answer.body
    assert live(box) == 1


@pytest.mark.parametrize(("text", "body"), [("html;status=502", "<!DOCTYPE html>"), ("empty", "")])
async def test_an_answer_need_not_be_json(box: Sandbox, google: Client, text: str, body: str) -> None:
    answer = await google("POST", json=google_event(), headers=fault(text))
    assert answer.body.startswith(body)
    assert live(box) == 0


@pytest.mark.parametrize(("text", "stored"), [("drop", 0), ("drop_after", 1)])
async def test_a_connection_can_be_cut_before_or_after_storing(
    box: Sandbox, google: Client, text: str, stored: int
) -> None:
    with pytest.raises(aiohttp.ClientConnectionError):
        await google("POST", json=google_event(), headers=fault(text))
    assert live(box) == stored


async def test_a_cut_over_https_is_a_cut_too(box: Sandbox, google: Client) -> None:
    google.base = google.base.replace(box.url, box.tls_url)
    headers = fault("drop_after") | {"Authorization": f"Bearer {google.token}"}
    with pytest.raises(aiohttp.ClientConnectionError):
        await google.http.post(google.base, json=google_event(), headers=headers, ssl=False)
    assert live(box) == 1


async def test_a_held_reply_waits_for_its_release(box: Sandbox, google: Client) -> None:
    pending = asyncio.create_task(google("POST", json=google_event(), headers=fault("hold")))
    await until(lambda: box.state.faults.held)
    assert live(box) == 1
    assert not pending.done()
    assert box.state.faults.release() == 1
    assert (await pending).status == 200


async def test_a_held_reply_is_given_up_when_the_client_goes_away(box: Sandbox, google: Client) -> None:
    pending = asyncio.create_task(google("POST", json=google_event(), headers=fault("hold")))
    await until(lambda: box.state.faults.held)
    pending.cancel()
    await until(lambda: not box.state.faults.held)
    assert live(box) == 1


async def test_a_late_write_still_happens_when_the_client_has_gone(box: Sandbox, google: Client) -> None:
    box.state.faults.add("delay;seconds=1;when=before")
    pending = asyncio.create_task(google("POST", json=google_event()))
    await until(lambda: not box.state.faults.rules)
    pending.cancel()
    assert live(box) == 0
    await until(lambda: live(box))


async def test_a_request_can_be_kept_back_until_its_client_has_long_gone(
    box: Sandbox, google: Client
) -> None:
    pending = asyncio.create_task(google("POST", json=google_event(), headers=fault("late")))
    await until(lambda: box.state.faults.held)
    pending.cancel()
    await asyncio.wait({pending})
    assert live(box) == 0
    assert box.state.faults.release() == 1
    await until(lambda: live(box))


async def test_a_delay_after_storing_is_seen_by_other_readers(box: Sandbox, google: Client) -> None:
    headers = fault("delay;seconds=1;when=after")
    pending = asyncio.create_task(google("POST", json=google_event(), headers=headers))
    await until(lambda: live(box))
    assert not pending.done()
    assert (await pending).status == 200


async def test_a_queued_fault_hits_the_next_matching_requests_only(box: Sandbox, google: Client) -> None:
    box.state.faults.add("error", provider="google", method="POST", path="*/events", count=2)
    read = await google("GET")
    written = [await google("POST", json=google_event(id=f"meeting{number}")) for number in (1, 2, 3)]
    assert [answer.status for answer in (read, *written)] == [200, 503, 503, 200]


async def test_a_fault_can_hit_the_token_endpoint(box: Sandbox, http: aiohttp.ClientSession) -> None:
    box.state.faults.add("error;status=400;code=invalid_grant", provider="google-token")
    async with http.post(box.google_token_uri, data={}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_grant")


async def test_a_fault_nobody_knows_is_explained(google: Client) -> None:
    answer = await google("GET", headers=fault("explode"))
    assert answer.status == 400
    assert "throttle" in answer.body


def test_delays_add_up_until_a_fault_that_answers() -> None:
    board = FaultBoard()
    for text in ("delay;seconds=1", "delay;seconds=2", "drop", "error"):
        board.add(text, count=None)
    assert [str(each) for each in board.take("google", "GET", "/")] == [
        "delay;seconds=1",
        "delay;seconds=2",
        "drop",
    ]


def test_chance_repeats_with_its_seed() -> None:
    def hits(seed: int) -> list[bool]:
        board = FaultBoard(seed)
        board.add("error", count=None, probability=0.3)
        return [bool(board.take("google", "GET", "/")) for _ in range(200)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


@pytest.mark.parametrize("text", ["", "explode", "error;status=bad", "delay;seconds=soon", "delay;secnds=1"])
def test_a_fault_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(FaultError):
        parse(text)


def test_a_fault_for_an_unknown_provider_is_an_error() -> None:
    with pytest.raises(FaultError, match="google-token"):
        FaultBoard().add("error", provider="yahoo")
