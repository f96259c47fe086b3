import aiohttp
import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, PROPERTY, RECRUITER, Client, google_event, graph_event


async def test_events_of_both_vendors_are_seen_with_their_private_keys(
    control: Client, google: Client, graph: Client
) -> None:
    await google("POST", json=google_event(extendedProperties={"private": {"key": "k1"}}))
    await google("DELETE", "/meeting1")
    properties = [{"id": PROPERTY, "value": "k2"}]
    await graph("POST", "/events", graph_event(singleValueExtendedProperties=properties))
    seen = (await control("GET", "/events")).body
    assert [(event["provider"], event["calendar"], event["status"], event["private"]) for event in seen] == [
        ("google", RECRUITER, "cancelled", {"key": "k1"}),
        ("microsoft", PANEL, "confirmed", {"key": "k2"}),
    ]
    assert seen[0]["starts_at"] == seen[1]["starts_at"] == "2026-10-06T07:00:00Z"
    only = (await control("GET", "/events", provider="microsoft", calendar=PANEL)).body
    assert only == seen[1:]


async def test_requests_are_kept_without_their_credentials(control: Client, google: Client) -> None:
    await google("POST", json=google_event(), sendUpdates="none")
    await google.http.post(google.base.partition("/calendar")[0] + "/google/token", data={"assertion": "jwt"})
    write, token = (await control("GET", "/requests")).body
    assert (write["method"], write["query"], write["status"]) == ("POST", "sendUpdates=none", 200)
    assert write["body"] == google_event()
    assert google.token not in str(write)
    assert (token["provider"], token["status"], token["body"]) == ("google-token", 400, None)


async def test_counters_add_up(control: Client, google: Client) -> None:
    await google("GET")
    await google("GET")
    await google("GET", "/missing")
    counted = (await control("GET", "/counters")).body
    assert counted["total"] == 3
    assert {"provider": "google", "method": "GET", "status": 200, "count": 2} in counted["requests"]


async def test_notifications_are_listed(control: Client, google: Client) -> None:
    await google("POST", json=google_event(attendees=[{"email": "manager@globex.com"}]), sendUpdates="all")
    (mail,) = (await control("GET", "/notifications")).body
    assert (mail["kind"], mail["event_id"], mail["recipients"]) == (
        "insert",
        "meeting1",
        ["manager@globex.com"],
    )


async def test_a_google_calendar_is_made_and_changed_with_flags(
    control: Client, box: Sandbox, http: aiohttp.ClientSession
) -> None:
    made = {"provider": "google", "id": "team", "shared_with": {RECRUITER: "writer"}, "meet": False}
    assert (await control("POST", "/calendars", made)).status == 201
    team = Client(http, f"{box.google_endpoint}calendars/team", box.google_token(RECRUITER))
    await team("POST", "/events", google_event())
    assert (await team("GET")).body["conferenceProperties"] == {"allowedConferenceSolutionTypes": []}
    await control("POST", "/calendars", {"provider": "google", "id": "team", "gone": True})
    assert (await team("GET")).status == 404
    await control("POST", "/calendars", {"provider": "google", "id": "team", "gone": False})
    assert (await team("GET", "/events/meeting1")).status == 200
    refusing = {"provider": "google", "id": "team", "refused_zones": ["Europe/Berlin"]}
    await control("POST", "/calendars", refusing)
    assert (await team("POST", "/events", google_event(id="meeting2"))).reason == "invalid"


async def test_a_mailbox_and_its_calendars_are_made_with_flags(
    control: Client, box: Sandbox, graph: Client
) -> None:
    second = {"provider": "microsoft", "mailbox": PANEL, "id": "second", "teams": False, "name": "Panel"}
    await control("POST", "/calendars", second)
    refusing = {"provider": "microsoft", "mailbox": PANEL, "refused_zones": ["W. Europe Standard Time"]}
    await control("POST", "/calendars", refusing)
    shown = (await graph("GET", "/calendars/second")).body
    assert (shown["name"], shown["allowedOnlineMeetingProviders"]) == ("Panel", [])
    assert (await graph("POST", "/events", graph_event())).code == "TimeZoneNotSupportedException"


async def test_a_person_edits_deletes_and_moves(control: Client, box: Sandbox, google: Client) -> None:
    box.state.google.put_calendar("team", owner=RECRUITER)
    await google("POST", json=google_event())
    here = {"provider": "google", "calendar": RECRUITER}
    await control("POST", "/events/meeting1/edit", here | {"fields": {"summary": "Mine"}})
    assert (await google("GET", "/meeting1")).body["summary"] == "Mine"
    await control("POST", "/events/meeting1/delete", here)
    assert (await google("GET", "/meeting1")).body["status"] == "cancelled"
    await control("POST", "/events/meeting1/edit", here)
    await control("POST", "/events/meeting1/move", here | {"to": "team"})
    assert (await google("GET", "/meeting1")).body["status"] == "cancelled"
    assert not box.state.google.calendars["team"].events["meeting1"].cancelled
    await control("POST", "/events/meeting1/purge", here)
    assert (await google("GET", "/meeting1")).status == 404


async def test_a_person_edits_moves_and_deletes_at_microsoft_too(
    control: Client, box: Sandbox, graph: Client
) -> None:
    box.state.microsoft.put_calendar(PANEL, "other")
    event_id = (await graph("POST", "/events", graph_event())).body["id"]
    here = {"provider": "microsoft", "calendar": PANEL}
    await control("POST", f"/events/{event_id}/edit", here | {"fields": {"subject": "Mine"}})
    await control("POST", f"/events/{event_id}/move", here | {"to": f"{PANEL}/other"})
    assert (await graph("GET", f"/calendars/other/events/{event_id}")).body["subject"] == "Mine"
    await control("POST", f"/events/{event_id}/delete", here)
    seen = (await control("GET", "/events", calendar=f"{PANEL}/other")).body
    assert [event["status"] for event in seen] == ["deleted"]


async def test_a_burnt_google_event_cannot_be_restored(control: Client, google: Client) -> None:
    await google("POST", json=google_event())
    here = {"provider": "google", "calendar": RECRUITER}
    await control("POST", "/events/meeting1/burn", here)
    await google("DELETE", "/meeting1")
    assert (await google("PATCH", "/meeting1", {"status": "confirmed"})).status == 403


async def test_only_an_organiser_can_cancel(control: Client, graph: Client) -> None:
    event_id = (await graph("POST", "/events", graph_event())).body["id"]
    here = {"provider": "microsoft", "calendar": PANEL}
    await control("POST", f"/events/{event_id}/give-away", here)
    assert (await graph("POST", f"/events/{event_id}/cancel", {})).status == 400
    assert (await graph("DELETE", f"/events/{event_id}")).status == 204


async def test_faults_are_queued_listed_and_removed(control: Client, google: Client) -> None:
    spec = {"fault": "throttle;retry_after=2", "provider": "google", "count": None}
    queued = await control("POST", "/faults", spec)
    listed = (await control("GET", "/faults")).body
    throttled = await google("GET")
    await control("DELETE", "/faults")
    assert listed == {"faults": [queued.body], "held": 0}
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "2")
    assert (await google("GET")).status == 200


async def test_credentials_are_handed_out(control: Client, box: Sandbox, http: aiohttp.ClientSession) -> None:
    key = (await control("POST", "/google/service-accounts", {"email": "a@b.iam"})).body
    user = (await control("POST", "/google/users", {"user": RECRUITER})).body
    token = (await control("POST", "/google/tokens", {"subject": RECRUITER})).body["access_token"]
    assert (key["type"], key["token_uri"]) == ("service_account", box.google_token_uri)
    assert (user["type"], user["token_uri"]) == ("authorized_user", box.google_token_uri)
    calendar = Client(http, f"{box.google_endpoint}calendars/primary", token)
    assert (await calendar("GET")).status == 200
    await control("POST", "/google/revoke", {"who": RECRUITER})
    assert (await calendar("GET")).status == 401


async def test_microsoft_applications_users_and_tokens_are_made(control: Client, box: Sandbox) -> None:
    application = {"tenant": "globex", "client_id": "app", "secret": "s3cret"}
    assert (await control("POST", "/microsoft/applications", application)).status == 201
    user = {"tenant": "globex", "client_id": "app", "user": PANEL}
    refresh_token = (await control("POST", "/microsoft/users", user)).body["refresh_token"]
    token = (await control("POST", "/microsoft/tokens", {"client_id": "app"})).body["access_token"]
    tokens = box.state.microsoft_tokens
    assert tokens.tenants["globex"]["app"].secret == "s3cret"
    assert refresh_token in tokens.refresh_tokens
    assert tokens.grant(token) is not None
    await control("POST", "/microsoft/revoke", {"who": "app"})
    assert tokens.grant(token) is None


async def test_token_lifetimes_can_be_set(control: Client, box: Sandbox) -> None:
    await control("POST", "/google/lifetime", {"expires_in": 5})
    await control("POST", "/microsoft/lifetime", {"expires_in": 6})
    assert (box.state.google_tokens.lifetime, box.state.microsoft_tokens.lifetime) == (5, 6)


async def test_a_reset_keeps_calendars_and_credentials_unless_everything_goes(
    control: Client, google: Client, graph: Client
) -> None:
    await google("POST", json=google_event())
    await graph("POST", "/events", graph_event(transactionId="t"))
    await control("POST", "/faults", {"fault": "error", "count": None})
    await control("POST", "/reset")
    assert (await control("GET", "/events")).body == []
    assert (await control("GET", "/counters")).body["total"] == 0
    assert (await google("POST", json=google_event())).status == 200
    assert (await graph("POST", "/events", graph_event(transactionId="t", subject="x"))).status == 201
    await control("POST", "/reset", {"everything": True})
    assert (await google("GET")).status == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/faults", {"fault": "explode"}, 400),
        ("/faults", {"falt": "error"}, 400),
        ("/calendars", {"provider": "yahoo"}, 400),
        ("/calendars", {"provider": "google", "id": "x", "meat": False}, 400),
        ("/events/none/delete", {"provider": "google", "calendar": "none"}, 404),
        ("/events/none/edit", {"provider": "microsoft", "calendar": "none"}, 404),
        ("/events/none/paint", {"provider": "google", "calendar": "none"}, 404),
    ],
)
async def test_what_cannot_be_done_is_explained(
    control: Client, path: str, body: dict[str, object], status: int
) -> None:
    answer = await control("POST", path, body)
    assert answer.status == status
    assert answer.body["error"]
