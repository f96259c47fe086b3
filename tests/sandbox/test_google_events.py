import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import RECRUITER, Client, google_event


async def test_an_inserted_event_can_be_read_again(google: Client) -> None:
    inserted = await google("POST", json=google_event())
    read = await google("GET", "/meeting1")
    assert (inserted.status, read.status) == (200, 200)
    assert read.body == inserted.body
    assert read.body["status"] == "confirmed"


async def test_an_event_without_id_gets_one_of_its_own(google: Client) -> None:
    body = google_event()
    del body["id"]
    first, second = await google("POST", json=body), await google("POST", json=body)
    assert first.body["id"] != second.body["id"]


@pytest.mark.parametrize("event_id", ["abc", "ABCDE", "with-dash", "wxyz1", "a" * 1025])
async def test_an_id_outside_base32hex_is_refused(google: Client, event_id: str) -> None:
    answer = await google("POST", json=google_event(id=event_id))
    assert (answer.status, answer.reason) == (400, "invalid")


async def test_an_id_can_be_used_once_only_even_after_deletion(google: Client) -> None:
    await google("POST", json=google_event())
    twice = await google("POST", json=google_event())
    await google("DELETE", "/meeting1")
    after_deletion = await google("POST", json=google_event())
    assert (twice.status, twice.reason) == (409, "duplicate")
    assert (after_deletion.status, after_deletion.reason) == (409, "duplicate")


async def test_a_deleted_event_stays_readable_with_its_fields(google: Client) -> None:
    await google("POST", json=google_event())
    deleted = await google("DELETE", "/meeting1")
    read = await google("GET", "/meeting1")
    assert (deleted.status, deleted.body) == (204, "")
    assert (read.body["status"], read.body["summary"]) == ("cancelled", "Interview")


async def test_deleting_twice_says_deleted(google: Client) -> None:
    await google("POST", json=google_event())
    await google("DELETE", "/meeting1")
    again = await google("DELETE", "/meeting1")
    assert (again.status, again.reason) == (410, "deleted")


async def test_an_id_never_used_is_not_found(google: Client) -> None:
    for method in ("GET", "DELETE"):
        answer = await google(method, "/nobodysid")
        assert (answer.status, answer.reason) == (404, "notFound")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_deleted_event_comes_back_only_when_told_its_status(google: Client, method: str) -> None:
    await google("POST", json=google_event())
    await google("DELETE", "/meeting1")
    silent = await google(method, "/meeting1", google_event(summary="Back"))
    told = await google(method, "/meeting1", google_event(summary="Back", status="confirmed"))
    assert (silent.status, silent.reason) == (403, "forbidden")
    assert (told.status, told.body["status"], told.body["summary"]) == (200, "confirmed", "Back")


async def test_a_calendar_may_refuse_every_revival(box: Sandbox, google: Client) -> None:
    await google("POST", json=google_event())
    await google("DELETE", "/meeting1")
    box.state.google.put_calendar(RECRUITER, revival_refused=True)
    answer = await google("PATCH", "/meeting1", {"status": "confirmed"})
    assert (answer.status, answer.reason) == (403, "forbidden")


async def test_a_patch_merges_objects_replaces_arrays_and_null_clears(google: Client) -> None:
    first = {"a": "1", "b": "2"}
    overrides = [{"method": "popup", "minutes": 5}, {"method": "email", "minutes": 10}]
    await google(
        "POST",
        json=google_event(
            description="long",
            extendedProperties={"private": first},
            reminders={"useDefault": False, "overrides": overrides},
        ),
    )
    change = {
        "description": None,
        "extendedProperties": {"private": {"b": "3"}},
        "reminders": {"overrides": overrides[:1]},
    }
    patched = (await google("PATCH", "/meeting1", change)).body
    assert patched["extendedProperties"]["private"] == {"a": "1", "b": "3"}
    assert patched["reminders"] == {"useDefault": False, "overrides": overrides[:1]}
    assert "description" not in patched
    assert patched["summary"] == "Interview"


async def test_a_put_drops_what_it_leaves_out(google: Client) -> None:
    await google("POST", json=google_event(description="long"))
    body = google_event()
    del body["summary"]
    replaced = await google("PUT", "/meeting1", body)
    assert "description" not in replaced.body
    assert "summary" not in replaced.body


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_an_outdated_etag_is_refused(google: Client, method: str) -> None:
    inserted = await google("POST", json=google_event())
    await google("PATCH", "/meeting1", {"summary": "Newer"})
    body = google_event() if method != "DELETE" else None
    answer = await google(method, "/meeting1", body, headers={"If-Match": inserted.body["etag"]})
    assert (answer.status, answer.reason) == (412, "conditionNotMet")


async def test_the_present_etag_lets_a_write_through_and_changes(google: Client) -> None:
    inserted = await google("POST", json=google_event())
    headers = {"If-Match": inserted.body["etag"]}
    patched = await google("PATCH", "/meeting1", {"summary": "Newer"}, headers=headers)
    assert patched.status == 200
    assert patched.body["etag"] != inserted.body["etag"]


async def test_an_unknown_field_is_refused_in_googles_words(google: Client) -> None:
    answer = await google("POST", json=google_event(sumary="typo"))
    assert answer.status == 400
    assert answer.body["error"]["message"].startswith('Invalid JSON payload received. Unknown name "sumary"')


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "maybe"},
        {"transparency": "free"},
        {"summary": "x" * 1025},
        {"location": "x" * 1025},
        {"description": "x" * 8193},
        {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 1}] * 6}},
        {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 40_321}]}},
        {"reminders": {"useDefault": False, "overrides": [{"method": "sms", "minutes": 5}]}},
        {"recurrence": ["RRULE:FREQ=DAILY"]},
    ],
    ids=lambda fields: str(fields)[:60],
)
async def test_a_value_out_of_bounds_is_refused(google: Client, fields: dict[str, object]) -> None:
    answer = await google("POST", json=google_event(**fields))
    assert (answer.status, answer.reason) == (400, "invalid")


async def test_a_property_named_too_long_is_dropped_and_a_value_too_long_is_cut_without_a_word(
    google: Client,
) -> None:
    sent = {"k" * 45: "v", "k" * 44: "v" * 1025}
    answer = await google("POST", json=google_event(extendedProperties={"private": sent}))
    assert answer.status == 200
    read = (await google("GET", "/meeting1")).body
    assert read["extendedProperties"] == {"private": {"k" * 44: "v" * 1024}}


async def test_a_body_that_is_no_json_is_a_parse_error(box: Sandbox, google: Client) -> None:
    headers = {"Authorization": f"Bearer {google.token}"}
    async with google.http.post(google.base, data=b"{", headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["errors"][0]["reason"] == "parseError"
