"""Events that appear after their booking was cancelled.

5: a cancel overtakes the create, which nobody knew to be still on its way. It follows from fault 1.
"""

import asyncio

import pytest

from bookings.record import WriteState
from tests.integration.calendars import MICROSOFT, PROVIDERS, World, one_part
from tests.waiting import until

both = pytest.mark.parametrize("provider", PROVIDERS)


@both
@pytest.mark.fault(number=5)
@pytest.mark.settings(worker={"request_timeout": "2s"})
async def test_an_event_that_appears_after_its_booking_was_cancelled_is_found_and_removed(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    world.fault(provider, "late", method="POST")  # stored long after the worker gave up waiting
    await world.accept(body)
    await world.work()
    await world.cancel(body)
    await world.work()
    assert world.events() == []
    write = await world.write(body)
    assert (write.state, write.reason) == (WriteState.RETRYING, "create_in_doubt")
    world.sandbox.state.faults.release()
    await until(world.events)
    await world.let_pass(61)
    await world.work()
    assert world.events() == []
    await world.work_until_done()
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
@pytest.mark.fault(number=5)
async def test_an_event_that_can_only_be_found_later_is_removed(world: World, provider: str) -> None:
    """At Microsoft a search may not show it yet; at Google the calendar may not be readable."""
    body = one_part(provider)
    world.fault(provider, "drop_after", method="POST")
    await world.accept(body)
    await world.work()
    if provider == "microsoft":
        world.sandbox.state.microsoft.put_mailbox(MICROSOFT, search_lag=3600.0)
    else:
        world.fault(provider, "error;status=500", method="GET", count=3)
    await world.cancel(body)
    await world.work()
    assert len(world.events(provider)) == 1
    if provider == "microsoft":
        world.sandbox.state.microsoft.put_mailbox(MICROSOFT, search_lag=0.0)
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED


@both
@pytest.mark.fault(number=5)
async def test_a_cancel_while_the_event_is_being_made_removes_it(world: World, provider: str) -> None:
    body = one_part(provider)
    world.fault(provider, "hold", method="POST")
    await world.accept(body)
    under_way = asyncio.create_task(world.work())
    await world.held()
    await world.cancel(body)
    await world.work()
    world.sandbox.state.faults.release()
    await under_way
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED
