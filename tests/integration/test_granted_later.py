"""What an administrator grants stands in later tokens: workers ask for one, and go on."""

from dataclasses import replace

import pytest

from bookings.accounts import Accounts
from bookings.record import WriteState
from sandbox.server import Sandbox
from tests.integration.calendars import PROVIDERS, World, one_part
from tests.integration.test_consents import Hire, hire
from workers.calendars.renewals import Renewals
from workers.errors import CalendarError, ErrorClass

__all__ = ["hire"]

both = pytest.mark.parametrize("provider", PROVIDERS)


def tokens_asked_for(world: World) -> int:
    return sum(each.provider.endswith("-token") for each in world.sandbox.state.journal.requests)


def take_rights_from_tokens_of_now(sandbox: Sandbox) -> None:
    """Tokens that were issued so far permit nothing; later ones do."""
    google, microsoft = sandbox.state.google_tokens, sandbox.state.microsoft_tokens
    google.grants = {
        token: replace(grant, scopes=frozenset({"email"})) for token, grant in google.grants.items()
    }
    microsoft.grants = {
        token: replace(grant, roles=frozenset(), scopes=frozenset() if grant.user else None)
        for token, grant in microsoft.grants.items()
    }


@both
async def test_a_worker_whose_token_permits_too_little_asks_for_another(world: World, provider: str) -> None:
    await world.accept(one_part(provider))
    await world.work()
    take_rights_from_tokens_of_now(world.sandbox)
    await world.accept(one_part(provider, event_id="booking-2"))
    await world.work_until_done(rounds=2)
    assert len(world.events(provider)) == 2
    assert await Accounts(world.store).closed() == []


async def test_after_an_administrator_consents_what_waited_is_written(world: World) -> None:
    tokens = world.sandbox.state.microsoft_tokens
    tokens.register("globex", "sync", secret="microsoft-secret", roles=())
    body = one_part("microsoft")
    await world.accept(body)
    await world.work()
    write = await world.write(body)
    assert write.state is WriteState.PARKED
    tokens.register("globex", "sync", secret="microsoft-secret")
    await world.work_until_done(rounds=2)
    assert len(world.events("microsoft")) == 1


async def test_while_nothing_is_granted_few_tokens_are_asked_for(world: World) -> None:
    world.sandbox.state.microsoft_tokens.register("globex", "sync", secret="microsoft-secret", roles=())
    for number in range(20):
        await world.accept(one_part("microsoft", event_id=f"booking-{number}"))
    await world.work()
    await world.let_pass(3600)
    await world.work()
    assert tokens_asked_for(world) <= 6  # with discovery; one is given up every five seconds at most


@both
async def test_a_user_s_consent_in_redis_is_renewed_where_its_token_permits_too_little(
    hire: Hire, provider: str
) -> None:
    worker = hire()
    await worker.logged_in(provider, lives_s=3600)
    take_rights_from_tokens_of_now(worker.sandbox)
    await worker.accept(one_part(provider))
    await worker.work_until_done(rounds=2)
    assert len(worker.events(provider)) == 1


class Issuer:
    """Issues tokens `1`, `2`, … and keeps the last one, unless it fails."""

    def __init__(self) -> None:
        self.issued = 1
        self.fails = False

    async def token(self, *, instead_of: str = "") -> str:
        if instead_of == str(self.issued):
            if self.fails:
                raise CalendarError(ErrorClass.TRANSIENT, "status_503")
            self.issued += 1
        return str(self.issued)

    def close(self) -> None:
        """Nothing is open."""


async def test_a_refused_calendar_does_not_take_a_good_token_from_the_others() -> None:
    issuer = Issuer()
    tokens = Renewals(issuer)
    tokens.refused(await tokens.token(), of_account=False)
    issuer.fails = True
    assert await tokens.token() == "1"


async def test_a_refused_account_does_not_use_its_token_again() -> None:
    issuer = Issuer()
    tokens = Renewals(issuer)
    tokens.refused(await tokens.token(), of_account=True)
    issuer.fails = True
    with pytest.raises(CalendarError):
        await tokens.token()
    issuer.fails = False
    assert [await tokens.token(), await tokens.token()] == ["2", "2"]


async def test_a_token_is_old_after_a_while() -> None:
    now = 100.0
    tokens = Renewals(Issuer(), lambda: now)
    token = await tokens.token()
    assert not tokens.is_old(token)
    now = 111.0
    assert tokens.is_old(token)
