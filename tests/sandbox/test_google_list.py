import pytest

from tests.sandbox.clients import Client, google_event


async def add(google: Client, event_id: str, day: int, key: str) -> None:
    event = {
        "id": event_id,
        "start": {"dateTime": f"2026-10-{day:02}T09:00:00Z"},
        "end": {"dateTime": f"2026-10-{day:02}T10:00:00Z"},
        "extendedProperties": {"private": {"key": key, "app": "hiring"}},
    }
    await google("POST", json=google_event(**event))


async def ids(google: Client, **query: str) -> list[str]:
    answer = await google.get(**query)
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.body["items"]]


async def test_events_are_found_by_private_property(google: Client) -> None:
    await add(google, "event1", 6, "k1")
    await add(google, "event2", 7, "k2")
    assert await ids(google, privateExtendedProperty="key=k2") == ["event2"]
    assert await ids(google, privateExtendedProperty="app=hiring") == ["event1", "event2"]
    assert await ids(google, privateExtendedProperty="key=k3") == []


async def test_several_private_properties_must_all_match(google: Client) -> None:
    await add(google, "event1", 6, "k1")
    headers = {"Authorization": f"Bearer {google.token}"}
    wanted = [("privateExtendedProperty", "app=hiring"), ("privateExtendedProperty", "key=k2")]
    async with google.http.get(google.base, params=wanted, headers=headers) as answer:
        assert (await answer.json())["items"] == []


async def test_a_changed_private_property_is_found_by_its_new_value_only(google: Client) -> None:
    await add(google, "event1", 6, "k1")
    await google("PATCH", "/event1", {"extendedProperties": {"private": {"key": "k9"}}})
    assert await ids(google, privateExtendedProperty="key=k1") == []
    assert await ids(google, privateExtendedProperty="key=k9") == ["event1"]


async def test_tombstones_are_listed_on_request_only(google: Client) -> None:
    await add(google, "event1", 6, "k1")
    await google("DELETE", "/event1")
    assert await ids(google) == []
    assert await ids(google, showDeleted="true", privateExtendedProperty="key=k1") == ["event1"]


async def test_a_period_holds_what_touches_it(google: Client) -> None:
    for day in (6, 7, 8):
        await add(google, f"event{day}", day, "k")
    assert await ids(google, timeMin="2026-10-06T10:00:00Z", timeMax="2026-10-08T09:00:00Z") == ["event7"]


async def test_pages_follow_one_another_in_order(google: Client) -> None:
    for day in (8, 6, 7):
        await add(google, f"event{day}", day, "k")
    query = {"maxResults": "2", "orderBy": "startTime", "singleEvents": "true"}
    first = await google.get(**query)
    second = await google.get(pageToken=first.body["nextPageToken"], **query)
    found = [item["id"] for item in first.body["items"] + second.body["items"]]
    assert found == ["event6", "event7", "event8"]
    assert "nextPageToken" not in second.body


@pytest.mark.parametrize(
    "query",
    [
        {"orderBy": "startTime"},
        {"orderBy": "colour"},
        {"timeMin": "2026-10-06T10:00:00"},
        {"maxResults": "0"},
        {"pageToken": "nonsense"},
        {"privateExtendedProperty": "key"},
        {"q": "interview"},
    ],
    ids=str,
)
async def test_a_query_that_cannot_be_answered_is_refused(google: Client, query: dict[str, str]) -> None:
    answer = await google.get(**query)
    assert (answer.status, answer.reason) == (400, "invalid")
