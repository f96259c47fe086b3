"""Fault 16: races for a new token, storms of refused refreshes, bookings that vanish with a consent.

calcom/cal.diy 5209, 5796, 7564, 11870, 11964. Neither google-auth nor msal lets one request for a token serve all
who wait for it (measured; AzureAD/microsoft-authentication-library-for-dotnet 2329 says the same).
"""

import asyncio

import pytest
import structlog

from bookings.accounts import Accounts, Limits
from bookings.record import WriteState
from bookings.store import Store
from tests.integration.calendars import PROVIDERS, World, one_part

pytestmark = pytest.mark.fault(number=16)

both = pytest.mark.parametrize("provider", PROVIDERS)
ACCOUNT = {"google": "google-hr", "microsoft": "microsoft-hr"}
REFUSED = {"google": "invalid_grant (account_not_found)", "microsoft": "invalid_client (AADSTS7000215)"}


async def book(world: World, provider: str, count: int) -> list[bytes]:
    bodies = [one_part(provider, event_id=f"booking-{number}") for number in range(count)]
    for body in bodies:
        await world.accept(body)
    return bodies


async def states(world: World, bodies: list[bytes]) -> set[WriteState]:
    return {(await world.write(body)).state for body in bodies}


def tokens_asked_for(world: World) -> int:
    asked = (each.path for each in world.sandbox.state.journal.requests if each.provider.endswith("-token"))
    return sum(path.endswith("/token") for path in asked)


def withdraw(world: World, provider: str) -> None:
    """Has the provider refuse the account's credentials, and forget what it gave for them."""
    state = world.sandbox.state
    if provider == "google":
        [account] = state.google_tokens.service_accounts
        state.google_tokens.revoke(account)
    else:
        state.microsoft_tokens.register("globex", "sync", secret="rotated")
        state.microsoft_tokens.revoke("sync")


def restore(world: World, provider: str) -> None:
    state = world.sandbox.state
    if provider == "google":
        [account] = state.google_tokens.service_accounts.values()
        account.revoked = False
    else:
        state.microsoft_tokens.register("globex", "sync", secret="microsoft-secret")


# -- one request for a token, however many need it


@both
async def test_fifty_jobs_of_a_cold_account_ask_for_one_token(world: World, provider: str) -> None:
    await book(world, provider, 50)
    await world.work_until_done()
    assert len(world.events(provider)) == 50
    assert tokens_asked_for(world) == 1


@both
async def test_a_token_that_is_refused_is_replaced_once_for_all_who_hold_it(
    world: World, provider: str
) -> None:
    await book(world, provider, 1)
    await world.work()
    world.sandbox.state.google_tokens.grants.clear()
    world.sandbox.state.microsoft_tokens.grants.clear()
    await book(world, provider, 20)
    await world.work_until_done()
    assert len(world.events(provider)) == 20
    assert tokens_asked_for(world) == 2


@both
async def test_a_refresh_that_fails_while_the_token_is_good_is_not_tried_for_every_request(
    world: World, provider: str
) -> None:
    lifetime = 200  # seconds: lives, but is due for a refresh
    world.sandbox.state.google_tokens.lifetime = world.sandbox.state.microsoft_tokens.lifetime = lifetime
    await book(world, provider, 1)
    await world.work()
    before = tokens_asked_for(world)
    fault = {"google": "error;status=400", "microsoft": "html"}[provider]  # msal keeps refusals to itself
    world.sandbox.state.faults.add(fault=fault, provider=f"{provider}-token", count=None)
    await book(world, provider, 20)
    await world.work_until_done()
    assert len(world.events(provider)) == 20
    assert tokens_asked_for(world) == before + 1


# -- credentials that are refused


@both
async def test_credentials_that_twenty_jobs_find_withdrawn_cost_a_few_requests_and_park_their_account(
    world: World, provider: str
) -> None:
    withdraw(world, provider)
    bodies = await book(world, provider, 20)
    with structlog.testing.capture_logs() as logs:
        await world.work()
    assert 1 <= tokens_asked_for(world) <= 5  # a few were let through while the first refusal was on its way
    assert world.requests(provider) == []
    assert await states(world, bodies) == {WriteState.PARKED}
    [closed] = await Accounts(world.store).closed()
    assert (closed.name, closed.state, closed.waiting) == (ACCOUNT[provider], "parked", 20)
    assert closed.reason == REFUSED[provider]
    alarms = [line for line in logs if line["event"] == "account_waits"]
    assert alarms
    assert all(line["parked"] and line["code"] == REFUSED[provider] for line in alarms)


@both
async def test_what_waits_for_credentials_for_a_day_is_written_once_they_work(
    world: World, provider: str
) -> None:
    withdraw(world, provider)
    bodies = await book(world, provider, 3)
    for _ in range(20):
        await world.work()
        await world.let_pass(4000)
    assert await states(world, bodies) == {WriteState.PARKED}
    assert tokens_asked_for(world) < 40  # each time one of the three tries, the others wait
    restore(world, provider)
    await world.work_until_done()
    assert len(world.events(provider)) == 3
    assert await Accounts(world.store).closed() == []


@both
async def test_a_consent_withdrawn_between_two_revisions_loses_neither_event_nor_change(
    world: World, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    withdraw(world, provider)
    await world.accept(one_part(provider, summary="Moved"))
    await world.work()
    assert world.event(provider).summary == "Pre screen"
    restore(world, provider)
    await world.work_until_done()
    assert world.event(provider).summary == "Moved"


async def test_when_the_account_works_again_what_waits_goes_on_at_once(world: World) -> None:
    withdraw(world, "microsoft")
    await book(world, "microsoft", 3)
    await world.work()
    restore(world, "microsoft")
    await world.store.redis.delete(world.store.keys.queue_of("hiring"))
    await Accounts(world.store).try_now(ACCOUNT["microsoft"], ACCOUNT["microsoft"])
    [probe], left = await world.store.take(limit=100)
    assert not left  # one tries it, the others wait for what it finds
    await world.sync.part(probe.booking, probe.part)
    assert len(world.events("microsoft")) == 1
    assert len((await world.store.take(limit=100))[0]) == 2


async def test_only_one_request_tries_a_parked_account(store: Store) -> None:
    accounts = Accounts(store)
    await accounts.close("a", least_s=0.01, most_s=1, state="parked", reason="x")
    await asyncio.sleep(0.02)
    leaves = [await accounts.admit("a", "a/m", str(number), Limits()) for number in range(5)]
    assert [leave.go for leave in leaves] == [True, False, False, False, False]
    assert leaves[0].told
