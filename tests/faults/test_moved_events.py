"""Fault 18: a person drags an event into another calendar, and it cannot be found again under its id.

Graph's ids change with the folder unless `IdType="ImmutableId"` is asked for (Microsoft: "Obtain immutable identifiers
for Outlook resources"). A Google event keeps its id, and leaves a cancelled one behind (`events.move` in the
discovery document).
"""

import pytest

from bookings.record import WriteState
from sandbox.inspection import SeenEvent
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

pytestmark = pytest.mark.fault(number=18)

both = pytest.mark.parametrize("provider", PROVIDERS)
ELSEWHERE = {"google": "private@globex.example", "microsoft": f"{MICROSOFT}/private"}
LATER = "2026-04-30T11:30:00Z"


async def booked_and_moved(world: World, provider: str) -> SeenEvent:
    """Has a person move the event of a booking into another calendar of theirs; gives it as it was."""
    world.sandbox.state.google.put_calendar(ELSEWHERE["google"], shared_with={"*": "reader"})
    mailbox = world.sandbox.state.microsoft.put_mailbox(MICROSOFT)
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, "private")
    await world.accept(one_part(provider))
    await world.work()
    event = world.event(provider)
    Person(world.sandbox.state).moves(provider, event.calendar, event.id, ELSEWHERE[provider])
    mailbox.calendar(None).transactions.clear()  # Graph does not say how long it remembers them
    assert world.event(provider).calendar == ELSEWHERE[provider]
    return event


async def test_an_event_that_was_moved_within_its_mailbox_is_updated_where_it_is(world: World) -> None:
    before = await booked_and_moved(world, "microsoft")
    await world.accept(one_part("microsoft", start=LATER))
    await world.work()
    after = world.event("microsoft")
    assert (after.id, after.starts_at, after.calendar) == (before.id, utc(11, 30), ELSEWHERE["microsoft"])


async def test_an_event_that_was_moved_within_its_mailbox_is_updated_though_a_reply_is_lost(
    world: World,
) -> None:
    await booked_and_moved(world, "microsoft")
    world.fault("microsoft", "drop_after", method="PATCH")
    await world.accept(one_part("microsoft", start=LATER))
    await world.work_until_done()
    assert world.event("microsoft").starts_at == utc(11, 30)


async def test_an_event_that_was_moved_within_its_mailbox_is_removed_with_its_booking(world: World) -> None:
    await booked_and_moved(world, "microsoft")
    await world.store.cancel((await world.booking(one_part("microsoft"))).id)
    await world.work_until_done()
    assert world.events() == []


async def test_a_google_event_that_was_moved_away_is_back_with_a_newer_booking_and_the_other_is_left_alone(
    world: World,
) -> None:
    await booked_and_moved(world, "google")
    await world.accept(one_part("google", start=LATER))
    await world.work()
    assert {(event.calendar, event.starts_at) for event in world.events()} == {
        (GOOGLE, utc(11, 30)),
        (ELSEWHERE["google"], utc(11)),
    }


@both
async def test_a_moved_event_is_not_made_again_for_the_same_booking(world: World, provider: str) -> None:
    before = await booked_and_moved(world, provider)
    booking = await world.booking(one_part(provider))
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()
    assert (world.event(provider).id, world.event(provider).starts_at) == (before.id, utc(11))
    assert (await world.write(one_part(provider))).state is WriteState.WRITTEN
