"""Zones that a provider refuses, and hours that come out wrong.

14: microsoftgraph/microsoft-graph-docs 4242, 4758, 5158; microsoftgraph/msgraph-training-rubyrailsapp 195.
15: calcom/cal.diy 14155, 14664; clock changes, rules that are older than the booking, zones under two names.
39: a local time in a zone that nobody knows is taken for UTC, Windows names first of all.
derekantrican/GAS-ICS-Sync 16, jspricke/python-remind 19.
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from bookings.record import WriteState
from sandbox.graph_times import ZoneRules
from sandbox.zones import windows_names
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

both = pytest.mark.parametrize("provider", PROVIDERS)

LONDON = "GMT Standard Time"
"""The name under which Graph is told of the zone of the documented callback."""

OF_CLOCK_CHANGES = [
    ("Europe/London", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),  # 01:30 to the other 01:30
    ("Europe/London", "2026-10-25T01:15:00Z", "2026-10-25T01:45:00Z"),  # both in the second of the two hours
    ("Europe/London", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),  # over the hour that is left out
    ("America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"),  # changes by half an hour
]
OF_OTHER_RULES = [
    ("America/Scoresbysund", "2026-07-01T11:00:00Z", "2026-07-01T12:00:00Z"),
    ("Antarctica/Casey", "2026-07-01T11:00:00Z", "2026-07-01T12:00:00Z"),
    ("Antarctica/Troll", "2026-07-01T11:00:00Z", "2026-07-01T12:00:00Z"),  # Windows has no name for it
]
WITHOUT_OFFSET = [
    ("2026-10-25T01:30:00", "2026-10-25T00:30:00Z"),  # happens twice: the first
    ("2026-03-29T01:30:00", "2026-03-29T01:30:00Z"),  # does not happen: by the offset before it
]
LOCAL = "2026-08-27T16:00:00"
PLACES = ["start", "end", "event", "outer event"]
UNKNOWN = ["Mars/Base", "Romance Standard Time 1", "(UTC+01:00) Paris"]


def mailbox_zones(world: World, *, refused: set[str] | None = None, shifted: int = 0) -> None:
    """Makes the mailbox server refuse zones, or have London's rules wrong by so many minutes."""
    rules = ZoneRules(frozenset(refused or ()), {LONDON: shifted} if shifted else {})
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, zone_rules=rules)


def span(world: World, provider: str) -> tuple[datetime, datetime]:
    event = world.event(provider)
    return event.starts_at, event.ends_at


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# -- 14


@pytest.mark.fault(number=14)
@pytest.mark.parametrize("refused", [{LONDON}, set(windows_names())], ids=["this zone", "every zone"])
async def test_a_zone_that_microsoft_refuses_is_written_in_utc_as_one_event(
    world: World, refused: set[str]
) -> None:
    mailbox_zones(world, refused=refused)
    body = one_part("microsoft")
    await world.accept(body)
    await world.work()
    assert span(world, "microsoft") == (utc(11), utc(12))
    assert world.requests("microsoft").count("POST") == 2
    assert any("zone" in note for note in (await world.write(body)).degraded)


@pytest.mark.fault(number=14)
async def test_a_zone_that_google_refuses_is_written_by_its_offset_as_one_event(world: World) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, refused_zones=frozenset({"Europe/London"}))
    body = one_part("google")
    await world.accept(body)
    await world.work()
    assert span(world, "google") == (utc(11), utc(12))
    assert any("zone" in note for note in (await world.write(body)).degraded)
    await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    await world.work()
    assert span(world, "google") == (utc(11, 30), utc(12))


@pytest.mark.fault(number=14)
async def test_a_zone_that_microsoft_refuses_of_a_moved_booking_moves_its_event_in_utc(world: World) -> None:
    await world.accept(one_part("microsoft"))
    await world.work()
    mailbox_zones(world, refused={LONDON})
    await world.accept(one_part("microsoft", start="2026-04-30T11:30:00Z"))
    await world.work()
    assert span(world, "microsoft") == (utc(11, 30), utc(12))


# -- 15


@pytest.mark.fault(number=15)
@pytest.mark.parametrize("minutes", [60, -60, 30])
async def test_an_hour_that_microsoft_understands_otherwise_is_put_right(world: World, minutes: int) -> None:
    mailbox_zones(world, shifted=minutes)
    body = one_part("microsoft")
    await world.accept(body)
    await world.work()
    assert span(world, "microsoft") == (utc(11), utc(12))
    assert any("zone" in note for note in (await world.write(body)).degraded)


@pytest.mark.fault(number=15)
async def test_a_moved_booking_whose_hour_microsoft_understands_otherwise_is_put_right(world: World) -> None:
    await world.accept(one_part("microsoft"))
    await world.work()
    mailbox_zones(world, shifted=60)
    await world.accept(one_part("microsoft", start="2026-04-30T11:30:00Z"))
    await world.work()
    assert span(world, "microsoft") == (utc(11, 30), utc(12))


@pytest.mark.fault(number=15)
@both
@pytest.mark.parametrize(("zone", "start", "end"), [*OF_CLOCK_CHANGES, *OF_OTHER_RULES])
async def test_a_booking_is_at_its_instant_and_is_so_from_its_first_request(
    world: World, provider: str, zone: str, start: str, end: str
) -> None:
    await world.accept(one_part(provider, start=start, end=end, tzid=zone))
    await world.work()
    assert span(world, provider) == (instant(start), instant(end))
    assert set(world.requests(provider)) == ({"POST"} if provider == "google" else {"GET", "POST"})


@pytest.mark.fault(number=15)
@both
@pytest.mark.parametrize(("local", "meant"), WITHOUT_OFFSET)
async def test_a_time_without_offset_near_a_clock_change_is_one_instant_in_both_calendars(
    world: World, provider: str, local: str, meant: str
) -> None:
    end = instant(meant) + timedelta(hours=2)
    await world.accept(one_part(provider, start=local, end=end.isoformat(), tzid="Europe/London"))
    await world.work()
    assert span(world, provider) == (instant(meant), end)


# -- 39


def local_booking(provider: str, zone: Any, place: str) -> bytes:
    """A callback with a start without an offset, and the zone at one of the places where one may stand."""
    end: Any = {"time": "2026-08-27T15:00:00Z", "tzid": zone if place == "end" else None}
    tzid = zone if place == "event" else None
    start: Any = {"time": LOCAL, "tzid": zone} if place == "start" else LOCAL
    booking = json.loads(one_part(provider, start=start, end=end, tzid=tzid))
    booking["event"]["start"]["tzid"] = zone if place == "outer event" else None
    return json.dumps(booking).encode()


@pytest.mark.fault(number=39)
@both
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["Romance Standard Time", " romance standard time", "Europe/Paris"])
async def test_a_local_time_in_a_zone_of_windows_is_at_its_instant(
    world: World, provider: str, name: str, place: str
) -> None:
    body = local_booking(provider, name, place)
    await world.accept(body)
    await world.work()
    assert span(world, provider)[0] == instant("2026-08-27T14:00:00Z")
    event = world.event(provider).event
    zone = event.get("originalStartTimeZone") or event["start"]["timeZone"]
    assert zone == {"google": "Europe/Paris", "microsoft": "Romance Standard Time"}[provider]


@pytest.mark.fault(number=39)
@pytest.mark.parametrize(("name", "place"), [*product(UNKNOWN, PLACES), *product([1, {}], PLACES[:3])])
async def test_a_local_time_in_a_zone_that_nobody_knows_is_not_written(
    world: World, name: Any, place: str
) -> None:
    body = local_booking("both", name, place)
    await world.accept(body)
    await world.work()
    [part] = (await world.booking(body)).parts
    assert {write.state for write in part.writes} == {WriteState.DEAD}
    assert all(write.detail.startswith("start: ") for write in part.writes)
    assert world.events() == []


@pytest.mark.fault(number=39)
async def test_of_two_times_only_the_one_without_offset_is_named(world: World) -> None:
    end: Any = {"time": "2026-08-27T17:00:00", "tzid": "Mars/Base"}
    body = one_part("google", start="2026-08-27T14:00:00Z", end=end)
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert write.state is WriteState.DEAD
    assert write.detail.startswith("end: ")


@pytest.mark.fault(number=39)
@both
async def test_a_time_with_an_offset_needs_no_zone(world: World, provider: str) -> None:
    body = one_part(provider, start="2026-04-30T13:00:00+02:00", tzid="Mars/Base")
    await world.accept(body)
    await world.work()
    assert span(world, provider) == (utc(11), utc(12))
    assert any("unknown_zone" in note for note in (await world.write(body)).degraded)


@pytest.mark.fault(number=39)
async def test_both_times_without_offset_are_read_in_the_one_zone_that_is_named(world: World) -> None:
    start: Any = {"time": LOCAL, "tzid": "Romance Standard Time"}
    booking = json.loads(one_part("google", start=start, end="2026-08-27T17:00:00"))
    del booking["event"]["start"]["tzid"]
    await world.accept(json.dumps(booking).encode())
    await world.work()
    assert span(world, "google") == (instant("2026-08-27T14:00:00Z"), instant("2026-08-27T15:00:00Z"))
