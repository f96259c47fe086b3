from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, PROPERTY, Client, graph_event

KEYED = [{"id": PROPERTY, "value": "k1"}]


async def test_an_event_can_be_read_where_it_was_created(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event())
    event_id = created.body["id"]
    paths = (f"/events/{event_id}", f"/calendar/events/{event_id}")
    reads = [await graph("GET", path) for path in paths]
    assert created.status == 201
    assert [read.body for read in reads] == [created.body, created.body]


async def test_every_answer_names_the_request(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event(), headers={"client-request-id": "attempt-1"})
    missing = await graph("GET", "/events/none", headers={"client-request-id": "attempt-2"})
    assert created.headers["client-request-id"] == "attempt-1"
    assert missing.body["error"]["innerError"]["client-request-id"] == "attempt-2"
    assert missing.body["error"]["innerError"]["request-id"] == missing.headers["request-id"]


async def test_preferences_are_confirmed(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event())
    assert created.headers["Preference-Applied"] == 'IdType="ImmutableId", outlook.timezone="UTC"'


async def test_a_patch_changes_what_it_sends_only(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event(categories=["Red"], reminderMinutesBeforeStart=5))
    patched = await graph("PATCH", f"/events/{created.body['id']}", {"subject": "Newer", "categories": []})
    assert (patched.status, patched.body["subject"], patched.body["categories"]) == (200, "Newer", [])
    assert patched.body["reminderMinutesBeforeStart"] == 5
    assert patched.body["@odata.etag"] != created.body["@odata.etag"]


async def test_a_location_overwrites_the_locations(graph: Client) -> None:
    rooms = [{"displayName": "Room 1"}, {"displayName": "Room 2"}]
    created = await graph("POST", "/events", graph_event(locations=rooms))
    patched = await graph("PATCH", f"/events/{created.body['id']}", {"location": {"displayName": "Room 3"}})
    assert created.body["location"]["displayName"] == "Room 1"
    assert [place["displayName"] for place in patched.body["locations"]] == ["Room 3"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_an_outdated_etag_is_a_conflict(graph: Client, method: str) -> None:
    created = await graph("POST", "/events", graph_event())
    path = f"/events/{created.body['id']}"
    await graph("PATCH", path, {"subject": "Newer"})
    headers = {"If-Match": created.body["@odata.etag"]}
    answer = await graph(method, path, {"subject": "Mine"}, headers=headers)
    assert (answer.status, answer.code) == (412, "ErrorIrresolvableConflict")


async def test_a_deleted_event_is_gone(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event())
    path = f"/events/{created.body['id']}"
    statuses = [(await graph("DELETE", path)).status, (await graph("GET", path)).status]
    again = await graph("DELETE", path)
    assert statuses == [204, 404]
    assert (again.status, again.code) == (404, "ErrorItemNotFound")


async def test_a_cancelled_event_is_gone_and_its_guests_are_told(box: Sandbox, graph: Client) -> None:
    guests = [{"emailAddress": {"address": "manager@globex.com"}}]
    created = await graph("POST", "/events", graph_event(attendees=guests))
    cancelled = await graph("POST", f"/events/{created.body['id']}/cancel", {"comment": "Sorry"})
    assert cancelled.status == 202
    assert (await graph("GET", f"/events/{created.body['id']}")).status == 404
    mails = [(mail.kind, mail.recipients) for mail in box.state.journal.notifications]
    assert mails == [("create", ["manager@globex.com"]), ("cancel", ["manager@globex.com"])]


async def test_only_attendees_who_changed_are_mailed_when_nothing_else_did(
    box: Sandbox, graph: Client
) -> None:
    manager, candidate = (
        {"emailAddress": {"address": f"{name}@globex.com"}} for name in ("manager", "candidate")
    )
    created = await graph("POST", "/events", graph_event(attendees=[manager]))
    await graph("PATCH", f"/events/{created.body['id']}", {"attendees": [manager, candidate]})
    assert box.state.journal.notifications[-1].recipients == ["candidate@globex.com"]


async def test_extended_properties_show_only_when_expanded_by_id(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event(singleValueExtendedProperties=KEYED))
    path = f"/events/{created.body['id']}"
    plain = await graph("GET", path, _expand="singleValueExtendedProperties")
    expanded = await graph("GET", path, _expand=f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')")
    assert "singleValueExtendedProperties" not in created.body
    assert "singleValueExtendedProperties" not in plain.body
    assert expanded.body["singleValueExtendedProperties"] == KEYED


@pytest.mark.parametrize(
    "fields",
    [
        {"sumary": "typo"},
        {"showAs": "maybe"},
        {"reminderMinutesBeforeStart": "15"},
        {"body": {"contentType": "markdown"}},
        {"start": {"timeZone": "UTC"}},
        {"attendees": [{"emailAddress": {"address": "a@b.c"}}] * 501},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_a_body_that_does_not_fit_is_refused(graph: Client, fields: dict[str, Any]) -> None:
    answer = await graph("POST", "/events", graph_event(**fields))
    assert (answer.status, answer.code) == (400, "RequestBodyRead")


async def test_an_extended_property_id_must_be_well_formed(graph: Client) -> None:
    bad = [{"id": "String {not-a-guid} Name key", "value": "v"}]
    answer = await graph("POST", "/events", graph_event(singleValueExtendedProperties=bad))
    assert (answer.status, answer.code) == (400, "ErrorInvalidParameter")


async def test_immutable_ids_survive_a_move_and_others_do_not(box: Sandbox, graph: Client) -> None:
    other = box.state.microsoft.put_calendar(PANEL, "other")
    immutable_id = (await graph("POST", "/events", graph_event())).body["id"]
    mutable_id = (await graph("GET", "/events", headers={"Prefer": ""})).body["value"][0]["id"]
    mailbox = box.state.microsoft.mailbox(PANEL)
    box.state.microsoft.move(mailbox, mailbox.events[immutable_id], other)
    assert (await graph("GET", f"/events/{immutable_id}")).status == 200
    assert (await graph("GET", f"/calendars/other/events/{immutable_id}")).status == 200
    assert (await graph("GET", f"/calendar/events/{immutable_id}")).code == "ErrorItemNotFound"
    assert (await graph("GET", f"/events/{mutable_id}", headers={"Prefer": ""})).code == "ErrorItemNotFound"


async def test_an_id_of_the_other_kind_is_not_found(graph: Client) -> None:
    immutable_id = (await graph("POST", "/events", graph_event())).body["id"]
    answer = await graph("GET", f"/events/{immutable_id}", headers={"Prefer": ""})
    assert (answer.status, answer.code) == (404, "ErrorItemNotFound")


async def test_a_subject_too_long_is_cut_without_a_word(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event(subject="x" * 256))
    assert (created.status, created.body["subject"]) == (201, "x" * 252 + "...")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"location": {"displayName": "x" * 256}}, "ErrorPropertyValidationFailure"),
        ({"location": {"displayName": "😀" * 128}}, "ErrorPropertyValidationFailure"),
        ({"location": {"address": {"street": "x" * 256}}}, "ErrorPropertyValidationFailure"),
        ({"reminderMinutesBeforeStart": -1}, "ErrorPropertyValidationFailure"),
        ({"reminderMinutesBeforeStart": 2_629_801}, "ErrorPropertyValidationFailure"),
        ({"body": {"contentType": "text", "content": "é" * 16_385}}, "ErrorMessageSizeExceeded"),
    ],
    ids=lambda fields: str(fields)[:60],
)
async def test_a_value_out_of_bounds_is_refused(graph: Client, fields: dict[str, Any], code: str) -> None:
    answer = await graph("POST", "/events", graph_event(**fields))
    assert (answer.status, answer.code) == (400, code)


async def test_an_empty_location_is_none(graph: Client) -> None:
    created = await graph("POST", "/events", graph_event(location={"displayName": "Room 1"}))
    emptied = await graph("PATCH", f"/events/{created.body['id']}", {"location": {"displayName": ""}})
    assert (emptied.body["location"]["displayName"], emptied.body["locations"]) == ("", [])
