"""A calendar that cannot be read is said to be so, and is never free."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web
from redis.asyncio import Redis

from bookings.accounts import Accounts
from sandbox.server import Sandbox
from scheduler.reading import Unreadable, read
from tests.conftest import Settle
from tests.integration.reading import OF, RECRUITER, WEEK, Desk, desk
from workers.calendars import reading
from workers.errors import AccountWaits

both = pytest.mark.parametrize("provider", ["google", "microsoft"])
either_way = pytest.mark.parametrize("details", [True, False])


@pytest.fixture
async def calendars(sandbox: Sandbox, settle: Settle, redis: Redis, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(sandbox, settle, redis, tmp_path) as opened:
        yield opened


async def test_a_calendar_that_is_not_there_is_unreadable(calendars: Desk) -> None:
    for details in (True, False):
        assert await calendars.code("nobody-google", details=details) == "notFound"
        assert await calendars.code("nobody-microsoft", details=details) == "ErrorInvalidUser"


async def test_a_calendar_that_is_gone_is_not_the_mailbox_s_default_one(calendars: Desk) -> None:
    calendars.sandbox.state.microsoft.put_calendar(RECRUITER, "second", gone=True)
    assert await calendars.code("recruiter-second") == "ErrorItemNotFound"


@pytest.mark.parametrize(
    ("provider", "details", "fault"),
    [
        ("google", True, "html;status=200"),
        ("google", True, "error;status=500"),
        ("google", False, "html;status=404"),
        ("google", False, "drop"),
        ("microsoft", True, "html;status=404"),
        ("microsoft", True, "empty"),
        ("microsoft", False, "error;status=500"),
        ("microsoft", False, "html;status=200"),
    ],
)
async def test_an_answer_that_is_none_makes_a_calendar_unreadable_for_once(
    calendars: Desk, provider: str, fault: str, details: bool
) -> None:
    calendars.put(provider)
    calendars.sandbox.state.faults.add(fault, provider=provider)
    assert await calendars.code(OF[provider], details=details)
    assert len(await calendars.events(OF[provider], details=details)) == 1


@both
@either_way
async def test_throttled_the_lane_waits_for_writers_and_readers_alike(
    calendars: Desk, provider: str, details: bool
) -> None:
    calendars.sandbox.state.faults.add("throttle;retry_after=60", provider=provider)
    code = await calendars.code(OF[provider], details=details)
    assert code == {"google": "rateLimitExceeded", "microsoft": "ApplicationThrottled"}[provider]
    requests = len(calendars.asked(provider))
    with pytest.raises(AccountWaits):
        await calendars.directory.calendar(OF[provider]).probe()
    assert await calendars.code(OF[provider], details=details) == code
    assert len(calendars.asked(provider)) == requests


@both
@pytest.mark.parametrize("state", ["paused", "parked"])
async def test_a_lane_that_is_closed_is_not_waited_for(calendars: Desk, provider: str, state: Any) -> None:
    lane = {"google": "google", "microsoft": f"microsoft/{RECRUITER}"}[provider]
    accounts = Accounts(calendars.store)
    await accounts.close(lane, least_s=60, most_s=60, state=state, reason="insufficientPermissions")
    for details in (True, False):  # waited for, it would be too slow
        assert await calendars.code(OF[provider], details=details) == "insufficientPermissions"
    assert calendars.asked(provider) == []


@both
async def test_one_that_hangs_is_too_slow_and_holds_up_no_other(calendars: Desk, provider: str) -> None:
    for each in OF:
        calendars.put(each)
    hanging, other = OF[provider], next(name for each, name in OF.items() if each != provider)
    await calendars.events(other)
    await calendars.events(hanging)
    calendars.sandbox.state.faults.add("hold", provider=provider, count=None)
    found = await read(calendars.directory, {hanging: True, other: True}, WEEK, within_s=3)
    assert found[hanging] == Unreadable("read_too_slow")
    assert isinstance(found[other], tuple)

    calendars.sandbox.state.faults.clear()
    calendars.sandbox.state.faults.release()
    assert len(await calendars.events(hanging)) == 1
    slots = calendars.store.keys.account(f"microsoft/{RECRUITER}", "slots")
    assert await calendars.store.redis.zcard(slots) == 0


async def test_credentials_that_are_refused_park_the_account_as_a_write_would(calendars: Desk) -> None:
    calendars.sandbox.state.google_tokens.revoke(RECRUITER)
    assert await calendars.code("recruiter-user") == "invalid_grant (consent_ended)"
    [closed] = await Accounts(calendars.store).closed()
    assert (closed.name, closed.state) == ("google-user", "parked")


async def test_a_calendar_nobody_configured_spoils_no_other(calendars: Desk) -> None:
    found = await read(calendars.directory, {"typo": True, "recruiter-google": False}, WEEK, within_s=5)
    assert found == {"typo": Unreadable("calendar_not_configured"), "recruiter-google": ()}


async def test_the_log_names_the_calendar_and_the_code_and_no_text_of_a_meeting(calendars: Desk) -> None:
    calendars.put_google()
    calendars.sandbox.state.faults.add("error;status=500", provider="google")
    with structlog.testing.capture_logs() as lines:
        code = await calendars.code("recruiter-google")
    [line] = lines
    assert (line["event"], line["calendar"], line["code"]) == (
        "calendar_unreadable",
        "recruiter-google",
        code,
    )
    assert line["log_level"] == "warning"
    assert "Private talk" not in str(line)


# -- a provider that is out of its mind


class Strange:
    """Answers whatever it is asked with the same."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self.asked = 0
        self.url = ""

    async def respond(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.answer)


@pytest.fixture
async def strange() -> AsyncIterator[Strange]:
    strange = Strange()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", strange.respond)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    strange.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield strange
    await runner.cleanup()


@pytest.fixture
async def at_strange(
    strange: Strange, sandbox: Sandbox, settle: Settle, redis: Redis, tmp_path: Path
) -> AsyncIterator[Desk]:
    async with desk(sandbox, settle, redis, tmp_path, provider_url=strange.url) as opened:
        yield opened


@both
async def test_pages_that_never_end_are_given_up(at_strange: Desk, strange: Strange, provider: str) -> None:
    strange.answer = {
        "items": [],
        "nextPageToken": "more",
        "value": [],
        "@odata.nextLink": f"{strange.url}/more",
    }
    assert await at_strange.code(OF[provider]) == "too_many_pages"
    assert strange.asked == reading.MOST_PAGES


async def test_a_next_page_elsewhere_is_not_shown_our_token(at_strange: Desk, strange: Strange) -> None:
    strange.answer = {"value": [], "@odata.nextLink": f"{strange.url}0/more"}
    assert await at_strange.code("recruiter-microsoft") == "next_page_elsewhere"
    assert strange.asked == 1


@both
@either_way
@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "?", "items": "?", "value": "?"},
        {"kind": "?", "items": [{}], "value": [{}]},
        {"kind": "?", "items": [{"id": "e1"}], "value": [{"id": "e1"}]},
    ],
)
async def test_an_answer_of_another_shape_is_unreadable(
    at_strange: Desk, strange: Strange, provider: str, details: bool, answer: dict[str, Any]
) -> None:
    strange.answer = answer
    assert await at_strange.code(OF[provider], details=details)
