"""The first day: a calendar that is not shared yet, seen and hurried by an operator's commands."""

from typing import Any

import pytest

from bookings.accounts import Accounts
from cli.check import everything
from cli.checks.finding import Finding, Level
from tests.acceptance.commands import Result, command
from tests.acceptance.conftest import Service
from tests.integration.calendars import GOOGLE, MICROSOFT, one_part, utc


async def typed(service: Service, *arguments: str) -> Result:
    return await command(*arguments, "--config", str(service.config))


async def retry(service: Service, *arguments: str) -> Result:
    return await typed(service, "bookings", "retry", *arguments)


def share(service: Service) -> None:
    service.sandbox.state.google.put_calendar(GOOGLE, gone=False)


@pytest.fixture
async def first_day(service: Service) -> Service:
    """Two bookings whose calendar is not shared, and one that is retried, since its provider fails."""
    service.sandbox.state.google.put_calendar(GOOGLE, gone=True)
    service.sandbox.state.faults.add(fault="error;status=503", provider="microsoft", count=None)
    await service.start("receiver")
    await service.start("worker")
    for sequence_id, event_id in (("123", "first"), ("123", "second"), ("456", "third")):
        assert (await service.post(one_part(sequence_id, event_id=event_id)))[0] == 202
    await service.delayed(3)
    return service


async def test_what_waits_is_listed_by_its_state(first_day: Service) -> None:
    for state, event_ids, waits_for in (
        ("parked", {"first", "second"}, ["interviews (parked)"]),
        ("retrying", {"third"}, ["panel (retrying)"]),
    ):
        found = (await typed(first_day, "bookings", "list", "--state", state, "--json")).json
        assert {each["event_id"] for each in found} == event_ids
        assert all((each["state"], each["waits_for"]) == ("open", waits_for) for each in found)
    table = await typed(first_day, "bookings", "list", "--state", "parked", "--app", "hiring")
    assert "interviews (parked)" in table.data
    assert (await typed(first_day, "bookings", "list", "--state", "parked", "--app", "nobody")).status == 3
    wrong = await typed(first_day, "bookings", "list", "--state", "waiting")
    assert (wrong.status, "parked, retrying" in wrong.words) == (2, True)
    shown = await typed(first_day, "bookings", "show", "first")
    for words in ("parked", "notFound", "waits since 20", "next 20"):
        assert words in " ".join(shown.data.split())


async def test_a_retry_is_chosen_by_bookings_or_filters_and_says_what_it_would_do(first_day: Service) -> None:
    for arguments, count in (
        (("--all",), 3),
        (("--state", "parked"), 2),
        (("--state", "retrying"), 1),
        (("--calendar", "interviews"), 2),
        (("--account", "microsoft-hr"), 1),
        (("--app", "hiring"), 3),
        (("--event-id", "second"), 1),
        (("--event-id", "second", "--state", "retrying"), 0),
        (("second", "third"), 2),
        (("nobody",), 0),
    ):
        dry = await retry(first_day, *arguments, "--dry-run", "--json")
        assert dry.status == (0 if count else 3), dry
        found: list[dict[str, Any]] = dry.json if count else []
        assert len(found) == count, arguments
        assert all((each["result"], each["done"]) == ("tried now", True) for each in found)
    assert found == []
    [first] = (await retry(first_day, "first", "--dry-run", "--json")).json
    assert (first["event_id"], first["calendar"], first["account"]) == ("first", "interviews", "google-hr")
    assert (first["state"], first["reason"], first["detail"]) == ("parked", "park", "notFound")
    for typed_wrongly, words in (
        ("", "or --all"),
        ("second --all", "not several"),
        ("--state dead", "parked, retrying"),
    ):
        wrong = await retry(first_day, *typed_wrongly.split())
        assert (wrong.status, words in wrong.words) == (2, True), wrong


async def test_a_retry_writes_what_the_calendar_takes_by_now_and_is_in_the_audit_record(
    first_day: Service,
) -> None:
    share(first_day)
    done = await retry(first_day, "first", "--json")
    assert (done.status, [each["result"] for each in done.json]) == (0, ["tried now"])
    assert "retry: 1 of 1" in done.words
    await first_day.delayed(1)  # the second follows the first
    assert sorted(event.starts_at for event in first_day.events("google")) == [utc(11), utc(11)]
    async with first_day.store() as store:
        [entry] = await store.audit(limit=5)
    assert (entry["command"], entry["count"], entry["refused"]) == ("retry", 1, 0)
    assert entry["filter"] == {"ids": ["first"], "all": False}
    assert (await retry(first_day, "--all")).status == 0  # it fails once more
    first_day.sandbox.state.faults.clear()
    await first_day.written()
    nothing = await retry(first_day, "--all")
    assert (nothing.status, "nothing that matches waits" in nothing.words) == (3, True)


async def test_what_a_provider_pauses_is_refused_with_the_time_until_when(first_day: Service) -> None:
    async with first_day.store() as store:
        accounts = Accounts(store)
        lane = f"microsoft-hr/{MICROSOFT}"
        await accounts.close(lane, least_s=600, most_s=600, state="paused", reason="ApplicationThrottled")
    share(first_day)
    partly = await retry(first_day, "--all", "--json")
    assert partly.status == 4
    assert [each["done"] for each in partly.json] == [True, True, False]
    said = partly.json[-1]["result"]
    assert f"refused: {lane} is paused by its provider until 20" in said
    assert "ApplicationThrottled" in said
    refused = await retry(first_day, "third")
    assert refused.status == 1
    assert "is paused" in " ".join(refused.data.split())


async def test_a_resync_of_what_waits_tries_it_and_a_replay_says_that_it_is_not_dead(
    first_day: Service,
) -> None:
    replayed = await typed(first_day, "dead-letters", "replay", "--event-id", "first", "--yes")
    assert (replayed.status, "3 writes are parked or retrying, not dead" in replayed.words) == (3, True)
    assert "bookings retry" in replayed.words
    share(first_day)
    resynced = await typed(first_day, "bookings", "resync", "first")
    assert (resynced.status, "interviews: tried now" in resynced.words) == (0, True)
    await first_day.delayed(1)


async def test_the_check_says_what_waits_and_has_it_tried_where_the_calendar_is_well(
    first_day: Service,
) -> None:
    found = {each.subject: each for each in await everything(first_day.config, within_s=30)}
    waits = found["waiting for interviews"]
    assert (waits.level, waits.words.startswith("2 parked, the oldest since 20")) == (Level.WARNING, True)
    assert "notFound" in waits.words
    assert "bookings retry" in waits.remedy
    assert found["waiting for panel"].words.startswith("1 retrying")
    assert found["calendar interviews"].level is Level.WRONG
    share(first_day)
    found = {each.subject: each for each in await everything(first_day.config, within_s=30)}
    assert found["calendar interviews"] == Finding(
        "calendar interviews",
        Level.RIGHT,
        "can be read and written; 2 that waited for it are tried now",
    )
    await first_day.delayed(1)
    assert len(first_day.events("google")) == 2
    found = {each.subject: each for each in await everything(first_day.config, within_s=30)}
    assert "waiting for interviews" not in found
