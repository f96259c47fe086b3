"""When people are taken, read from both providers over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from sandbox.server import Sandbox
from scheduler.reading import read
from tests.conftest import Settle
from tests.integration.reading import (
    DIRECTOR,
    ENGINEER,
    NINE,
    OF,
    PEOPLE,
    RECRUITER,
    TEN,
    WEEK,
    Desk,
    at,
    desk,
)
from tests.waiting import HANGS_AFTER_S, until
from workers.calendars.google_tokens import SCOPES
from workers.calendars.reading import CalendarEvent, Shown
from workers.event import read_event

both = pytest.mark.parametrize("provider", ["google", "microsoft"])
either_way = pytest.mark.parametrize("details", [True, False])


@pytest.fixture
async def calendars(sandbox: Sandbox, settle: Settle, redis: Redis, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(sandbox, settle, redis, tmp_path) as opened:
        yield opened


def shown(events: tuple[CalendarEvent, ...]) -> list[Shown]:
    return [event.shown for event in events]


def spans(events: tuple[CalendarEvent, ...]) -> list[tuple[int, int]]:
    return [(event.start, event.end) for event in events]


# -- what an event means


@both
@either_way
async def test_an_event_blocks_its_time(calendars: Desk, provider: str, details: bool) -> None:
    calendars.put(provider)
    [found] = await calendars.events(OF[provider], details=details)
    assert (found.start, found.end, found.shown) == (NINE, TEN, Shown.BUSY)
    assert bool(found.uid) is details


@both
@either_way
async def test_a_calendar_without_events_is_free(calendars: Desk, provider: str, details: bool) -> None:
    assert await calendars.events(OF[provider], details=details) == ()


async def test_a_google_event_is_as_its_owner_shows_it(calendars: Desk) -> None:
    declined, tentative = ({"email": RECRUITER, "responseStatus": each} for each in ("declined", "tentative"))
    asked: list[tuple[dict[str, Any], list[Shown]]] = [
        ({"transparency": "transparent"}, [Shown.FREE]),
        ({"status": "tentative"}, [Shown.TENTATIVE]),
        ({"attendees": [tentative]}, [Shown.TENTATIVE]),
        ({"attendees": [{"email": RECRUITER}, {"email": ENGINEER}]}, [Shown.BUSY]),
        ({"attendees": [declined | {"email": ENGINEER}, {"email": RECRUITER}]}, [Shown.BUSY]),
        ({"attendees": [{"email": ENGINEER}, declined]}, []),
    ]
    for fields, _ in asked:
        calendars.put_google(**fields)
    assert shown(await calendars.events("recruiter-google")) == [
        each for _, all_of in asked for each in all_of
    ]


async def test_a_google_event_that_was_deleted_does_not_block(calendars: Desk) -> None:
    calendars.sandbox.person.deletes("google", RECRUITER, calendars.put_google().id)
    assert await calendars.events("recruiter-google") == ()
    assert await calendars.events("recruiter-google", details=False) == ()


async def test_a_microsoft_event_is_as_its_owner_shows_it(calendars: Desk) -> None:
    asked = ["free", "workingElsewhere", "tentative", "oof", "unknown"]
    for show_as in asked:
        calendars.put_microsoft(showAs=show_as)
    expected = [Shown.FREE, Shown.FREE, Shown.TENTATIVE, Shown.BUSY, Shown.BUSY]
    assert shown(await calendars.events("recruiter-microsoft")) == expected
    assert shown(await calendars.events("recruiter-microsoft", details=False)) == expected[1:]


@either_way
async def test_a_microsoft_event_that_was_declined_or_put_off_does_not_block(
    calendars: Desk, details: bool
) -> None:
    person = calendars.sandbox.person
    person.answers("microsoft", RECRUITER, calendars.put_microsoft().immutable_id, "declined")
    person.is_put_off(RECRUITER, calendars.put_microsoft().immutable_id)
    assert await calendars.events("recruiter-microsoft", details=details) == ()


@either_way
async def test_a_whole_day_at_google_is_one_of_the_calendar_s_zone(calendars: Desk, details: bool) -> None:
    calendars.put_google(start={"date": "2026-10-25"}, end={"date": "2026-10-26"})  # the clocks go back
    assert spans(await calendars.events("recruiter-google", details=details)) == [
        (at("2026-10-24T23:00"), at("2026-10-26T00:00"))
    ]


def whole_day(zone: str) -> dict[str, Any]:
    return {
        "isAllDay": True,
        "start": {"dateTime": "2026-10-25T00:00:00", "timeZone": zone},
        "end": {"dateTime": "2026-10-26T00:00:00", "timeZone": zone},
    }


@either_way
async def test_a_whole_day_at_microsoft_is_one_of_the_zone_it_was_made_in(
    calendars: Desk, details: bool
) -> None:
    calendars.put_microsoft(**whole_day("GMT Standard Time"))
    assert spans(await calendars.events("recruiter-microsoft", details=details)) == [
        (at("2026-10-24T23:00"), at("2026-10-26T00:00"))
    ]


async def test_a_whole_day_that_a_program_made_in_utc_is_one_of_the_mailbox(calendars: Desk) -> None:
    calendars.sandbox.state.microsoft.put_mailbox(RECRUITER, time_zone="Tokyo Standard Time")
    calendars.put_microsoft(**whole_day("UTC"))
    for _ in range(2):
        assert spans(await calendars.events("recruiter-microsoft")) == [
            (at("2026-10-24T15:00"), at("2026-10-25T15:00"))
        ]
    assert calendars.asked("microsoft").count("getSchedule") == 1


async def test_a_whole_day_of_nobody_knows_what_zone_lasts_as_long_as_anywhere(calendars: Desk) -> None:
    calendars.sandbox.state.microsoft.put_mailbox(RECRUITER, time_zone="Customized Time Zone")
    calendars.put_microsoft(**whole_day("UTC"))
    assert spans(await calendars.events("recruiter-microsoft")) == [
        (at("2026-10-24T10:00"), at("2026-10-26T12:00"))
    ]


@both
@pytest.mark.parametrize("expands", [True, False])
async def test_what_we_wrote_is_read_with_its_tags(calendars: Desk, provider: str, expands: bool) -> None:
    calendars.sandbox.state.microsoft.put_mailbox(RECRUITER, view_expands=expands)
    part = {"start": "2026-10-20T09:00:00Z", "end": "2026-10-20T10:00:00Z", "summary": "Pre screen"}
    tags = {"tags": {"private": [{"value": "Interview"}, {"value": "Onsite"}]}}
    calendar = calendars.directory.calendar(OF[provider])
    for number, fields in enumerate([{**part, **tags}, part]):
        draft = calendar.draft(read_event(msgspec.json.encode(fields)), key=f"{number:032}", revision=1)
        await calendar.create(msgspec.json.encode(draft.create))
    tagged, plain = await calendars.events(OF[provider])
    assert tagged.tags == {"Interview", "Onsite"}
    assert plain.tags == frozenset()
    [written] = await calendar.find(f"{0:032}")
    assert tagged.uid == written.event_id


# -- pages


async def test_all_pages_are_read(calendars: Desk) -> None:
    for _ in range(1001):
        calendars.put_microsoft()
    for _ in range(2501):
        calendars.put_google()
    assert len(await calendars.events("recruiter-microsoft")) == 1001
    assert calendars.asked("microsoft") == ["calendarView"] * 3
    assert len(await calendars.events("recruiter-google")) == 2501
    assert calendars.asked("google") == ["events"] * 2


# -- which way


@both
async def test_busy_times_are_read_without_events(calendars: Desk, provider: str) -> None:
    calendars.put(provider)
    await calendars.events(OF[provider], details=False)
    assert calendars.asked(provider) == [{"google": "freeBusy", "microsoft": "getSchedule"}[provider]]


async def test_without_the_scope_for_free_busy_events_are_read_and_that_is_remembered(
    calendars: Desk,
) -> None:
    account = calendars.sandbox.state.google_tokens.service_accounts["delegated@globex.iam.example"]
    account.delegated_scopes = frozenset(SCOPES)
    calendars.put_google()
    for name, found in (("recruiter-delegated", 1), ("recruiter-delegated", 1), ("team-delegated", 0)):
        assert len(await calendars.events(name, details=False)) == found
    assert calendars.asked("google") == ["events"] * 3
    assert calendars.asked("google-token") == ["token"] * 2  # refused, granted


async def test_a_token_that_does_not_do_for_free_busy_is_as_good_as_none(calendars: Desk) -> None:
    calendars.sandbox.state.google_tokens.service_accounts["delegated@globex.iam.example"].delegated = False
    assert await calendars.code("recruiter-delegated", details=False) == "unauthorized_client"


async def test_a_google_user_s_busy_times_are_read_by_what_they_consented_to(calendars: Desk) -> None:
    calendars.put_google()
    assert spans(await calendars.events("recruiter-user", details=False)) == [(NINE, TEN)]
    assert calendars.asked("google") == ["events"]


async def test_a_personal_account_s_busy_times_are_read_without_a_schedule(calendars: Desk) -> None:
    calendars.sandbox.state.microsoft.put_mailbox(ENGINEER, personal=True)
    calendars.put_microsoft(ENGINEER)
    for _ in range(2):
        assert spans(await calendars.events("engineer-alone", details=False)) == [(NINE, TEN)]
    assert calendars.asked("microsoft") == ["getSchedule", "calendarView", "calendarView"]


async def test_only_a_default_calendar_has_a_schedule(calendars: Desk) -> None:
    calendars.put_microsoft(RECRUITER, "second")
    assert spans(await calendars.events("recruiter-second", details=False)) == [(NINE, TEN)]
    assert calendars.asked("microsoft") == ["calendarView"]
    assert await calendars.events("recruiter-microsoft", details=False) == ()


@either_way
async def test_a_mailbox_that_another_user_shares_is_read(calendars: Desk, details: bool) -> None:
    calendars.sandbox.state.microsoft.put_mailbox(DIRECTOR, shared_with={ENGINEER})
    calendars.put_microsoft(DIRECTOR)
    assert spans(await calendars.events("director-of-engineer", details=details)) == [(NINE, TEN)]


@either_way
async def test_a_mailbox_that_is_not_shared_is_not(calendars: Desk, details: bool) -> None:
    assert await calendars.code("director-of-engineer", details=details) == "ErrorAccessDenied"


# -- many at once


async def test_ten_people_are_asked_for_at_the_same_time(calendars: Desk) -> None:
    for number, person in enumerate(PEOPLE.values()):
        (calendars.put_google if number % 2 else calendars.put_microsoft)(person)
    wanted = {person: number < 5 for number, person in enumerate(PEOPLE)}
    await read(calendars.directory, wanted, WEEK, within_s=HANGS_AFTER_S)  # the tokens are there now
    faults = calendars.sandbox.state.faults
    faults.add("hold", count=len(PEOPLE))
    reading = asyncio.create_task(read(calendars.directory, wanted, WEEK, within_s=HANGS_AFTER_S))
    await until(lambda: len(faults.held) == len(PEOPLE))
    faults.release()
    found = await reading
    assert list(found) == list(PEOPLE)
    for person in PEOPLE:
        events = found[person]
        assert isinstance(events, tuple)
        assert spans(events) == [(NINE, TEN)]


async def test_who_finds_an_account_busy_waits_for_it(calendars: Desk) -> None:
    calendars.put_microsoft()
    await calendars.events("recruiter-microsoft")
    calendars.sandbox.state.faults.add("delay;seconds=0.02", count=None)
    found = await asyncio.gather(*(calendars.read("recruiter-microsoft") for _ in range(40)))
    assert {len(events) if isinstance(events, tuple) else events.code for events in found} == {1}
    assert calendars.sandbox.state.journal.concurrency_violations == 0
