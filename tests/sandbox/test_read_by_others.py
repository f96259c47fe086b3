"""What whoever reads calendars needs of the look-alikes: parts of answers, responses, free/busy."""

import pytest

from sandbox.google_tokens import ServiceAccount
from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, PROPERTY, RECRUITER, Client, google_event, graph_event

MANAGER = "manager@globex.com"
GUESTS = [{"email": MANAGER}, {"email": RECRUITER, "responseStatus": "declined"}]
DAY = {"timeMin": "2026-10-06T00:00:00Z", "timeMax": "2026-10-07T00:00:00Z"}
VIEW = {"startDateTime": "2026-10-06", "endDateTime": "2026-10-07"}


async def test_a_partial_answer_holds_what_was_selected(google: Client) -> None:
    await google("POST", json=google_event(attendees=GUESTS))
    fields = "kind,nextPageToken,items(id,start/dateTime,attendees(self,responseStatus))"
    answer = (await google.get(fields=fields)).body
    assert set(answer) == {"kind", "items"}
    [event] = answer["items"]
    assert set(event) == {"id", "start", "attendees"}
    assert set(event["start"]) == {"dateTime"}
    assert event["attendees"] == [
        {"responseStatus": "needsAction"},
        {"self": True, "responseStatus": "declined"},
    ]
    assert (await google.get(fields="items(*)")).body["items"] == (await google.get()).body["items"]


@pytest.mark.parametrize(
    "fields", ["itmes", "items(idd)", "items(id", "items(id))", "", "items(id;x)", "kind/x"]
)
async def test_a_field_that_google_does_not_know_is_refused(google: Client, fields: str) -> None:
    answer = await google.get(fields=fields)
    assert (answer.status, answer.reason) == (400, "invalidParameter")


async def test_of_too_many_attendees_only_the_participant_is_shown(google: Client) -> None:
    await google("POST", json=google_event(attendees=GUESTS))
    [event] = (await google.get(maxAttendees="1")).body["items"]
    assert [each["email"] for each in event["attendees"]] == [RECRUITER]
    assert event["attendeesOmitted"] is True
    [event] = (await google.get(maxAttendees="2")).body["items"]
    assert "attendeesOmitted" not in event
    assert (await google.get(maxAttendees="0")).status == 400


async def test_what_the_owner_declined_is_free(box: Sandbox, google: Client) -> None:
    await google("POST", json=google_event())
    ask = Client(google.http, f"{box.google_endpoint}freeBusy", google.token)
    asked = {**DAY, "items": [{"id": "primary"}]}
    assert len((await ask("POST", json=asked)).body["calendars"]["primary"]["busy"]) == 1
    box.person.answers("google", RECRUITER, "meeting1", "declined")
    assert (await ask("POST", json=asked)).body["calendars"]["primary"]["busy"] == []


@pytest.mark.parametrize(("authorised", "may"), [({"a", "b", "c"}, True), ({"a"}, False), (None, True)])
def test_one_scope_that_is_not_authorised_spoils_a_token(authorised: set[str] | None, may: bool) -> None:
    scopes = None if authorised is None else frozenset(authorised)
    assert ServiceAccount("sync@x.example", delegated_scopes=scopes).may_act(["a", "b"]) is may


async def test_what_was_declined_or_put_off_stays_and_is_free(box: Sandbox, graph: Client) -> None:
    declined, put_off = [(await graph("POST", "/events", graph_event())).body["id"] for _ in range(2)]
    box.person.answers("microsoft", PANEL, declined, "declined")
    box.person.is_put_off(PANEL, put_off)
    seen = {each["id"]: each for each in (await graph.get("/calendarView", **VIEW)).body["value"]}
    assert seen[declined]["responseStatus"]["response"] == "declined"
    assert (seen[declined]["isCancelled"], seen[put_off]["isCancelled"]) == (False, True)
    asked = {
        "schedules": [PANEL],
        "startTime": {"dateTime": "2026-10-06T00:00:00", "timeZone": "UTC"},
        "endTime": {"dateTime": "2026-10-07T00:00:00", "timeZone": "UTC"},
    }
    [schedule] = (await graph("POST", "/calendar/getSchedule", asked)).body["value"]
    assert schedule["scheduleItems"] == []


@pytest.mark.parametrize("expands", [True, False])
async def test_a_calendar_view_gives_extended_properties_in_some_mailboxes(
    box: Sandbox, graph: Client, expands: bool
) -> None:
    box.state.microsoft.put_mailbox(PANEL, view_expands=expands)
    properties = [{"id": PROPERTY, "value": "k"}]
    await graph("POST", "/events", graph_event(singleValueExtendedProperties=properties))
    expand = {"$expand": f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"}
    [event] = (await graph.get("/calendarView", **VIEW, **expand)).body["value"]
    assert event.get("singleValueExtendedProperties") == (properties if expands else None)
