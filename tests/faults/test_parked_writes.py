"""Fault 33: a write that waits is seen by nobody, cannot be hurried, and waits for ever.

A calendar that is not shared yet is the commonest mistake of the first day: its writes were parked for an hour, the
check and the console said that all was well, and neither a replay nor a restart did anything.
"""

import pytest

from admin.metrics import REGISTRY
from bookings import delayed, retry
from bookings.accounts import Accounts
from bookings.dead_letters import DeadLetter, Filter, find
from bookings.operating import accounts_of
from bookings.record import WriteState
from config.settings import CalendarAddress
from network.outgoing import Outgoing
from tests.faults.conftest import Hire
from tests.integration.calendars import GOOGLE, MICROSOFT, PROVIDERS, World, one_part, utc
from workers.calendars.directory import Directory
from workers.errors import ErrorClass

pytestmark = pytest.mark.fault(number=33)

both = pytest.mark.parametrize("provider", PROVIDERS)
CALENDARS = {"google": "interviews", "microsoft": "panel"}
ACCOUNTS = {"google": "google-hr", "microsoft": "microsoft-hr"}
DAY_S = 86_400
LATER = "2026-04-30T11:30:00Z"


def calendar_is(world: World, provider: str, *, gone: bool) -> None:
    if provider == "google":
        world.sandbox.state.google.put_calendar(GOOGLE, gone=gone)
    else:
        world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, gone=gone)


def credentials_are(world: World, provider: str, *, refused: bool) -> None:
    tokens = world.sandbox.state.google_tokens, world.sandbox.state.microsoft_tokens
    if provider == "google":
        [name] = tokens[0].service_accounts
        tokens[0].revoke(name)
        tokens[0].service_accounts[name].revoked = refused
    else:
        tokens[1].register("globex", "sync", secret="rotated" if refused else "microsoft-secret")
        tokens[1].revoke("sync")


async def book(world: World, provider: str, event_id: str, **fields: str) -> bytes:
    """A booking that a worker has looked at once."""
    body = one_part(provider, event_id=event_id, **fields)
    await world.accept(body)
    await world.work()
    return body


async def park(world: World, provider: str, count: int = 1) -> list[bytes]:
    """Bookings whose calendar is not there yet; then it is."""
    calendar_is(world, provider, gone=True)
    bodies = [one_part(provider, event_id=f"parked-{number}") for number in range(count)]
    for body in bodies:
        await world.accept(body)
    await world.work()
    assert await states(world, bodies) == {WriteState.PARKED}
    calendar_is(world, provider, gone=False)
    return bodies


async def states(world: World, bodies: list[bytes]) -> set[WriteState]:
    return {(await world.write(body)).state for body in bodies}


def address(world: World, provider: str) -> CalendarAddress:
    calendar = world.settings.calendar(CALENDARS[provider])
    assert calendar is not None
    return world.settings.address(calendar)


async def try_now(world: World, wanted: delayed.Filter) -> list[retry.Plan]:
    """What `bookings retry` does."""
    found = [each async for each in delayed.find(world.store, wanted, accounts_of(world.settings))]
    return await retry.try_now(world.store, retry.Chosen(wanted=wanted), found, who="a test")


async def letters(world: World) -> list[DeadLetter]:
    return [letter async for letter in find(world.store, Filter())]


# -- seen


@both
async def test_what_is_parked_or_retried_is_counted_by_calendar_with_its_age_and_reason(
    world: World, provider: str
) -> None:
    before = world.clock()
    bodies = await park(world, provider, count=3)
    world.fault(provider, "error;status=503", count=None)
    await book(world, provider, "retrying")
    parked, retrying = await delayed.counted(world.store)
    assert (parked.provider, parked.calendar, parked.state, parked.count) == (
        provider,
        CALENDARS[provider],
        WriteState.PARKED,
        3,
    )
    assert parked.why == (await world.write(bodies[0])).detail
    assert before <= parked.since <= retrying.since <= world.clock()
    assert (retrying.state, retrying.count) == (WriteState.RETRYING, 1)


@both
async def test_nothing_is_counted_that_waits_no_more(world: World, provider: str) -> None:
    bodies = await park(world, provider, count=4)
    await world.cancel(bodies[0])
    await world.work()
    calendar_is(world, provider, gone=True)
    await world.accept(one_part(provider, event_id="parked-1", start=LATER))
    await world.work()
    [counted] = await delayed.counted(world.store)
    assert (counted.state, counted.count) == (WriteState.PARKED, 3)
    calendar_is(world, provider, gone=False)
    await world.work_until_done()
    assert await delayed.counted(world.store) == []
    assert [key async for key in world.store.redis.scan_iter("*delayed*")] == []


@both
async def test_what_waits_for_refused_credentials_is_counted_too(world: World, provider: str) -> None:
    credentials_are(world, provider, refused=True)
    await book(world, provider, "first")
    await book(world, provider, "second")
    [counted] = await delayed.counted(world.store)
    assert (counted.calendar, counted.state, counted.count) == (CALENDARS[provider], WriteState.PARKED, 2)


@both
async def test_failures_are_counted_by_what_they_call_for_from_0(world: World, provider: str) -> None:
    def failures(error_class: ErrorClass, provider: str = provider) -> float | None:
        labels = {"provider": provider, "error_class": str(error_class)}
        return REGISTRY.get_sample_value("sequence_sync_failures_total", labels)

    before = {each: failures(each) for each in ErrorClass}
    assert None not in {*before.values(), failures(ErrorClass.TRANSIENT, "forward")}
    await park(world, provider, count=2)
    world.fault(provider, "error;status=503", count=None)
    await book(world, provider, "retrying")
    risen = {each: (failures(each) or 0) - (before[each] or 0) for each in ErrorClass}
    assert {each: rise for each, rise in risen.items() if rise} == {
        ErrorClass.PARK: 2,
        ErrorClass.TRANSIENT: 1,
    }


async def test_what_is_in_the_index_by_mistake_is_taken_out_before_long(world: World) -> None:
    [body] = await park(world, "google")
    keys, redis = world.store.keys, world.store.redis
    [(place, shown)] = (await redis.hgetall(keys.delayed)).items()
    await world.let_pass(3600)
    await world.work()
    booking = await world.booking(body)
    await redis.hset(keys.delayed, place, shown)
    for part in (f"{booking.id}:{booking.parts[0].id}", "nobody:knows"):
        await redis.zadd(f"{keys.delayed}:{place.decode()}", {part: 1})
    assert [each.count for each in await delayed.counted(world.store)] == [2]
    assert [each async for each in delayed.find(world.store, delayed.Filter(), {})] == []
    assert await world.store.heal_delayed(0) == 0
    assert await delayed.counted(world.store) == []


# -- woken


@both
async def test_a_write_that_succeeds_wakes_what_is_parked_for_its_calendar(
    world: World, provider: str
) -> None:
    bodies = await park(world, provider, count=20)
    bodies.append(await book(world, provider, "succeeds"))
    for _ in range(4):  # each success wakes some, and those as many again
        await world.work()
    assert await states(world, bodies) == {WriteState.WRITTEN}
    assert len(world.events(provider)) == 21


async def test_a_success_in_one_calendar_wakes_nothing_in_another(world: World) -> None:
    calendar_is(world, "microsoft", gone=True)
    parked = await book(world, "microsoft", "parked")
    asked = len(world.requests("microsoft"))
    for number in range(3):
        await book(world, "google", f"good-{number}")
    assert len(world.requests("microsoft")) == asked
    assert (await world.write(parked)).state is WriteState.PARKED


async def test_what_is_parked_for_reasons_of_its_own_is_not_tried_with_every_success(world: World) -> None:
    """Its calendar takes all others: to try it each time would cost requests for ever."""
    stubborn = [await refused(world, f"stubborn-{number}") for number in range(3)]
    before = len(world.requests("google"))
    for number in range(20):
        await book(world, "google", f"good-{number}")
        world.sandbox.state.faults.add(
            fault="error;status=403;code=notACalendarUser", provider="google", method="POST", count=None
        )
        await world.work()
        world.sandbox.state.faults.clear()
    assert await states(world, stubborn) == {WriteState.PARKED}
    assert len(world.requests("google")) - before <= 20 + 2 * len(stubborn)


async def refused(world: World, event_id: str) -> bytes:
    world.fault("google", "error;status=403;code=notACalendarUser", method="POST")
    body = await book(world, "google", event_id)
    assert (await world.write(body)).state is WriteState.PARKED
    return body


@both
async def test_a_calendar_that_the_check_finds_well_wakes_what_is_parked_for_it(
    world: World, provider: str
) -> None:
    bodies = await park(world, provider, count=3)
    assert await retry.calendar_works(world.store, ACCOUNTS[provider], [address(world, provider)]) == 3
    await world.work()
    assert await states(world, bodies) == {WriteState.WRITTEN}


async def test_a_mailbox_s_default_calendar_is_woken_by_either_of_its_names(world: World, hire: Hire) -> None:
    [body] = await park(world, "microsoft")
    by_id = world.sandbox.state.microsoft.put_mailbox(MICROSOFT).default_calendar_id
    named = {"name": "panel", "account": "microsoft-hr", "mailbox": MICROSOFT, "calendar_id": by_id}
    google = {"name": "interviews", "account": "google-hr", "calendar_id": GOOGLE}
    renamed = await hire(calendars=[google, named])
    async with Outgoing(renamed.settings.network) as outgoing:
        directory = Directory(renamed.settings, outgoing)
        addresses = await directory.addresses(address(renamed, "microsoft"))
        directory.close()
    assert await retry.calendar_works(world.store, "microsoft-hr", addresses) == 1
    await renamed.work()
    assert (await world.write(body)).state is WriteState.WRITTEN


@both
async def test_a_calendar_that_the_check_finds_well_has_its_parked_account_tried(
    world: World, provider: str
) -> None:
    credentials_are(world, provider, refused=True)
    body = await book(world, provider, "refused")
    credentials_are(world, provider, refused=False)
    await retry.calendar_works(world.store, ACCOUNTS[provider], [address(world, provider)])
    await world.work()
    assert (await world.write(body)).state is WriteState.WRITTEN


# -- hurried


@both
async def test_a_retry_tries_what_is_parked_now(world: World, provider: str) -> None:
    bodies = await park(world, provider, count=2)
    plans = await try_now(world, delayed.Filter())
    assert [(plan.said, plan.done) for plan in plans] == [("tried now", True)] * 2
    await world.work()
    assert await states(world, bodies) == {WriteState.WRITTEN}


@both
async def test_a_retry_tries_what_is_retrying_now(world: World, provider: str) -> None:
    world.fault(provider, "error;status=503", count=None)
    body = await book(world, provider, "retrying")
    await world.let_pass(DAY_S / 2)
    await world.work()
    world.sandbox.state.faults.clear()
    [_] = await try_now(world, delayed.Filter(state=WriteState.RETRYING))
    await world.work()
    assert (await world.write(body)).state is WriteState.WRITTEN


@both
async def test_a_retry_has_a_parked_account_tried_by_one_request(world: World, provider: str) -> None:
    credentials_are(world, provider, refused=True)
    bodies = [await book(world, provider, f"refused-{number}") for number in range(3)]
    credentials_are(world, provider, refused=False)
    plans = await try_now(world, delayed.Filter(account=ACCOUNTS[provider]))
    assert all(plan.done and "works again" in plan.said for plan in plans)
    await world.work()
    await world.work()
    assert await states(world, bodies) == {WriteState.WRITTEN}
    assert await Accounts(world.store).closed() == []


@both
async def test_a_retry_leaves_an_account_alone_that_its_provider_pauses_and_says_until_when(
    world: World, provider: str
) -> None:
    world.fault(provider, "throttle;retry_after=300")
    await book(world, provider, "throttled")
    asked = len(world.requests(provider))
    [plan] = await try_now(world, delayed.Filter())
    [closed] = await Accounts(world.store).closed()
    assert (plan.done, "is paused by its provider until 20" in plan.said) == (False, True)
    await world.work()
    assert len(world.requests(provider)) == asked
    assert [each.until for each in await Accounts(world.store).closed()] == [closed.until]


@both
@pytest.mark.parametrize("what", ["resync", "replay"])
async def test_a_resync_or_a_replay_of_what_waits_tries_it_now(
    world: World, provider: str, what: str
) -> None:
    [body] = await park(world, provider)
    booking = await world.booking(body)
    [part] = booking.parts
    await world.store.ask(booking.id, part.id, what if what == "resync" else f"replay {part.writes[0].id}")
    await world.work()
    assert world.event(provider).starts_at == utc(11)


# -- not for ever


@both
async def test_what_is_parked_for_all_of_retry_for_is_a_dead_letter_that_says_what_it_waited_for(
    world: World, provider: str
) -> None:
    calendar_is(world, provider, gone=True)
    body = await book(world, provider, "parked")
    for hours in range(26):
        await world.let_pass(3600)
        await world.work()
        assert ((await world.write(body)).state is WriteState.DEAD) == (hours >= 23), hours
    [letter] = await letters(world)
    assert (letter.reason, letter.calendar) == ("park", CALENDARS[provider])
    for words in (f"waited for calendar {CALENDARS[provider]} since 20", "replay", "sequence-sync check"):
        assert words in letter.detail
    assert await delayed.counted(world.store) == []
    await replay(world, letter)
    calendar_is(world, provider, gone=False)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)


@both
async def test_what_waits_for_refused_credentials_for_all_of_retry_for_is_a_dead_letter(
    world: World, provider: str
) -> None:
    credentials_are(world, provider, refused=True)
    bodies = [await book(world, provider, f"refused-{number}") for number in range(3)]
    for _ in range(23):
        await world.let_pass(3600)
        await world.work()
    assert await states(world, bodies) == {WriteState.PARKED}
    await world.let_pass(3700)
    await world.work()
    assert await states(world, bodies) == {WriteState.DEAD}
    for letter in await letters(world):
        assert letter.reason == "auth"
        assert f"waited for account {ACCOUNTS[provider]} since 20" in letter.detail
    for letter in await letters(world):
        await replay(world, letter)
    credentials_are(world, provider, refused=False)
    await world.work_until_done()
    assert len(world.events(provider)) == 3


async def test_a_wait_that_was_over_begins_anew(world: World) -> None:
    [body] = await park(world, "google")
    await world.let_pass(DAY_S - 60)
    await world.work()
    assert (await world.write(body)).state is WriteState.WRITTEN
    calendar_is(world, "google", gone=True)
    await world.accept(one_part("google", event_id="parked-0", start=LATER))
    await world.work()
    await world.let_pass(3600)
    await world.work()
    assert (await world.write(body)).state is WriteState.PARKED


async def replay(world: World, letter: DeadLetter) -> None:
    bid, pid, wid = letter.place
    assert await world.store.ask(bid, pid, f"replay {wid}", dead_letter=letter.id, revision=letter.revision)
