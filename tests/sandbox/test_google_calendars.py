import aiohttp

from sandbox.server import Sandbox
from tests.sandbox.clients import RECRUITER, Client, google_event


async def test_without_a_known_token_nobody_gets_in(google: Client) -> None:
    google.token = "stranger"
    answer = await google("GET")
    assert (answer.status, answer.reason) == (401, "authError")


async def test_primary_is_the_callers_own_calendar(
    box: Sandbox, google: Client, http: aiohttp.ClientSession
) -> None:
    await google("POST", json=google_event())
    own = Client(http, f"{box.google_endpoint}calendars/{RECRUITER}/events", google.token)
    assert (await own("GET", "/meeting1")).status == 200


async def test_a_calendar_that_is_not_shared_is_not_found(box: Sandbox, http: aiohttp.ClientSession) -> None:
    box.google_token(RECRUITER)
    stranger = Client(http, f"{box.google_endpoint}calendars", box.google_token("manager@globex.com"))
    for calendar in (RECRUITER, "no-such-calendar"):
        answer = await stranger("POST", f"/{calendar}/events", google_event())
        assert (answer.status, answer.reason) == (404, "notFound")


async def test_a_reader_may_not_write(box: Sandbox, http: aiohttp.ClientSession) -> None:
    box.state.google.put_calendar("team", shared_with={RECRUITER: "reader"})
    team = Client(http, f"{box.google_endpoint}calendars/team/events", box.google_token(RECRUITER))
    written = await team("POST", json=google_event())
    assert (await team("GET")).status == 200
    assert (written.status, written.reason) == (403, "requiredAccessLevel")


async def test_a_calendar_that_is_gone_is_not_found(box: Sandbox, google: Client) -> None:
    box.state.google.put_calendar(RECRUITER, gone=True)
    answer = await google("POST", json=google_event())
    assert (answer.status, answer.reason) == (404, "notFound")


async def test_a_token_reaches_no_further_than_its_scopes(box: Sandbox, http: aiohttp.ClientSession) -> None:
    box.google_token(RECRUITER)
    scope = "https://www.googleapis.com/auth/calendar.events"
    client = Client(
        http, f"{box.google_endpoint}calendars/primary", box.state.google_tokens.issue(RECRUITER, [scope])
    )
    answer = await client("GET")
    assert (await client("GET", "/events")).status == 200
    assert (answer.status, answer.reason) == (403, "insufficientPermissions")


async def test_the_calendar_list_says_which_role_the_caller_has(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    box.state.google.put_calendar("team", shared_with={RECRUITER: "writer"})
    box.state.google.put_calendar("other", shared_with={"manager@globex.com": "writer"})
    client = Client(http, f"{box.google_endpoint}users/me/calendarList", box.google_token(RECRUITER))
    roles = {item["id"]: item["accessRole"] for item in (await client("GET")).body["items"]}
    assert roles == {"team": "writer", RECRUITER: "owner"}


async def test_free_busy_merges_what_is_taken_and_leaves_out_the_rest(
    box: Sandbox, google: Client, http: aiohttp.ClientSession
) -> None:
    half_past = {"dateTime": "2026-10-06T09:30:00+02:00"}
    eleven = {"dateTime": "2026-10-06T11:00:00+02:00"}
    await google("POST", json=google_event())
    await google("POST", json=google_event(id="meeting2", start=half_past, end=eleven))
    await google("POST", json=google_event(id="meeting3", transparency="transparent", end=eleven))
    asked = {
        "timeMin": "2026-10-06T00:00:00Z",
        "timeMax": "2026-10-07T00:00:00Z",
        "items": [{"id": RECRUITER}, {"id": "nobody"}],
    }
    client = Client(http, f"{box.google_endpoint}freeBusy", google.token)
    found = (await client("POST", json=asked)).body["calendars"]
    assert found[RECRUITER]["busy"] == [{"start": "2026-10-06T07:00:00Z", "end": "2026-10-06T09:00:00Z"}]
    assert found["nobody"]["errors"] == [{"domain": "global", "reason": "notFound"}]
