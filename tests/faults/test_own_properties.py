"""Fault 25: what was written into an event to find it again is not found again.

analogdotnow/Analog 287 (a new GUID with every write); microsoftgraph/microsoft-graph-docs 21314 (properties do not show
unless each is expanded by a filter) and microsoft-graph-docs-contrib 6058.
"""

from typing import Any

import pytest

from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

pytestmark = pytest.mark.fault(number=25)

both = pytest.mark.parametrize("provider", PROVIDERS)
LATER = "2026-04-30T11:30:00Z"

# As the first release wrote them. Whoever has to change one of these makes a second event of every first one.
GOOGLE_KEY = "4slp2ud85mqb79v1121of2668s4rglbg"
GOOGLE_EVENT = {
    "id": GOOGLE_KEY,
    "summary": "Pre screen",
    "start": {"dateTime": "2026-04-30T11:00:00Z", "timeZone": "Europe/London"},
    "end": {"dateTime": "2026-04-30T12:00:00Z", "timeZone": "Europe/London"},
    "extendedProperties": {
        "private": {
            "sequenceSyncKey": GOOGLE_KEY,
            "sequenceSyncRevision": "1",
            "sequenceSyncDigest": "0123456789abcdef",
        }
    },
}
NAMESPACE = "{7d1a1f4e-5f0b-4c52-9a63-2f6c1f0f4b1d}"
MICROSOFT_EVENT: dict[str, Any] = {
    "subject": "Pre screen",
    "start": {"dateTime": "2026-04-30T11:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-04-30T12:00:00", "timeZone": "UTC"},
    "transactionId": "ee7965b3-b888-5b9c-815d-cd911dd16a1d",
    "singleValueExtendedProperties": [
        {"id": f"String {NAMESPACE} Name sequence-sync-key", "value": "m3h5mv9bg8mpsnof8drdod63nc6pn6lm"},
        {"id": f"String {NAMESPACE} Name sequence-sync-version", "value": "1 0123456789abcdef"},
    ],
}


async def lose_everything_but_the_event(world: World) -> None:
    """Without the record, and without transaction ids, whose memory Graph does not promise to keep."""
    await world.store.redis.flushall()
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT).calendar(None).transactions.clear()


@both
async def test_an_event_of_the_first_release_is_found_by_its_property(world: World, provider: str) -> None:
    state = world.sandbox.state
    state.google.insert(state.google.put_calendar(GOOGLE), GOOGLE_EVENT)
    mailbox = state.microsoft.put_mailbox(MICROSOFT)
    state.microsoft.create(mailbox, mailbox.calendar(None), MICROSOFT_EVENT, immutable=True)
    before = world.event(provider)
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert (world.event(provider).id, world.event(provider).starts_at) == (before.id, utc(11, 30))


@both
async def test_what_was_written_is_found_again_as_it_was_written(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    before = world.event(provider)
    await lose_everything_but_the_event(world)
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert (world.event(provider).id, world.event(provider).starts_at) == (before.id, utc(11, 30))


async def test_a_guid_that_is_spelt_in_capitals_is_the_same_guid(world: World) -> None:
    await world.accept(one_part("microsoft"))
    await world.work()
    before = world.event("microsoft")
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, capital_guids=True)
    await lose_everything_but_the_event(world)
    await world.accept(one_part("microsoft", start=LATER))
    await world.work_until_done()
    assert (world.event("microsoft").id, world.event("microsoft").starts_at) == (before.id, utc(11, 30))


@pytest.mark.parametrize("capitals", [False, True])
async def test_what_is_read_of_an_event_says_that_it_holds_the_revision_already(
    world: World, capitals: bool
) -> None:
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, capital_guids=capitals)
    world.fault("microsoft", "drop_after", method="POST")
    await world.accept(one_part("microsoft"))
    await world.work_until_done()
    assert world.event("microsoft").starts_at == utc(11)
    assert world.requests("microsoft").count("PATCH") == 0
