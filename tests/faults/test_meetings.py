"""Online meetings that break, or that are not there.

8: an update of the text destroys the Teams meeting or gives it another link, or the text grows with each update.
microsoft-graph-docs issues 16336, 9743, 12244, 18896; msgraph-sdk-dotnet 2895; cal.diy pull request 21377.
9: no Teams meeting is made, and nobody is told (a calendar that does not allow them is answered with 201).
10: a calendar that may not use Meet refuses the whole event ("Invalid conference type value"); a Meet link is pending
for a while. google-api-nodejs-client issues 2387, 3052, 3234, 3272, 2751; google-api-dotnet-client 2760.
"""

import pytest

from bookings.record import WriteState
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

MEETING = {"profile_id": "default"}

both = pytest.mark.parametrize("provider", PROVIDERS)


async def notes(world: World, body: bytes) -> list[str]:
    """What the record says of the meeting that is missing."""
    write = await world.write(body)
    assert write.state is WriteState.WRITTEN
    return [note for note in write.degraded if "online meeting" in note]


# -- 8


@pytest.mark.fault(number=8)
async def test_a_teams_meeting_survives_updates_of_its_text(world: World) -> None:
    await world.accept(one_part("microsoft", description="First words", conferencing=MEETING))
    await world.work()
    made = world.event("microsoft").event
    meeting, size = made["onlineMeeting"], len(made["body"]["content"])
    for description in ("Second words", "Third words"):
        await world.accept(one_part("microsoft", description=description, conferencing=MEETING))
        await world.work()
    event = world.event("microsoft").event
    content = event["body"]["content"]
    assert event["onlineMeeting"] == meeting
    assert meeting["joinUrl"] in content
    assert "Third words" in content
    assert "Second words" not in content
    assert "First words" not in content
    assert abs(len(content) - size) < 10


@pytest.mark.fault(number=8)
async def test_a_teams_meeting_survives_updates_of_a_text_that_outlook_has_rewritten(world: World) -> None:
    await world.accept(one_part("microsoft", description="First words", conferencing=MEETING))
    await world.work()
    event = world.event("microsoft")
    rewritten = event.event["body"]["content"].replace('class="sequence-sync-text"', 'class="x_y"')
    body = {"contentType": "html", "content": rewritten}
    Person(world.sandbox.state).edits("microsoft", MICROSOFT, event.id, {"body": body})
    await world.accept(one_part("microsoft", description="Second words", conferencing=MEETING))
    await world.work_until_done()
    after = world.event("microsoft").event
    assert after["onlineMeeting"] == event.event["onlineMeeting"]
    assert "Second words" in after["body"]["content"]


@pytest.mark.fault(number=8)
async def test_a_teams_meeting_keeps_what_a_person_wrote_under_it(world: World) -> None:
    await world.accept(one_part("microsoft", description="First words", conferencing=MEETING))
    await world.work()
    event = world.event("microsoft")
    added = event.event["body"]["content"].replace("</body>", "<p>Bring a pen</p></body>")
    body = {"contentType": "html", "content": added}
    Person(world.sandbox.state).edits("microsoft", MICROSOFT, event.id, {"body": body})
    later = one_part(
        "microsoft", start="2026-04-30T11:30:00Z", description="First words", conferencing=MEETING
    )
    await world.accept(later)
    await world.work_until_done()
    after = world.event("microsoft")
    assert after.starts_at == utc(11, 30)
    assert after.event["body"]["content"] == added
    assert after.event["onlineMeeting"] == event.event["onlineMeeting"]


# -- 9


@pytest.mark.fault(number=9)
async def test_teams_that_is_not_to_be_had_is_said(world: World) -> None:
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, online_meetings=())
    body = one_part("microsoft", conferencing=MEETING)
    await world.accept(body)
    await world.work()
    assert await notes(world, body)
    assert not world.event("microsoft").event["isOnlineMeeting"]


@both
@pytest.mark.fault(number=9)
async def test_a_meeting_that_is_not_to_be_had_is_said_although_the_reply_was_lost(
    world: World, provider: str
) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, meet_succeeds=False)
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, online_meetings=())
    world.fault(provider, "drop_after", method="POST")
    body = one_part(provider, conferencing=MEETING)
    await world.accept(body)
    await world.work()
    await world.work_until_done()
    assert await notes(world, body)


@both
@pytest.mark.fault(number=9)
async def test_a_meeting_that_is_not_to_be_had_is_still_said_after_a_reschedule(
    world: World, provider: str
) -> None:
    _forbid_meetings(world)
    await world.accept(one_part(provider, conferencing=MEETING))
    await world.work()
    later = one_part(provider, start="2026-04-30T11:30:00Z", conferencing=MEETING)
    await world.accept(later)
    await world.work()
    assert world.event(provider).starts_at == utc(11, 30)
    assert await notes(world, later)


@both
@pytest.mark.fault(number=9)
async def test_of_a_meeting_that_is_there_nothing_is_said(world: World, provider: str) -> None:
    for start in ("2026-04-30T11:00:00Z", "2026-04-30T11:30:00Z"):
        body = one_part(provider, start=start, conferencing=MEETING)
        await world.accept(body)
        await world.work()
        assert await notes(world, body) == []


# -- 10


@pytest.mark.fault(number=10)
async def test_a_meet_that_is_refused_costs_the_link_and_not_the_event(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, allowed_conferences=())
    body = one_part("google", conferencing=MEETING)
    await world.accept(body)
    await world.work()
    assert await notes(world, body)
    assert world.event("google").starts_at == utc(11)
    assert "conferenceData" not in world.event("google").event


@pytest.mark.fault(number=10)
async def test_a_meet_that_google_fails_to_make_costs_the_link_and_not_the_event(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, meet_succeeds=False)
    body = one_part("google", conferencing=MEETING)
    await world.accept(body)
    await world.work()
    assert await notes(world, body)
    assert world.event("google").starts_at == utc(11)


@pytest.mark.fault(number=10)
async def test_a_meet_that_is_made_later_is_waited_for(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, meet_delay=0.5)
    body = one_part("google", conferencing=MEETING)
    await world.accept(body)
    await world.work()
    assert await notes(world, body) == []
    assert world.event("google").event["conferenceData"]["entryPoints"]


def _forbid_meetings(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, allowed_conferences=())
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, online_meetings=())
