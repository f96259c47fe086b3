"""What an earlier revision of a booking set stays in the calendar, although the newest one does not have it.

37: the old join link beside the new one, or where there is none any more; the place, text and reminders of before.
nodejs/nodejs.dev issue 586 (two links in one invitation); microsoftgraph/microsoft-graph-docs 17308 (Teams cannot
be taken away again).
"""

import json
from typing import Any

import pytest

from bookings.record import WriteState
from sandbox.inspection import SeenEvent
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, PROVIDERS, World, one_part

both = pytest.mark.parametrize("provider", PROVIDERS)
number_37 = pytest.mark.fault(number=37)

ZOOM = "https://zoom.example/j/1?pwd=a&b=2"
EXPLICIT = {"profile_id": "explicit", "join_url": ZOOM, "provider_description": "Zoom"}
MEETING = {"profile_id": "default"}
NONE = {"profile_id": "none"}
BY_HAND = {
    "conferenceSolution": {"key": {"type": "addOn"}, "name": "Webex"},
    "entryPoints": [{"entryPointType": "video", "uri": "https://webex.example/1"}],
}

without_a_meeting = pytest.mark.parametrize("later", [{"conferencing": NONE}, {}], ids=["none", "silence"])
OPTIONAL: list[dict[str, Any]] = [
    {"summary": "Pre screen"},
    {"description": "Bring a pen"},
    {"location": {"description": "Room 1", "lat": "51.5", "long": "-0.12", "address": "1 High St"}},
    {"url": "https://globex.example/1"},
    {"reminders": [{"minutes": 5}]},
    {"reminders": []},
    {"transparency": "transparent"},
    {"extended_transparency": "tentative"},
    {"tags": {"private": [{"value": "Interview"}]}},
]


async def book(world: World, provider: str, **fields: Any) -> SeenEvent:
    """The event as it is after a revision with these fields, and nothing else, was written."""
    body = one_part(provider, **{"summary": None, **fields})
    await world.accept(body)
    await world.work_until_done()
    assert (await world.write(body)).state is WriteState.WRITTEN
    return world.event(provider)


async def degraded(world: World, provider: str) -> list[str]:
    return [note for note in (await world.write(one_part(provider))).degraded if "meeting" in note]


def shown(event: SeenEvent) -> str:
    """Everything that readers of the event may see of a link."""
    return json.dumps(event.event).replace("&amp;", "&")


def content(event: SeenEvent) -> dict[str, Any]:
    """An event without what tells it from another of the same content."""
    told = {
        "id",
        "etag",
        "@odata.etag",
        "changeKey",
        "htmlLink",
        "webLink",
        "iCalUID",
        "iCalUId",
        "transactionId",
    }
    told |= {"created", "updated", "createdDateTime", "lastModifiedDateTime"}
    told |= {"extendedProperties", "singleValueExtendedProperties"}
    said = {name: value for name, value in event.event.items() if name not in told}
    if "reminders" in said:
        said["reminders"] = {name: value for name, value in said["reminders"].items() if value != []}
    return said


# -- links and meetings


@number_37
@both
@pytest.mark.parametrize("place", [{}, {"location": {"description": "Room 1"}}], ids=["no place", "a place"])
@pytest.mark.parametrize("later", [NONE, MEETING, None], ids=["none", "default", "silence"])
async def test_a_join_link_that_is_not_booked_any_more_is_taken_away(
    world: World, provider: str, place: dict[str, Any], later: dict[str, str] | None
) -> None:
    assert ZOOM in shown(await book(world, provider, conferencing=EXPLICIT, **place))
    event = await book(world, provider, conferencing=later, **place)
    assert "zoom" not in shown(event).lower()
    assert event.event["location"] if place else not _place(event)


@number_37
async def test_a_join_link_gives_way_to_a_meet(world: World) -> None:
    await book(world, "google", conferencing=EXPLICIT)
    event = await book(world, "google", conferencing=MEETING)
    assert event.event["conferenceData"]["entryPoints"]
    assert await degraded(world, "google") == []


@number_37
async def test_where_teams_cannot_be_had_any_more_that_is_said(world: World) -> None:
    await book(world, "microsoft", conferencing=EXPLICIT)
    await book(world, "microsoft", conferencing=MEETING)
    assert await degraded(world, "microsoft")


@number_37
@without_a_meeting
async def test_a_meet_that_is_not_booked_any_more_is_taken_away(world: World, later: dict[str, Any]) -> None:
    assert "meet.google.com" in shown(await book(world, "google", conferencing=MEETING))
    event = await book(world, "google", **later)
    assert "meet.google.com" not in shown(event)
    assert await degraded(world, "google") == []


@number_37
async def test_a_meet_gives_way_to_a_join_link(world: World) -> None:
    await book(world, "google", conferencing=MEETING)
    event = await book(world, "google", conferencing=EXPLICIT)
    assert "meet.google.com" not in shown(event)
    assert ZOOM in shown(event)


@number_37
async def test_a_meet_that_is_booked_again_is_made_again(world: World) -> None:
    before = await book(world, "google", conferencing=MEETING)
    await book(world, "google", conferencing=NONE)
    after = await book(world, "google", conferencing=MEETING)
    assert after.event["hangoutLink"] != before.event["hangoutLink"]


@number_37
@both
async def test_a_meeting_that_is_still_booked_keeps_its_link(world: World, provider: str) -> None:
    before = await book(world, provider, conferencing=MEETING)
    after = await book(world, provider, conferencing=MEETING, start="2026-04-30T11:30:00Z")
    assert after.starts_at != before.starts_at
    assert _links(after) == _links(before) != {}


@number_37
@without_a_meeting
async def test_a_meet_that_google_keeps_is_said(world: World, later: dict[str, Any]) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, keeps_conference=True)
    await book(world, "google", conferencing=MEETING)
    for start in ("2026-04-30T11:00:00Z", "2026-04-30T11:30:00Z"):
        assert "meet.google.com" in shown(await book(world, "google", start=start, **later))
        assert await degraded(world, "google")


@number_37
@pytest.mark.parametrize("later", [NONE, EXPLICIT, None], ids=["none", "explicit", "silence"])
async def test_a_teams_meeting_that_stays_is_said(world: World, later: dict[str, str] | None) -> None:
    await book(world, "microsoft", conferencing=MEETING, description="Bring a pen")
    for start in ("2026-04-30T11:00:00Z", "2026-04-30T11:30:00Z"):
        event = await book(world, "microsoft", conferencing=later, start=start)
        assert event.event["onlineMeeting"]
        assert "Bring a pen" not in shown(event)
        assert await degraded(world, "microsoft")


# -- what people did


@number_37
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NONE, NONE),
        (EXPLICIT, NONE),
        (EXPLICIT, MEETING),
        (MEETING, NONE),
        (MEETING, EXPLICIT),
        (MEETING, None),
    ],
    ids=str,
)
async def test_a_conference_that_a_person_added_stays(
    world: World, before: dict[str, str], after: dict[str, str] | None
) -> None:
    event = await book(world, "google", conferencing=before)
    _person(world).edits("google", GOOGLE, event.id, {"conferenceData": None})
    _person(world).edits("google", GOOGLE, event.id, {"conferenceData": BY_HAND})
    for start in ("2026-04-30T11:30:00Z", "2026-04-30T11:15:00Z"):
        event = await book(world, "google", conferencing=after, start=start)
        assert event.event.get("conferenceData") == BY_HAND


@number_37
async def test_a_meet_that_a_person_added_stays(world: World) -> None:
    event = await book(world, "google", conferencing=EXPLICIT)
    asked = {"createRequest": {"requestId": "by-hand", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    _person(world).edits("google", GOOGLE, event.id, {"conferenceData": asked})
    event = await book(world, "google", conferencing=NONE, start="2026-04-30T11:30:00Z")
    event = await book(world, "google", conferencing=NONE)
    conference = event.event.get("conferenceData", {})
    assert conference.get("createRequest", {}).get("requestId") == "by-hand"


@number_37
@pytest.mark.parametrize(
    ("provider", "field"),
    [
        ("google", {"location": "Room 5"}),
        ("google", {"description": "Bring a pen"}),
        ("google", {"transparency": "transparent"}),
        ("google", {"visibility": "private"}),
        ("microsoft", {"location": {"displayName": "Room 5"}}),
        ("microsoft", {"showAs": "free"}),
        ("microsoft", {"sensitivity": "private"}),
    ],
    ids=str,
)
async def test_what_a_person_added_where_the_booking_says_nothing_stays(
    world: World, provider: str, field: dict[str, Any]
) -> None:
    event = await book(world, provider, summary="Pre screen")
    _person(world).edits(provider, event.calendar, event.id, field)
    edited = {name: world.event(provider).event[name] for name in field}
    for start in ("2026-04-30T11:30:00Z", "2026-04-30T11:15:00Z"):
        event = await book(world, provider, start=start)
        assert {name: event.event[name] for name in field} == edited


# -- all other fields


@number_37
@both
@pytest.mark.parametrize("field", OPTIONAL, ids=lambda field: json.dumps(field)[:40])
async def test_a_field_that_is_not_booked_any_more_is_as_if_it_never_was(
    world: World, provider: str, field: dict[str, Any]
) -> None:
    never = content(await book(world, provider, event_id="another"))
    Person(world.sandbox.state).deletes(provider, world.event(provider).calendar, world.event(provider).id)
    assert content(await book(world, provider, **field)) != never or "tags" in field
    assert content(await book(world, provider)) == never
    assert "Interview" not in str(world.event(provider).private)


@number_37
@both
@pytest.mark.parametrize("lost", ["POST", "PATCH"])
async def test_what_an_update_with_a_lost_reply_set_is_taken_away(
    world: World, provider: str, lost: str
) -> None:
    if lost == "PATCH":
        await book(world, provider)
    world.fault(provider, "drop_after", method=lost)
    await world.accept(one_part(provider, conferencing=EXPLICIT, description="Bring a pen"))
    await world.work()
    event = await book(world, provider)
    assert "zoom" not in shown(event).lower()
    assert "Bring a pen" not in shown(event)


@number_37
@both
async def test_what_a_create_set_that_was_stored_without_our_mark_is_taken_away(
    world: World, provider: str
) -> None:
    world.fault(provider, "stripped;status=503;code=ConcurrentItemSave", method="POST")
    await world.accept(one_part(provider, conferencing=EXPLICIT, description="Bring a pen"))
    await world.work()
    assert world.event(provider).private == {}
    event = await book(world, provider)
    assert "zoom" not in shown(event).lower()
    assert "Bring a pen" not in shown(event)


@number_37
async def test_what_was_set_is_taken_away_although_somebody_s_tool_took_our_mark_off(world: World) -> None:
    event = await book(world, "google", conferencing=EXPLICIT)
    unmarked = {"extendedProperties": {"private": dict.fromkeys(event.private)}, "colorId": "3"}
    _person(world).edits("google", GOOGLE, event.id, unmarked)
    event = await book(world, "google")
    assert "zoom" not in shown(event).lower()
    assert event.event["colorId"] == "3"


@number_37
@both
async def test_taking_a_field_away_costs_no_request_of_its_own(world: World, provider: str) -> None:
    await book(world, provider, conferencing=EXPLICIT)
    requests = []
    for fields in ({"conferencing": EXPLICIT, "summary": "Newer"}, {}):
        world.sandbox.state.journal.requests.clear()
        await book(world, provider, **fields)
        requests.append(world.requests(provider))
    assert requests[0] == requests[1]


def _person(world: World) -> Person:
    return Person(world.sandbox.state)


def _place(event: SeenEvent) -> str:
    place = event.event.get("location") or {}
    return place if isinstance(place, str) else str(place.get("displayName") or "")


def _links(event: SeenEvent) -> dict[str, Any]:
    names = ("hangoutLink", "onlineMeeting")
    return {name: event.event[name] for name in names if event.event.get(name)}
