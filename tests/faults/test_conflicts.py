"""Fault 20: "the change key does not match" out of the blue, without If-Match, on reads and on creates too.

microsoftgraph/microsoft-graph-docs-contrib 7934; a question on it at Microsoft (271870); analogdotnow/Analog 475;
409 ConcurrentItemSave on a create was reported by users of Graph in 2025.
"""

import pytest

from bookings.record import WriteState
from tests.integration.calendars import PROVIDERS, World, one_part, utc

pytestmark = pytest.mark.fault(number=20)

both = pytest.mark.parametrize("provider", PROVIDERS)
FORMS = [
    "conflict",  # 412 ErrorIrresolvableConflict; Google's 412 conditionNotMet
    "conflict;status=409",  # ConcurrentItemSave
    "conflict;status=409;code=ErrorIrresolvableConflict",
]
LATER = "2026-04-30T11:30:00Z"


@both
@pytest.mark.parametrize("form", FORMS)
async def test_an_update_that_meets_conflicts_is_made_at_once_after_looking_again(
    world: World, provider: str, form: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    world.fault(provider, form, method="PATCH", count=2)
    await world.accept(one_part(provider, start=LATER))
    await world.work()
    assert world.event(provider).starts_at == utc(11, 30)
    sent = world.requests(provider)
    last = len(sent) - sent[::-1].index("PATCH")  # at Microsoft, where the event stands is looked at after it
    assert sent[:last][-5:] == ["PATCH", "GET", "PATCH", "GET", "PATCH"]


@both
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_conflict_on_any_kind_of_request_costs_neither_the_event_nor_its_removal(
    world: World, provider: str, form: str, method: str
) -> None:
    world.fault(provider, form, method=method, count=2)
    await world.accept(one_part(provider))
    await world.work_until_done()
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    await world.store.cancel((await world.booking(one_part(provider))).id)
    await world.work_until_done()
    assert world.events() == []
    assert (await world.write(one_part(provider))).state is WriteState.CANCELLED


@both
async def test_conflicts_that_last_are_waited_out(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    world.fault(provider, "conflict", method="PATCH", count=None)
    body = one_part(provider, start=LATER)
    await world.accept(body)
    for _ in range(4):
        await world.work()
        await world.let_pass(3600)
    assert (await world.write(body)).state is WriteState.RETRYING
    assert len(world.requests(provider)) < 50
    world.sandbox.state.faults.clear()
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)


@both
async def test_conflicts_at_random_lose_no_booking(world: World, provider: str) -> None:
    world.sandbox.state.faults.add(fault="conflict", provider=provider, count=None, probability=0.3)
    names = [f"booking-{number}" for number in range(8)]
    for start in ("2026-04-30T11:00:00Z", LATER):
        for name in names:
            await world.accept(one_part(provider, event_id=name, start=start))
        await world.work_until_done()
    assert [event.starts_at for event in world.events(provider)] == [utc(11, 30)] * len(names)
    assert await world.store.dead_letters(limit=1) == []
