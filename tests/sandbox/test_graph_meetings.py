from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, Answer, Client, graph_event

ONLINE = graph_event(
    body={"contentType": "text", "content": "Bring a pen & paper"},
    isOnlineMeeting=True,
    onlineMeetingProvider="teamsForBusiness",
)


async def created(graph: Client) -> Answer:
    return await graph("POST", "/events", ONLINE)


async def test_a_meeting_has_a_join_url_that_also_stands_in_the_body(graph: Client) -> None:
    event = (await created(graph)).body
    assert event["isOnlineMeeting"]
    assert event["onlineMeeting"]["joinUrl"] in event["body"]["content"]
    assert event["body"]["contentType"] == "html"
    assert "Bring a pen &amp; paper" in event["body"]["content"]


async def test_a_calendar_without_teams_ignores_the_wish(box: Sandbox, graph: Client) -> None:
    box.state.microsoft.put_calendar(PANEL, online_meetings=())
    answer = await created(graph)
    assert answer.status == 201
    assert (answer.body["isOnlineMeeting"], answer.body["onlineMeeting"]) == (False, None)
    assert (await graph("GET", "/calendar")).body["allowedOnlineMeetingProviders"] == []


async def test_a_new_body_without_the_details_destroys_the_meeting(graph: Client) -> None:
    event_id = (await created(graph)).body["id"]
    body = {"body": {"contentType": "html", "content": "<p>Bring nothing</p>"}}
    patched = await graph("PATCH", f"/events/{event_id}", body)
    assert (patched.body["isOnlineMeeting"], patched.body["onlineMeeting"]) == (False, None)


async def test_a_new_body_around_the_details_keeps_the_meeting(graph: Client) -> None:
    event = (await created(graph)).body
    spliced = event["body"]["content"].replace("Bring a pen", "Bring a pencil")
    body = {"body": {"contentType": "html", "content": spliced}}
    patched = await graph("PATCH", f"/events/{event['id']}", body)
    assert patched.body["onlineMeeting"] == event["onlineMeeting"]
    assert patched.body["body"]["content"] == spliced


async def test_after_creation_a_meeting_can_neither_be_added_nor_taken_away(graph: Client) -> None:
    with_meeting = (await created(graph)).body["id"]
    without = (await graph("POST", "/events", graph_event())).body["id"]
    added = await graph("PATCH", f"/events/{without}", {"isOnlineMeeting": True})
    taken = await graph("PATCH", f"/events/{with_meeting}", {"isOnlineMeeting": False})
    assert (added.body["isOnlineMeeting"], taken.body["isOnlineMeeting"]) == (False, True)


async def test_a_list_shows_the_link_only_if_it_selects_the_flag_too(graph: Client) -> None:
    await created(graph)
    alone = await graph("GET", "/events", _select="onlineMeeting")
    both = await graph("GET", "/events", _select="onlineMeeting,isOnlineMeeting")
    assert "onlineMeeting" not in alone.body["value"][0]
    assert both.body["value"][0]["onlineMeeting"]["joinUrl"]


async def test_a_reader_may_prefer_text(graph: Client) -> None:
    event = (await graph("POST", "/events", graph_event(body={"content": "one\ntwo < three"}))).body
    headers = {"Prefer": 'IdType="ImmutableId", outlook.body-content-type="text"'}
    read = await graph("GET", f"/events/{event['id']}", headers=headers)
    assert read.body["body"] == {"contentType": "text", "content": "one\r\ntwo < three"}
    assert event["bodyPreview"] == "one\r\ntwo < three"
