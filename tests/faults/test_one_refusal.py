"""Faults 32 and 34: what a provider says of one thing, or of how long to wait, is taken for something else.

32: one calendar that may not be written to makes all others of its mailbox wait, again and again (403 with
ErrorAccessDenied, DelegatedCalendarAccessDenied, ErrorSendAsDenied; at Google reasons that no table has).
34: a Retry-After that is a date, or longer than we like to wait, is not heard.
"""

import time
from email.utils import formatdate

import pytest

from bookings.record import WriteState
from sandbox.person import Person
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc

both = pytest.mark.parametrize("provider", PROVIDERS)
LATER = "2026-04-30T11:30:00Z"
TWO_IN_A_MAILBOX = {
    "calendars": [
        {"name": "interviews", "account": "google-hr", "calendar_id": GOOGLE},
        {"name": "panel", "account": "microsoft-hr", "mailbox": MICROSOFT},
        {"name": "read-only", "account": "microsoft-hr", "mailbox": MICROSOFT, "calendar_id": "read-only"},
    ],
    "routes": [
        {"app": "hiring", "sequence_id": "google", "calendars": ["interviews"]},
        {"app": "hiring", "sequence_id": "microsoft", "calendars": ["panel"]},
        {"app": "hiring", "sequence_id": "read-only", "calendars": ["read-only"]},
    ],
}


async def closed(world: World) -> set[bytes]:
    """The accounts and mailboxes that wait."""
    names: set[bytes] = await world.store.redis.smembers(world.store.keys.accounts)
    return names


@pytest.mark.fault(number=32)
@pytest.mark.settings(**TWO_IN_A_MAILBOX)
async def test_a_calendar_that_may_only_be_read_leaves_its_mailbox_open(world: World) -> None:
    world.sandbox.state.microsoft.put_calendar(MICROSOFT, "read-only", readonly=True)
    for number in range(5):
        await world.accept(one_part("read-only", event_id=f"refused-{number}"))
        await world.accept(one_part("microsoft", event_id=f"taken-{number}"))
    await world.work()
    assert len(world.events("microsoft")) == 5
    assert await closed(world) == set()
    write = await world.write(one_part("read-only", event_id="refused-0"))
    assert (write.state, write.waiting, write.detail) == (WriteState.PARKED, False, "ErrorAccessDenied")


@pytest.mark.fault(number=32)
@pytest.mark.parametrize(
    "code", ["DelegatedCalendarAccessDenied", "ErrorSendAsDenied", "ErrorCannotDeleteObject", "SomethingNew"]
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_a_refusal_of_one_event_is_its_own(world: World, method: str, code: str) -> None:
    body = one_part("microsoft")
    if method != "POST":
        await world.accept(body)
        await world.work()
    world.fault("microsoft", f"error;status=403;code={code}", method=method)
    if method == "DELETE":
        await world.cancel(body)
    else:
        await world.accept(one_part("microsoft", start=LATER))
    await world.work()
    assert (await world.write(body)).state is WriteState.PARKED
    assert await closed(world) == set()
    await world.accept(one_part("microsoft", event_id="another"))
    await world.work()
    assert (await world.write(one_part("microsoft", event_id="another"))).state is WriteState.WRITTEN


@pytest.mark.fault(number=32)
async def test_what_a_denied_mailbox_refuses_waits_and_is_written_once_it_is_allowed(world: World) -> None:
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, denied=True)
    body = one_part("microsoft")
    await world.accept(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.PARKED
    world.sandbox.state.microsoft.put_mailbox(MICROSOFT, denied=False)
    await world.work_until_done()
    assert world.event("microsoft").starts_at == utc(11)


@pytest.mark.fault(number=32)
@pytest.mark.parametrize("reason", ["notACalendarUser", "domainPolicy", "somethingNew"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_reason_of_google_s_means_the_same_on_a_create_and_on_an_update(
    world: World, method: str, reason: str
) -> None:
    body = one_part("google")
    if method == "PATCH":
        await world.accept(body)
        await world.work()
    world.fault("google", f"error;status=403;code={reason}", method=method)
    await world.accept(one_part("google", start=LATER))
    await world.work()
    write = await world.write(body)
    assert (write.state, write.detail) == (WriteState.PARKED, reason)
    assert await closed(world) == set()


@pytest.mark.fault(number=32)
async def test_a_change_that_is_forbidden_to_an_event_that_stands_is_parked(world: World) -> None:
    await world.accept(one_part("google"))
    await world.work()
    world.fault("google", "forbidden", method="PATCH")
    await world.accept(one_part("google", start=LATER))
    await world.work()
    assert (await world.write(one_part("google"))).state is WriteState.PARKED


@pytest.mark.fault(number=32)
@pytest.mark.parametrize("reason", ["accessNotConfigured", "SERVICE_DISABLED"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_an_api_that_is_switched_off_makes_the_account_wait(
    world: World, method: str, reason: str
) -> None:
    if method == "PATCH":
        await world.accept(one_part("google"))
        await world.work()
    world.fault("google", f"error;status=403;code={reason}", method=method)
    await world.accept(one_part("google", start=LATER))
    await world.work()
    assert await closed(world) == {b"google-hr"}


@both
@pytest.mark.fault(number=34)
@pytest.mark.parametrize("form", ["date", "seconds"])
@pytest.mark.settings(worker={"request_timeout": "2s", "retry_cap": "1m"})
async def test_an_account_waits_as_long_as_it_is_asked_to(world: World, provider: str, form: str) -> None:
    asked = formatdate(time.time() + 1500, usegmt=True) if form == "date" else "1500"
    fault = "throttle" if provider == "google" else "error;status=429;code=ApplicationThrottled"
    world.fault(provider, f"{fault};retry_after={asked}", method="POST")
    await world.accept(one_part(provider))
    await world.work()
    await world.let_pass(1200)
    await world.work()
    assert world.events() == []
    assert world.requests(provider).count("POST") == 1
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)


@both
@pytest.mark.fault(number=34)
@pytest.mark.settings(worker={"request_timeout": "2s", "retry_cap": "1m"})
async def test_nobody_waits_longer_than_an_hour(world: World, provider: str) -> None:
    world.fault(provider, "error;status=503;retry_after=864000", method="POST")
    await world.accept(one_part(provider))
    await world.work()
    await world.let_pass(3700)
    await world.work()
    assert world.event(provider).starts_at == utc(11)


@both
@pytest.mark.fault(number=32)
async def test_a_series_that_a_person_made_of_our_event_is_not_shifted(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    before = world.event(provider)
    Person(world.sandbox.state).repeats(provider, before.calendar, before.id)
    await world.accept(one_part(provider, start=LATER))
    await world.work_until_done()
    assert world.event(provider).starts_at == before.starts_at
    write = await world.write(one_part(provider))
    assert (write.state, write.detail) == (WriteState.DEAD, "event_made_recurring")


@both
@pytest.mark.fault(number=32)
async def test_a_series_that_a_person_made_of_our_event_does_not_end_with_the_booking(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    event = world.event(provider)
    Person(world.sandbox.state).repeats(provider, event.calendar, event.id)
    await world.cancel(body)
    await world.work_until_done()
    assert world.event(provider).id == event.id
    assert (await world.write(body)).detail == "event_made_recurring"
