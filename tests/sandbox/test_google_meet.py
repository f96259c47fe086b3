from typing import Any

from sandbox.person import Person
from sandbox.server import Sandbox
from tests.sandbox.clients import RECRUITER, Client, google_event
from tests.sandbox.conftest import Time

ENTRY_POINTS = [{"entryPointType": "video", "uri": "https://zoom.example/j/1"}]
OF_AN_ADD_ON = {
    "conferenceSolution": {"key": {"type": "addOn"}, "name": "Zoom"},
    "entryPoints": ENTRY_POINTS,
}


def wanted(request_id: str = "r1") -> dict[str, Any]:
    key = {"type": "hangoutsMeet"}
    return {"createRequest": {"requestId": request_id, "conferenceSolutionKey": key}}


def state_of(body: dict[str, Any]) -> str:
    return str(body["conferenceData"]["createRequest"]["status"]["statusCode"])


async def test_a_meeting_is_pending_first_and_there_when_read_again(google: Client) -> None:
    inserted = await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    read = await google("GET", "/meeting1")
    assert state_of(inserted.body) == "pending"
    assert state_of(read.body) == "success"
    assert read.body["hangoutLink"] == read.body["conferenceData"]["entryPoints"][0]["uri"]


async def test_a_meeting_can_take_its_time(box: Sandbox, google: Client, time: Time) -> None:
    box.state.google.put_calendar(RECRUITER, meet_delay=5.0)
    await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    assert state_of((await google("GET", "/meeting1")).body) == "pending"
    time.now += 5
    assert state_of((await google("GET", "/meeting1")).body) == "success"


async def test_a_meeting_can_fail(box: Sandbox, google: Client) -> None:
    box.state.google.put_calendar(RECRUITER, meet_succeeds=False)
    await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    read = await google("GET", "/meeting1")
    assert state_of(read.body) == "failure"
    assert "hangoutLink" not in read.body


async def test_conference_data_is_ignored_without_its_version(google: Client) -> None:
    await google("POST", json=google_event(conferenceData=wanted()))
    assert "conferenceData" not in (await google("GET", "/meeting1")).body


async def test_a_patch_without_the_version_leaves_the_meeting_alone(google: Client) -> None:
    await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    before = (await google("GET", "/meeting1")).body["hangoutLink"]
    await google("PATCH", "/meeting1", {"summary": "Newer", "conferenceData": None})
    assert (await google("GET", "/meeting1")).body["hangoutLink"] == before


async def test_the_same_request_id_again_changes_nothing_and_a_new_one_makes_a_new_link(
    google: Client,
) -> None:
    await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    first = (await google("GET", "/meeting1")).body["hangoutLink"]
    await google("PATCH", "/meeting1", {"conferenceData": wanted()}, conferenceDataVersion="1")
    again = (await google("GET", "/meeting1")).body["hangoutLink"]
    await google("PATCH", "/meeting1", {"conferenceData": wanted("r2")}, conferenceDataVersion="1")
    other = (await google("GET", "/meeting1")).body["hangoutLink"]
    assert first == again != other


async def test_null_removes_the_meeting(google: Client) -> None:
    await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    await google("PATCH", "/meeting1", {"conferenceData": None}, conferenceDataVersion="1")
    read = (await google("GET", "/meeting1")).body
    assert "conferenceData" not in read
    assert "hangoutLink" not in read


async def test_a_calendar_without_meet_refuses_the_whole_event(box: Sandbox, google: Client) -> None:
    box.state.google.put_calendar(RECRUITER, allowed_conferences=())
    answer = await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    assert (answer.status, answer.reason) == (400, "invalid")
    assert answer.body["error"]["message"] == "Invalid conference type value."
    assert (await google("GET", "/meeting1")).status == 404


async def test_a_conference_of_an_add_on_is_refused_from_any_other_client(google: Client) -> None:
    answer = await google("POST", json=google_event(conferenceData=OF_AN_ADD_ON), conferenceDataVersion="1")
    assert (answer.status, answer.reason) == (400, "invalid")
    assert answer.body["error"]["message"] == "Invalid conference data"
    assert (await google("GET", "/meeting1")).status == 404


async def test_a_conference_of_no_type_is_dropped_without_a_word(google: Client) -> None:
    nameless = {"conferenceSolution": {"name": "Zoom"}, "entryPoints": ENTRY_POINTS}
    answer = await google("POST", json=google_event(conferenceData=nameless), conferenceDataVersion="1")
    assert answer.status == 200
    assert "conferenceData" not in answer.body
    assert "conferenceData" not in (await google("GET", "/meeting1")).body


async def test_a_person_adds_a_conference_of_an_add_on(box: Sandbox, google: Client) -> None:
    await google("POST", json=google_event())
    Person(box.state).edits("google", RECRUITER, "meeting1", {"conferenceData": OF_AN_ADD_ON})
    assert (await google("GET", "/meeting1")).body["conferenceData"] == OF_AN_ADD_ON


async def test_a_calendar_may_keep_a_meeting_that_is_taken_away(box: Sandbox, google: Client) -> None:
    box.state.google.put_calendar(RECRUITER, keeps_conference=True)
    await google("POST", json=google_event(conferenceData=wanted()), conferenceDataVersion="1")
    await google("PATCH", "/meeting1", {"conferenceData": None}, conferenceDataVersion="1")
    assert (await google("GET", "/meeting1")).body["conferenceData"]["entryPoints"]
