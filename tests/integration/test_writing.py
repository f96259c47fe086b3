"""A booking, written into both providers' calendars. What goes wrong on the way is in tests/faults, too."""

import pytest

from bookings.links import LinkTarget
from bookings.record import WriteState
from sandbox.person import Person
from tests.callbacks import SCHEDULING, SEQUENCING, SEQUENCING_OLDER, changed, moved
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

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
    assert (await world.store.counts()).items() >= {"open": 0, "dead": 0, "queue": 2}.items()


async def test_a_known_event_costs_one_request_and_a_look_where_it_stands_at_microsoft(world: World) -> None:
    await world.accept(SEQUENCING)
    await world.work()
    world.sandbox.state.journal.requests.clear()
    await world.accept(moved(2))
    await world.work()
    assert world.requests("google") == ["PATCH"]
    assert world.requests("microsoft") == ["PATCH", "GET"]


async def test_one_part_goes_to_several_calendars(world: World) -> None:
    await world.accept(one_part("both"))
    await world.work()
    assert world.event("google").starts_at == world.event("microsoft").starts_at == utc(11)


async def test_the_one_part_of_a_scheduling_callback_is_routed_by_app(world: World) -> None:
    await world.accept(SCHEDULING)
    await world.find_no_route()
    write = await world.write(SCHEDULING)
    assert (write.state, write.reason) == (WriteState.DEAD, "unrouted")


async def test_a_link_says_where_its_parts_go(world: World) -> None:
    link = await world.store.register_link("hiring", "token", {"789": (LinkTarget("panel"),)}, keep_s=60)
    body = one_part("789")
    await world.accept(body, link=link)
    await world.work()
    assert world.event("microsoft").summary == "Pre screen"
    assert (await world.booking(body)).state == "done"


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


# -- what the providers refuse


@both
async def test_a_refused_token_is_replaced(world: World, provider: str) -> None:
    world.fault(provider, "expired_token")
    await world.accept(one_part(provider))
    await world.work()
    assert world.event(provider).starts_at == utc(11)


@both
@pytest.mark.settings(worker={"retry_for": "10s"})
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


async def test_our_id_in_use_by_somebody_else_s_event_is_left_alone(world: World) -> None:
    await world.accept(one_part("google"))
    await world.work()
    first = world.event("google")
    private = {"extendedProperties": {"private": {"sequenceSyncKey": "another"}}, "summary": "Not ours"}
    _person(world).edits("google", first.calendar, first.id, private)
    await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert {event.summary for event in world.events("google")} == {"Not ours", "Pre screen"}


async def test_our_id_in_use_by_somebody_else_s_event_is_not_removed(world: World) -> None:
    await world.accept(one_part("google"))
    await world.work()
    event = world.event("google")
    _person(world).edits(
        "google",
        event.calendar,
        event.id,
        {"extendedProperties": {"private": {"sequenceSyncKey": "another"}}},
    )
    await world.cancel(one_part("google"))
    await world.work_until_done()
    assert world.event("google").id == event.id


def _person(world: World) -> Person:
    return Person(world.sandbox.state)
