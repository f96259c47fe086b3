"""Requests whose answer never came, or came wrong.

1: a create is stored, its reply is lost, the repeat makes a second event. odoo pull requests 229646, 242064 and
239952 (a longer time-out was the first cure), olkcli 75, Tymeslot 63.
13: libraries repeat no POST (urllib3 by default), or repeat it without a key by which the provider would know
it (kiota, on 503 and 504).
"""

import pytest

from bookings.record import WriteState
from tests.integration.calendars import MICROSOFT, PROVIDERS, World, one_part, utc

both = pytest.mark.parametrize("provider", PROVIDERS)


@both
@pytest.mark.fault(number=1)
@pytest.mark.parametrize("fault", ["drop_after", "html_after", "empty_after"])
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
    assert [event.starts_at for event in world.events()] == [utc(11)]
    assert world.requests(provider).count("POST") == 1


@both
@pytest.mark.fault(number=1)
@pytest.mark.settings(worker={"request_timeout": "2s"})
async def test_a_create_that_is_stored_after_its_time_out_makes_one_event(
    world: World, provider: str
) -> None:
    world.fault(provider, "hold", method="POST")
    await world.accept(one_part(provider))
    await world.work_until_done()
    assert [event.starts_at for event in world.events()] == [utc(11)]


@both
@pytest.mark.fault(number=1)
async def test_a_newer_revision_after_a_lost_create_is_one_event(world: World, provider: str) -> None:
    world.fault(provider, "drop_after", method="POST")
    await world.accept(one_part(provider))
    await world.work()
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert [event.starts_at for event in world.events()] == [utc(11, 30)]


@both
@pytest.mark.fault(number=1)
async def test_a_lost_record_makes_no_second_event(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    await world.store.redis.flushall()
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert [event.starts_at for event in world.events()] == [utc(11, 30)]


@pytest.mark.fault(number=1)
@pytest.mark.parametrize("status", [400, 409])
async def test_a_transaction_id_that_was_used_leads_to_the_event(world: World, status: int) -> None:
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, search_lag=60.0, duplicate_status=status)
    await world.accept(one_part("microsoft"))
    await world.work()
    await world.store.redis.flushall()
    await world.accept(one_part("microsoft", summary="Another text"))
    await world.work_until_done()
    assert [event.summary for event in world.events()] == ["Another text"]


@both
@pytest.mark.fault(number=13)
@pytest.mark.parametrize(
    "fault", ["drop", "error;status=500", "error;status=503", "error;status=504", "html", "empty", "throttle"]
)
async def test_a_create_that_was_refused_for_now_is_made_later(
    world: World, provider: str, fault: str
) -> None:
    world.fault(provider, fault, method="POST", count=3)
    await world.accept(one_part(provider))
    await world.work_until_done()
    assert [event.starts_at for event in world.events()] == [utc(11)]
    assert world.requests(provider).count("POST") == 4


@both
@pytest.mark.fault(number=13)
@pytest.mark.parametrize("status", [500, 503, 504])
async def test_a_create_that_is_stored_and_answered_with_an_error_is_made_once(
    world: World, provider: str, status: int
) -> None:
    world.fault(provider, f"error_after;status={status};retry_after=1", method="POST")
    world.fault(
        provider, f"error;status={status}", method="GET", count=2
    )  # it is not to be seen at once, either
    await world.accept(one_part(provider))
    await world.work_until_done()
    assert [event.starts_at for event in world.events()] == [utc(11)]


@pytest.mark.fault(number=13)
async def test_a_create_repeated_because_a_search_shows_nothing_yet_is_known_by_its_key(world: World) -> None:
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, search_lag=3600.0)
    world.fault("microsoft", "error_after;status=503", method="POST", count=3)
    await world.accept(one_part("microsoft"))
    for _ in range(3):
        await world.work()
        await world.let_pass(60)
    await world.accept(one_part("microsoft", start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert [event.starts_at for event in world.events()] == [utc(11, 30)]
    assert world.requests("microsoft").count("POST") == 4


@both
@pytest.mark.fault(number=13)
async def test_an_update_whose_reply_is_lost_is_made_once(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    world.fault(provider, "drop_after", method="PATCH")
    await world.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11, 30)
    assert world.requests(provider).count("PATCH") == 1
