from typing import Any

import aiohttp
import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, PROPERTY, Client, graph_event
from tests.sandbox.conftest import Time


def keyed(value: str) -> dict[str, Any]:
    return graph_event(subject=value, singleValueExtendedProperties=[{"id": PROPERTY, "value": value}])


def by_property(value: str, property_id: str = PROPERTY) -> str:
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{property_id}' and ep/value eq '{value}')"


async def subjects(graph: Client, path: str = "/events", **query: str) -> list[str]:
    answer = await graph.get(path, **query)
    assert answer.status == 200, answer.body
    return [event["subject"] for event in answer.body["value"]]


async def on(graph: Client, day: int, **fields: Any) -> None:
    times = {
        "start": {"dateTime": f"2026-10-{day:02}T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": f"2026-10-{day:02}T10:00:00", "timeZone": "UTC"},
    }
    await graph("POST", "/events", graph_event(subject=f"day {day}", **times, **fields))


async def test_events_are_found_by_extended_property_in_any_case_of_the_value(graph: Client) -> None:
    await graph("POST", "/events", keyed("k1"))
    await graph("POST", "/events", keyed("k2"))
    assert await subjects(graph, _filter=by_property("K2")) == ["k2"]
    assert await subjects(graph, _filter=by_property("k2", PROPERTY.replace("key", "KEY"))) == []


async def test_events_with_any_value_of_a_property_are_found_and_those_without_it_are_not(
    graph: Client,
) -> None:
    await graph("POST", "/events", keyed("k1"))
    await graph("POST", "/events", graph_event(subject="plain"))
    await graph("POST", "/events", keyed("k2"))
    any_value = by_property("k1").replace("eq 'k1'", "ne null")
    assert await subjects(graph, _filter=any_value) == ["k1", "k2"]


async def test_a_deleted_event_is_not_found_by_its_property(graph: Client) -> None:
    created = await graph("POST", "/events", keyed("k1"))
    await graph("DELETE", f"/events/{created.body['id']}")
    assert await subjects(graph, _filter=by_property("k1")) == []


async def test_a_changed_property_is_found_by_its_new_value_only(graph: Client) -> None:
    created = await graph("POST", "/events", keyed("k1"))
    change = {"singleValueExtendedProperties": [{"id": PROPERTY, "value": "k9"}]}
    await graph("PATCH", f"/events/{created.body['id']}", change)
    assert await subjects(graph, _filter=by_property("k1")) == []
    assert await subjects(graph, _filter=by_property("k9")) == ["k1"]


async def test_a_search_may_lag_behind(box: Sandbox, graph: Client, time: Time) -> None:
    box.state.microsoft.put_mailbox(PANEL, search_lag=3.0)
    await graph("POST", "/events", keyed("k1"))
    assert await subjects(graph, _filter=by_property("k1")) == []
    time.now += 3
    assert await subjects(graph, _filter=by_property("k1")) == ["k1"]


async def test_the_guid_of_a_property_may_be_shown_in_capitals(box: Sandbox, graph: Client) -> None:
    small = PROPERTY.replace("C000", "c000")
    await graph("POST", "/events", graph_event(singleValueExtendedProperties=[{"id": small, "value": "k1"}]))
    box.state.microsoft.put_mailbox(PANEL, capital_guids=True)
    expand = f"singleValueExtendedProperties($filter=id eq '{small}')"
    answer = await graph.get("/events", _filter=by_property("k1", small), _expand=expand)
    [shown] = answer.body["value"][0]["singleValueExtendedProperties"]
    assert shown == {"id": PROPERTY, "value": "k1"}


async def test_pages_are_linked(graph: Client) -> None:
    for day in range(1, 13):
        await on(graph, day)
    first = await graph("GET", "/events", _select="subject", _orderby="start/dateTime desc")
    rest = Client(graph.http, first.body["@odata.nextLink"], graph.token)
    second = await rest("GET")
    assert [event["subject"] for event in first.body["value"]] == [f"day {day}" for day in range(12, 2, -1)]
    assert [event["subject"] for event in second.body["value"]] == ["day 2", "day 1"]
    assert "@odata.nextLink" not in second.body


async def test_select_leaves_the_id_and_etag(graph: Client) -> None:
    await on(graph, 6)
    (event,) = (await graph("GET", "/events", _select="subject")).body["value"]
    assert set(event) == {"@odata.etag", "id", "subject"}


async def test_a_calendar_view_holds_what_touches_the_period(graph: Client) -> None:
    for day in (8, 6, 7):
        await on(graph, day)
    query = {"startDateTime": "2026-10-06T09:59:00Z", "endDateTime": "2026-10-08T09:00:00"}
    assert await subjects(graph, "/calendarView", **query) == ["day 6", "day 7"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/events", {"$filter": "subject eq 'x'"}),
        ("/events", {"$expand": "instances"}),
        ("/events", {"$top": "0"}),
        ("/events", {"$orderby": "subject"}),
        ("/calendarView", {}),
        (
            "/calendarView",
            {"startDateTime": "2026-10-06", "endDateTime": "2026-10-07", "$filter": by_property("k")},
        ),
        ("/calendarView", {"startDateTime": "yesterday", "endDateTime": "2026-10-07"}),
    ],
)
async def test_a_query_that_cannot_be_answered_is_refused(
    graph: Client, path: str, query: dict[str, str]
) -> None:
    assert (await graph.get(path, **query)).status == 400


async def test_a_schedule_shows_what_is_taken(graph: Client, box: Sandbox) -> None:
    await on(graph, 6, sensitivity="private")
    await on(graph, 6, showAs="free")
    asked = {
        "schedules": [PANEL, "nobody@globex.com"],
        "startTime": {"dateTime": "2026-10-06T08:00:00", "timeZone": "UTC"},
        "endTime": {"dateTime": "2026-10-06T12:00:00", "timeZone": "UTC"},
        "availabilityViewInterval": 60,
    }
    found, nobody = (await graph("POST", "/calendar/getSchedule", asked)).body["value"]
    assert found["availabilityView"] == "0200"
    assert [(item["status"], item["start"]["dateTime"]) for item in found["scheduleItems"]] == [
        ("busy", "2026-10-06T09:00:00.0000000")
    ]
    assert "subject" not in found["scheduleItems"][0]
    assert nobody["error"]["responseCode"] == "ErrorMailRecipientNotFound"


async def test_a_personal_account_has_no_schedules(
    box: Sandbox, http: aiohttp.ClientSession, graph: Client
) -> None:
    box.state.microsoft.put_mailbox(PANEL, personal=True)
    mine = Client(http, f"{box.graph_endpoint}/me", box.graph_token(PANEL))
    assert (await mine("POST", "/calendar/getSchedule", {})).status == 403
