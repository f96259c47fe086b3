"""What vendors are reported to do and their documentation does not promise against: reads that lag, ids that survive,
creates that are stored by halves; and what people do with copies.
"""

from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, PROPERTY, RECRUITER, Client, google_event, graph_event
from tests.sandbox.conftest import Time

OURS = {"extendedProperties": {"private": {"key": "k"}}}
BODY = graph_event(transactionId="t1", singleValueExtendedProperties=[{"id": PROPERTY, "value": "k"}])
EXPANDED = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"
FILTER = f"singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq 'k')"


async def test_google_takes_an_id_and_does_not_show_it_yet(box: Sandbox, google: Client, time: Time) -> None:
    box.state.google.put_calendar(RECRUITER, owner=RECRUITER, read_lag=60)
    assert (await google("POST", "", google_event(id="meeting1"))).status == 200
    for method, body in (("GET", None), ("PATCH", {"summary": "Moved"}), ("DELETE", None)):
        assert (await google(method, "/meeting1", body)).status == 404
    assert (await google("POST", "", google_event(id="meeting1"))).reason == "duplicate"
    time.now += 61
    assert (await google("GET", "/meeting1")).status == 200


async def test_graph_knows_a_transaction_and_does_not_show_its_event_yet(
    box: Sandbox, graph: Client, time: Time
) -> None:
    box.state.microsoft.put_mailbox(PANEL, read_lag=60)
    event = (await graph("POST", "/events", BODY)).body
    for method, body in (("GET", None), ("PATCH", {"subject": "Moved"}), ("DELETE", None)):
        assert (await graph(method, f"/events/{event['id']}", body)).code == "ErrorItemNotFound"
    time.now += 61
    assert (await graph("GET", f"/events/{event['id']}")).status == 200


async def test_an_immutable_id_may_outlive_a_delete(box: Sandbox, graph: Client) -> None:
    box.state.microsoft.put_mailbox(PANEL, ids_survive=True)
    event = (await graph("POST", "/events", BODY)).body
    path = f"/events/{event['id']}"
    assert (await graph("GET", f"{path}/calendar")).body["isDefaultCalendar"]
    assert (await graph("DELETE", path)).status == 204
    assert (await graph("GET", path)).status == 200
    assert (await graph("PATCH", path, {"subject": "Moved"})).status == 200
    assert (await graph("GET", f"{path}/calendar")).code == "ErrorItemNotFound"
    assert (await graph("DELETE", path)).code == "ErrorCannotDeleteObject"
    assert (await graph("GET", "/events")).body["value"] == []


async def test_a_create_may_fail_and_be_stored_without_its_properties(
    box: Sandbox, google: Client, graph: Client
) -> None:
    for provider in ("google", "microsoft"):
        box.state.faults.add(
            provider=provider, method="POST", fault="stripped;status=503;code=ConcurrentItemSave"
        )
    assert (await google("POST", "", google_event(id="meeting1", **OURS))).status == 503
    assert "extendedProperties" not in (await google("GET", "/meeting1")).body
    failed = await graph("POST", "/events", BODY)
    assert (failed.status, failed.code) == (503, "ConcurrentItemSave")
    [event] = (await graph("GET", "/events", _expand=EXPANDED)).body["value"]
    assert event["transactionId"] == "t1"
    assert "singleValueExtendedProperties" not in event


async def test_a_copy_at_google_has_an_id_of_its_own_and_the_private_properties(
    google: Client, control: Client
) -> None:
    await google("POST", "", google_event(id="meeting1", **OURS))
    here = {"provider": "google", "calendar": RECRUITER}
    copy_id = (await control("POST", "/events/meeting1/copy", here)).body["id"]
    copy = (await google("GET", f"/{copy_id}")).body
    assert copy_id != "meeting1"
    assert copy["extendedProperties"] == OURS["extendedProperties"]


async def test_a_copy_in_outlook_has_the_properties_but_no_transaction(
    graph: Client, control: Client
) -> None:
    event = (await graph("POST", "/events", BODY)).body
    here = {"provider": "microsoft", "calendar": PANEL}
    copy_id = (await control("POST", f"/events/{event['id']}/copy", here)).body["id"]
    found = (await graph("GET", "/events", _filter=FILTER)).body["value"]
    assert {each["id"] for each in found} == {event["id"], copy_id}
    [copy] = [each for each in found if each["id"] == copy_id]
    assert "transactionId" not in copy
    assert copy["iCalUId"] != event["iCalUId"]


async def test_a_drag_in_classic_outlook_makes_another_event_of_the_same_uid(
    box: Sandbox, graph: Client, control: Client
) -> None:
    box.state.microsoft.put_calendar(PANEL, "private")
    event = (await graph("POST", "/events", BODY)).body
    here = {"provider": "microsoft", "calendar": PANEL, "to": f"{PANEL}/private"}
    dragged_id = (await control("POST", f"/events/{event['id']}/drag", here)).body["id"]
    assert (await graph("GET", f"/events/{event['id']}")).status == 404
    [dragged] = (await graph("GET", "/calendars/private/events")).body["value"]
    assert (dragged["id"], dragged["iCalUId"]) == (dragged_id, event["iCalUId"])


async def test_a_person_may_make_a_series_which_a_client_s_change_shifts(
    google: Client, graph: Client, control: Client
) -> None:
    await google("POST", "", google_event(id="meeting1"))
    await control("POST", "/events/meeting1/repeat", {"provider": "google", "calendar": RECRUITER})
    changed = await google("PATCH", "/meeting1", {"summary": "Moved"})
    assert changed.body["recurrence"] == ["RRULE:FREQ=WEEKLY"]
    event = (await graph("POST", "/events", BODY)).body
    await control("POST", f"/events/{event['id']}/repeat", {"provider": "microsoft", "calendar": PANEL})
    series = (await graph("GET", f"/events/{event['id']}")).body
    assert (series["type"], series["recurrence"]["pattern"]["type"]) == ("seriesMaster", "weekly")
