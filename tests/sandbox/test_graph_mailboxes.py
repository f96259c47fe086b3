import asyncio

import aiohttp

from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, Client, graph_event


async def test_without_a_known_token_nobody_gets_in(graph: Client) -> None:
    graph.token = "stranger"
    answer = await graph("GET", "/events")
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")


async def test_an_unknown_user_and_one_without_a_mailbox_differ(box: Sandbox, graph: Client) -> None:
    graph.base = f"{box.graph_endpoint}/users/nobody@globex.com"
    unknown = await graph("GET", "/events")
    box.state.microsoft.put_mailbox("nobody@globex.com", rest_enabled=False)
    unlicensed = await graph("GET", "/events")
    assert (unknown.status, unknown.code) == (404, "ErrorInvalidUser")
    assert (unlicensed.status, unlicensed.code) == (404, "MailboxNotEnabledForRESTAPI")


async def test_a_user_reads_its_own_and_shared_mailboxes_only(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    for name in ("recruiter", "manager", "candidate"):
        box.state.microsoft.put_mailbox(f"{name}@globex.com")
    box.state.microsoft.put_mailbox("manager@globex.com", shared_with=frozenset({"recruiter@globex.com"}))
    recruiter = Client(http, box.graph_endpoint, box.graph_token("recruiter@globex.com"))
    assert (await recruiter("GET", "/me/events")).status == 200
    assert (await recruiter("GET", "/users/manager@globex.com/events")).status == 200
    assert (await recruiter("GET", "/users/candidate@globex.com/events")).code == "ErrorAccessDenied"


async def test_an_application_has_no_me(box: Sandbox, http: aiohttp.ClientSession) -> None:
    answer = await Client(http, box.graph_endpoint, box.graph_token())("GET", "/me/events")
    assert answer.status == 400


async def test_an_access_policy_keeps_applications_out(box: Sandbox, graph: Client) -> None:
    box.state.microsoft.put_mailbox(PANEL, denied=True)
    assert (await graph("GET", "/events")).code == "ErrorAccessDenied"


async def test_a_calendar_can_be_missing_gone_or_readonly(box: Sandbox, graph: Client) -> None:
    box.state.microsoft.put_calendar(PANEL, "gone", gone=True)
    box.state.microsoft.put_calendar(PANEL, "locked", readonly=True)
    for name in ("missing", "gone"):
        answer = await graph("POST", f"/calendars/{name}/events", graph_event())
        assert (answer.status, answer.code) == (404, "ErrorItemNotFound")
    locked = await graph("POST", "/calendars/locked/events", graph_event())
    assert (locked.status, locked.code) == (403, "ErrorAccessDenied")


async def test_the_calendars_of_a_mailbox_are_listed(box: Sandbox, graph: Client) -> None:
    box.state.microsoft.put_calendar(PANEL, "other", online_meetings=())
    found = (await graph("GET", "/calendars")).body["value"]
    assert [(each["isDefaultCalendar"], each["defaultOnlineMeetingProvider"]) for each in found] == [
        (True, "teamsForBusiness"),
        (False, "unknown"),
    ]
    assert (await graph("GET", "/calendars/other")).body == found[1]


async def test_the_fifth_request_at_once_in_a_mailbox_is_throttled(box: Sandbox, graph: Client) -> None:
    box.state.faults.add("delay;seconds=0.2", provider="microsoft", count=None)
    answers = await asyncio.gather(*(graph("GET", "/events") for _ in range(5)))
    refused = [answer for answer in answers if answer.status == 429]
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 429]
    assert refused[0].code == "ApplicationThrottled"
    assert int(refused[0].headers["Retry-After"]) > 0
    assert box.state.journal.concurrency_violations == 1


async def test_each_application_and_mailbox_has_places_of_its_own(box: Sandbox, graph: Client) -> None:
    box.state.microsoft.put_mailbox("other@globex.com")
    box.state.faults.add("delay;seconds=0.2", provider="microsoft", count=None)
    second_app = Client(graph.http, graph.base, box.graph_token(client_id="second"))
    other = Client(graph.http, f"{box.graph_endpoint}/users/other@globex.com", graph.token)
    clients = [graph] * 4 + [second_app] * 4 + [other] * 4
    answers = await asyncio.gather(*(client("GET", "/events") for client in clients))
    assert {answer.status for answer in answers} == {200}
    assert box.state.journal.peak_concurrency == 4
