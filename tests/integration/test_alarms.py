"""What goes wrong at a provider, or should never be found there, is counted by its name."""

import pytest
import structlog

from admin.metrics import REGISTRY
from sandbox.person import Person
from tests.integration.calendars import PROVIDERS, World, one_part
from workers.metrics import Alarm


def throttled(provider: str) -> float:
    return REGISTRY.get_sample_value("sequence_sync_provider_throttled_total", {"provider": provider}) or 0


def alarms(kind: Alarm) -> float:
    return REGISTRY.get_sample_value("sequence_sync_alarms_total", {"kind": kind}) or 0


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_answer_that_says_slower_is_counted_once_and_what_waits_for_it_is_not(
    world: World, provider: str
) -> None:
    before = throttled(provider)
    world.fault(provider, "throttle;retry_after=120")
    await world.accept(one_part(provider))
    await world.work()
    await world.accept(one_part(provider, event_id="booking-2"))
    await world.work()
    assert throttled(provider) == before + 1


async def test_an_event_of_somebody_else_under_our_id_is_an_alarm_with_the_ids_of_the_write(
    world: World,
) -> None:
    body = one_part("google")
    await world.accept(body)
    await world.work()
    before, ours = alarms(Alarm.FOREIGN_EVENT_UNDER_OUR_ID), world.event("google")
    theirs = {"extendedProperties": {"private": {"sequenceSyncKey": "another"}}}
    Person(world.sandbox.state).edits("google", ours.calendar, ours.id, theirs)
    booking = await world.booking(body)
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        await world.work()
    assert alarms(Alarm.FOREIGN_EVENT_UNDER_OUR_ID) == before + 1
    [line] = [line for line in lines if line["event"] == Alarm.FOREIGN_EVENT_UNDER_OUR_ID]
    assert (line["booking"], line["calendar"], line["log_level"]) == (booking.id, "interviews", "error")
    assert {"delivery", "part", "write", "account", "revision", "provider_id"} <= line.keys()
