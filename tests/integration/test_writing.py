"""A booking, written into both providers' calendars, whatever happens on the way."""

import asyncio

import pytest

from bookings.record import WriteState
from sandbox.graph_times import ZoneRules
from sandbox.person import Person
from tests.callbacks import SCHEDULING, SEQUENCING, SEQUENCING_OLDER, changed, moved
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

CALENDARS = {"google": "interviews", "microsoft": "panel"}

both = pytest.mark.parametrize("provider", PROVIDERS)


# -- the main job


@pytest.mark.parametrize("body", [SEQUENCING, SEQUENCING_OLDER], ids=["newer form", "older form"])
async def test_the_documented_callback_comes_out_as_two_events(world: World, body: bytes) -> None:
    await world.accept(body)
    await world.work()
    google, microsoft = world.event("google"), world.event("microsoft")
    day = utc(11) if body == SEQUENCING else utc(11).replace(year=2024, month=10, day=15)
    assert (google.summary, google.starts_at, google.ends_at) == ("Pre screen", day, day.replace(hour=12))
    assert microsoft.summary == "Face to face"
    assert (microsoft.starts_at, microsoft.ends_at) == (day.replace(hour=12), day.replace(hour=13))
    assert google.calendar == GOOGLE
    assert microsoft.calendar == MICROSOFT
    assert google.event["start"]["timeZone"] == "Europe/London"
    assert microsoft.event["originalStartTimeZone"] == "GMT Standard Time"
    booking = await world.booking(body)
    assert booking.state == "done"
    assert [write.state for part in booking.parts for write in part.writes] == [WriteState.WRITTEN] * 2


async def test_a_finished_booking_is_kept_for_a_while_and_then_goes(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    booking = await world.booking(SEQUENCING)
    assert booking.expires_at is not None
    assert await world.store.counts() == {"open": 0, "dead": 0, "queue": 2}


async def test_a_reschedule_moves_the_same_events(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    before = {event.id for event in world.events()}
    await world.accept(moved(2))
    await world.work()
    assert {event.id for event in world.events()} == before
    assert world.event("google").starts_at == utc(13)
    assert world.event("microsoft").starts_at == utc(14)


async def test_a_known_event_costs_one_request(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    world.sandbox.state.journal.requests.clear()
    await world.accept(moved(2))
    await world.work()
    assert world.requests("google") == ["PATCH"]
    assert world.requests("microsoft") == ["PATCH"]


async def test_a_burst_of_revisions_is_one_write(world: World) -> None:
    for hours in range(4):
        await world.accept(moved(hours))
    await world.work()
    assert world.requests("google") == ["POST"]
    assert world.event("google").starts_at == utc(14)


@both
async def test_a_revision_that_arrives_while_an_earlier_one_is_written_wins(
    world: World, provider: str
) -> None:
    world.fault(provider, "hold", method="POST")
    await world.accept(one_part(provider))
    under_way = asyncio.create_task(world.work())
    await world.held()
    await world.accept(one_part(provider, start="2026-04-30T14:00:00Z", end="2026-04-30T15:00:00Z"))
    await world.work()  # another worker wakes up, and leaves it to the one that holds the lease
    world.sandbox.state.faults.release()
    await under_way
    assert world.event(provider).starts_at == utc(14)
    assert (await world.store.counts())["open"] == 0


async def test_one_part_goes_to_several_calendars(world: World) -> None:
    await world.accept(one_part("both"))
    await world.work()
    assert world.event("google").starts_at == world.event("microsoft").starts_at == utc(11)


async def test_the_one_part_of_a_scheduling_callback_is_routed_by_app(world: World) -> None:
    await world.accept(SCHEDULING)
    await world.work()
    write = await world.write(SCHEDULING)
    assert (write.state, write.reason) == (WriteState.DEAD, "unrouted")


async def test_a_link_says_where_its_parts_go(world: World) -> None:
    link = await world.store.register_link("hiring", "token", {"789": ["panel"]}, keep_s=60)
    body = one_part("789")
    await world.accept(body, link=link)
    await world.work()
    assert world.event("microsoft").summary == "Pre screen"
    assert (await world.booking(body)).state == "done"


@both
async def test_a_part_that_goes_elsewhere_now_is_written_there_and_removed_here(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    other = {"google": "microsoft", "microsoft": "google"}[provider]
    link = await world.store.register_link("hiring", "t", {provider: [CALENDARS[other]]}, keep_s=60)
    later = one_part(provider, start="2026-04-30T11:30:00Z")
    await world.accept(later, link=link)
    world.fault(other, "error;status=503", method="POST")
    await world.work()
    assert {event.provider for event in world.events()} == {provider}  # never nowhere
    await world.work_until_done()
    assert world.event(other).starts_at == utc(11, 30)
    assert world.events(provider) == []
    await world.accept(one_part(provider, start="2026-04-30T11:45:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 45)
    assert world.events(other) == []


async def test_a_mailbox_never_gets_more_requests_at_a_time_than_it_takes(world: World) -> None:
    world.fault("microsoft", "delay;seconds=0.02", count=None)
    for number in range(40):
        await world.accept(one_part("microsoft", event_id=f"booking-{number}"))
    await world.work_until_done()
    assert len(world.events("microsoft")) == 40
    journal = world.sandbox.state.journal
    assert journal.concurrency_violations == 0
    assert journal.peak_concurrency == 3


async def test_nobody_is_invited(world: World) -> None:
    await world.accept(one_part("both", attendees={"invite": [{"email": "someone@globex.example"}]}))
    await world.work()
    assert list(world.sandbox.state.journal.notifications) == []


# -- parts that cannot be written


@pytest.mark.parametrize(
    ("times", "word"),
    [
        ({"start": None}, "start"),
        ({"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T10:00:00Z"}, "end"),
        ({"start": "2026-04-30", "end": "2026-04-30T12:00:00Z"}, "whole day"),
    ],
    ids=["missing start", "end before start", "date and time"],
)
async def test_a_part_without_usable_times_is_a_dead_letter_and_the_other_is_written(
    world: World, times: dict[str, str | None], word: str
) -> None:
    body = changed(**{f"sequence__0__event__{name}": value for name, value in times.items()})
    await world.accept(body)
    await world.work()
    [dead, written] = [part.writes[0] for part in (await world.booking(body)).parts]
    assert (dead.state, dead.reason) == (WriteState.DEAD, "permanent")
    assert word in dead.detail
    assert written.state is WriteState.WRITTEN
    assert world.event("microsoft").starts_at == utc(12)
    assert [letter for letter, _ in await world.store.dead_letters(limit=10)] == [
        f"{(await world.booking(body)).id}:{(await world.booking(body)).parts[0].id}:{dead.id}"
    ]


async def test_a_newer_revision_takes_a_dead_letter_away(world: World) -> None:
    body = changed(sequence__0__event__start=None)
    await world.accept(body)
    await world.work()
    await world.accept(SEQUENCING)
    await world.work()
    assert await world.store.dead_letters(limit=10) == []
    assert world.event("google").starts_at == utc(11)


async def test_an_unknown_zone_is_written_in_utc_and_said(world: World) -> None:
    body = changed(event__start__tzid="Mars/Base")
    await world.accept(body)
    await world.work()
    assert world.event("google").starts_at == utc(11)
    [google, _] = [part.writes[0] for part in (await world.booking(body)).parts]
    assert any("unknown_zone" in note for note in google.degraded)


async def test_a_dead_booking_never_expires(world: World) -> None:
    await world.accept(one_part("nowhere"))
    await world.work()
    assert (await world.booking(one_part("nowhere"))).expires_at is None


# -- replies that get lost


@both
@pytest.mark.parametrize("fault", ["drop_after", "error_after;status=503", "html_after"])
async def test_a_create_whose_reply_is_lost_makes_one_event(world: World, provider: str, fault: str) -> None:
    world.fault(provider, fault, method="POST")
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert write.state is WriteState.RETRYING
    assert write.intent is not None
    assert write.due_at - world.clock() > 1000
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)
    assert world.requests(provider).count("POST") == 1


@both
@pytest.mark.parametrize("fault", ["drop", "error;status=503", "html", "empty"])
async def test_a_create_that_never_arrived_is_made_later(world: World, provider: str, fault: str) -> None:
    world.fault(provider, fault, method="POST")
    await world.accept(one_part(provider))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)


@both
async def test_an_update_whose_reply_is_lost_is_made_once(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    world.fault(provider, "drop_after", method="PATCH")
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    assert world.requests(provider).count("PATCH") == 1


@both
async def test_a_newer_revision_after_a_lost_create_is_one_event(world: World, provider: str) -> None:
    world.fault(provider, "drop_after", method="POST")
    await world.accept(one_part(provider))
    await world.work()
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)


@both
async def test_a_lost_record_makes_no_second_event(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    await world.store.redis.flushall()
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)


@pytest.mark.parametrize("status", [400, 409])
async def test_a_transaction_id_that_was_used_leads_to_the_event(world: World, status: int) -> None:
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, search_lag=60.0, duplicate_status=status)
    await world.accept(one_part("microsoft"))
    await world.work()
    await world.store.redis.flushall()
    await world.accept(one_part("microsoft", summary="Another text"))
    await world.work_until_done()
    assert world.event("microsoft").summary == "Another text"


# -- what the providers refuse


@both
async def test_a_refused_token_is_replaced(world: World, provider: str) -> None:
    world.fault(provider, "expired_token")
    await world.accept(one_part(provider))
    await world.work()
    assert world.event(provider).starts_at == utc(11)


@both
async def test_throttling_is_waited_out(world: World, provider: str) -> None:
    world.fault(provider, "throttle;retry_after=30")
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.RETRYING, "account_paused")
    assert 29_000 < write.due_at - world.clock() < 32_000
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)


@both
@pytest.mark.settings(worker={"request_timeout": "2s", "retry_for": "10s"})
async def test_a_failure_that_lasts_becomes_a_dead_letter_with_its_attempts(
    world: World, provider: str
) -> None:
    world.fault(provider, "error;status=500", count=None)
    body = one_part(provider)
    await world.accept(body)
    await world.work_until_done()
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.DEAD, "transient")
    assert len(write.attempts) >= 2
    assert {attempt.worker for attempt in write.attempts} == {"test"}
    assert world.events() == []


@both
async def test_a_calendar_that_is_gone_is_never_replaced_by_another(world: World, provider: str) -> None:
    if provider == "google":
        world.sandbox.state.google.put_calendar(GOOGLE, gone=True)
    else:
        world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, gone=True)
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.PARKED, "park")
    assert world.events() == []


async def test_a_meet_that_is_refused_costs_the_link_and_not_the_event(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, allowed_conferences=())
    body = one_part("google", conferencing={"profile_id": "default"})
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert write.state is WriteState.WRITTEN
    assert any("online meeting" in note for note in write.degraded)
    assert "conferenceData" not in world.event("google").event


async def test_a_meet_that_is_made_later_is_waited_for(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, meet_delay=0.5)
    body = one_part("google", conferencing={"profile_id": "default"})
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert write.degraded == ()
    assert world.event("google").event["conferenceData"]["entryPoints"]


async def test_teams_that_is_not_to_be_had_is_said(world: World) -> None:
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, online_meetings=())
    body = one_part("microsoft", conferencing={"profile_id": "default"})
    await world.accept(body)
    await world.work()
    assert any("online meeting" in note for note in (await world.write(body)).degraded)


async def test_a_teams_meeting_survives_updates_of_its_text(world: World) -> None:
    meeting = {"profile_id": "default"}
    await world.accept(one_part("microsoft", description="First words", conferencing=meeting))
    await world.work()
    join_url = world.event("microsoft").event["onlineMeeting"]["joinUrl"]
    for description in ("Second words", "Third words"):
        await world.accept(one_part("microsoft", description=description, conferencing=meeting))
        await world.work()
    event = world.event("microsoft").event
    assert event["onlineMeeting"]["joinUrl"] == join_url
    content = event["body"]["content"]
    assert "Third words" in content
    assert "Second words" not in content
    assert "First words" not in content
    assert join_url in content


async def test_a_zone_that_microsoft_refuses_is_written_in_utc(world: World) -> None:
    _zone_rules(world, refused={"GMT Standard Time"})
    body = one_part("microsoft")
    await world.accept(body)
    await world.work()
    assert world.event("microsoft").starts_at == utc(11)
    assert any("zone" in note for note in (await world.write(body)).degraded)


async def test_a_zone_that_microsoft_understands_otherwise_is_written_in_utc(world: World) -> None:
    _zone_rules(world, shifted={"GMT Standard Time": 60})
    await world.accept(one_part("microsoft"))
    await world.work()
    assert world.event("microsoft").starts_at == utc(11)


def _zone_rules(
    world: World, *, refused: set[str] | None = None, shifted: dict[str, int] | None = None
) -> None:
    rules = ZoneRules(frozenset(refused or ()), shifted or {})
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, zone_rules=rules)


# -- what people do


@both
async def test_a_person_s_change_of_other_fields_stays(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    field = {"google": {"location": "Room 5"}, "microsoft": {"importance": "high"}}[provider]
    _person(world).edits(provider, world.event(provider).calendar, world.event(provider).id, field)
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work()
    event = world.event(provider)
    assert event.starts_at == utc(11, 30)
    assert field.items() <= event.event.items()


@both
async def test_what_a_person_deleted_stays_deleted_until_a_newer_booking(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    event = world.event(provider)
    _person(world).deletes(provider, event.calendar, event.id)
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work()
    assert world.event(provider).starts_at == utc(11, 30)


async def test_an_event_that_may_not_be_revived_is_made_under_a_new_id(world: World) -> None:
    await world.accept(one_part("google"))
    await world.work()
    first = world.event("google")
    world.sandbox.state.google.put_calendar(GOOGLE, revival_refused=True)
    _person(world).deletes("google", first.calendar, first.id)
    await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    await world.work()
    assert world.event("google").id != first.id
    assert (await world.write(one_part("google"))).generation == 1


@both
async def test_random_conflicts_are_resolved_by_looking_again(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    world.fault(provider, "conflict", method="PATCH", count=2)
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work()
    assert world.event(provider).starts_at == utc(11, 30)


async def test_our_id_in_use_by_somebody_else_s_event_is_left_alone(world: World) -> None:
    await world.accept(one_part("google"))
    await world.work()
    first = world.event("google")
    private = {"extendedProperties": {"private": {"sequenceSyncKey": None}}, "summary": "Not ours"}
    _person(world).edits("google", first.calendar, first.id, private)
    await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    await world.work()
    assert {event.summary for event in world.events("google")} == {"Not ours", "Pre screen"}


def _person(world: World) -> Person:
    return Person(world.sandbox.state)
