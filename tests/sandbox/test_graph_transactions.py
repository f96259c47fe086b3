from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, Client, graph_event

BODY = graph_event(transactionId="t1")


async def test_the_same_post_again_gives_the_same_event(graph: Client) -> None:
    first, second = await graph("POST", "/events", BODY), await graph("POST", "/events", BODY)
    listed = await graph("GET", "/events")
    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] == second.body["id"]
    assert len(listed.body["value"]) == 1


async def test_the_id_is_returned_if_it_was_set(graph: Client) -> None:
    assert (await graph("POST", "/events", BODY)).body["transactionId"] == "t1"
    assert "transactionId" not in (await graph("POST", "/events", graph_event())).body


async def test_other_content_under_the_same_id_is_refused_and_names_the_event(
    box: Sandbox, graph: Client
) -> None:
    first = await graph("POST", "/events", BODY)
    for status in (400, 409):
        box.state.microsoft.put_mailbox(PANEL, duplicate_status=status)
        other = await graph("POST", "/events", BODY | {"subject": "Other"})
        assert (other.status, other.code) == (status, "ErrorDuplicateTransactionId")
        assert other.body["error"]["@event.existingEventId"] == first.body["id"]


async def test_the_id_is_remembered_after_the_event_was_deleted(graph: Client) -> None:
    first = await graph("POST", "/events", BODY)
    await graph("DELETE", f"/events/{first.body['id']}")
    again = await graph("POST", "/events", BODY)
    existing = again.body["error"]["@event.existingEventId"]
    assert again.code == "ErrorDuplicateTransactionId"
    assert (await graph("GET", f"/events/{existing}")).status == 404


async def test_each_calendar_has_its_own_ids(box: Sandbox, graph: Client) -> None:
    box.state.microsoft.put_calendar(PANEL, "other")
    first = await graph("POST", "/events", BODY)
    second = await graph("POST", "/calendars/other/events", BODY)
    assert second.status == 201
    assert first.body["id"] != second.body["id"]


async def test_the_id_cannot_be_changed(graph: Client) -> None:
    first = await graph("POST", "/events", BODY)
    answer = await graph("PATCH", f"/events/{first.body['id']}", {"transactionId": "t2"})
    assert (answer.status, answer.code) == (400, "ErrorInvalidRequest")
