"""Consents of users who logged in: shared by the fleet, renewed by one worker at a time, encrypted."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from redis.asyncio import Redis

from bookings.accounts import Accounts
from bookings.connection import connect
from bookings.consents import Consent, Consents, Kept
from bookings.errors import SealError
from bookings.record import WriteState
from bookings.seal import new_key
from bookings.store import Store
from config.accounts import GoogleAccount
from config.network import NetworkSettings
from config.settings import Settings
from network.outgoing import Outgoing
from sandbox.authorization import AuthorizationRequest
from sandbox.server import Sandbox
from tests.conftest import Settle
from tests.integration.calendars import GOOGLE, Clock, World, one_part
from tests.integration.scan import everything_in
from tests.waiting import comes, until
from workers.calendars.consent_tokens import ConsentTokens
from workers.calendars.directory import Directory, consenting
from workers.calendars.google_consent import GoogleConsent
from workers.errors import CalendarError, ErrorClass
from workers.sync import Sync

USER = "hr@globex.example"
ACCOUNT = {"google": "google-hr", "microsoft": "microsoft-hr"}
CLIENT = {"google": "desktop", "microsoft": "public"}

both = pytest.mark.parametrize("provider", ["google", "microsoft"])


def tables(sandbox: Sandbox, keys: str) -> dict[str, Any]:
    return {
        "encryption": {"keys": [keys]},
        "accounts": [
            {
                "name": "google-hr",
                "provider": "google",
                "login": True,
                "client_id": "desktop",
                "client_secret": "env:GOOGLE",
                "api_endpoint": sandbox.google_endpoint,
                "token_endpoint": sandbox.google_token_uri,
            },
            {
                "name": "microsoft-hr",
                "provider": "microsoft",
                "login": True,
                "tenant_id": "globex",
                "client_id": "public",
                "authority": sandbox.authority,
                "graph_endpoint": sandbox.graph_endpoint,
                "ca_file": sandbox.ca_file,
            },
        ],
        "calendars": [
            {"name": "interviews", "account": "google-hr", "calendar_id": GOOGLE},
            {"name": "panel", "account": "microsoft-hr", "mailbox": USER},
        ],
        "routes": [
            {"app": "hiring", "sequence_id": "google", "calendars": ["interviews"]},
            {"app": "hiring", "sequence_id": "microsoft", "calendars": ["panel"]},
        ],
    }


class Worker(World):
    """One worker, with connections of its own to Redis and to the providers."""

    directory: Directory

    @property
    def consents(self) -> Consents:
        return Consents(self.store)

    async def token(self, provider: str) -> str:
        return await self.directory.token(ACCOUNT[provider])

    async def logged_in(self, provider: str, *, lives_s: float = -1) -> Kept:
        """Keeps a consent, as `login` does; by default one whose access token has to be renewed."""
        consent = Consent(
            client_id=CLIENT[provider],
            refresh_token=consented(self.sandbox, provider),
            access_token=issued(self.sandbox, provider),
            lives_until=time.time() + lives_s,
        )
        kept = await self.consents.keep(ACCOUNT[provider], consent)
        assert kept is not None
        return kept

    async def kept(self, provider: str) -> Kept:
        kept = await self.consents.get(ACCOUNT[provider])
        assert kept is not None
        return kept


Hire = Callable[..., Worker]


@pytest.fixture
async def hire(settle: Settle, redis: Redis, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Hire]:
    """Hires workers into one fleet."""
    (tmp_path / "keys").write_text(new_key())
    sandbox.state.google_tokens.clients["desktop"] = "client-secret"
    sandbox.state.microsoft_tokens.register("globex", "public")
    sandbox.state.microsoft.put_mailbox(USER)
    async with AsyncExitStack() as stack:
        outgoing = await stack.enter_async_context(Outgoing(settle().network))

        def make(*, keys: str = f"file:{tmp_path}/keys") -> Worker:
            settings: Settings = settle(secrets={"GOOGLE": "client-secret"}, **tables(sandbox, keys))
            client = connect(settings.redis)
            stack.push_async_exit(aclosing(client))
            store, clock = Store.of(settings, client), Clock()
            directory = stack.enter_context(
                closing(Directory(settings, outgoing, Accounts(store), Consents(store)))
            )
            sync = Sync(store, settings, directory, worker="test", clock=clock)
            worker = Worker(settings, store, sandbox, sync, clock)
            worker.directory = directory
            return worker

        yield make


def consented(sandbox: Sandbox, provider: str) -> str:
    """A refresh token of the user."""
    if provider == "microsoft":
        return sandbox.state.microsoft_tokens.register_user("globex", "public", USER)
    user = sandbox.authorized_user(USER) | {"client_id": "desktop", "client_secret": "client-secret"}
    sandbox.state.google_tokens.register_user(user)
    return str(user["refresh_token"])


def issued(sandbox: Sandbox, provider: str) -> str:
    state = sandbox.state
    if provider == "google":
        return state.google_tokens.issue(USER)
    return state.microsoft_tokens.issue("globex", "public", USER)


def stands_for(sandbox: Sandbox, provider: str, token: str) -> str | None:
    """Whom an access token stands for."""
    if provider == "google":
        grant = sandbox.state.google_tokens.grant(token)
        return grant.subject if grant else None
    graph = sandbox.state.microsoft_tokens.grant(token)
    return graph.user if graph else None


def renewals(sandbox: Sandbox, provider: str) -> int:
    asked = (each for each in sandbox.state.journal.requests if each.provider == f"{provider}-token")
    return sum(each.path.endswith("/token") for each in asked)


# -- one at a time


@both
async def test_a_fleet_renews_a_consent_once_however_many_need_it(hire: Hire, provider: str) -> None:
    workers = [hire(), hire(), hire()]
    sandbox = workers[0].sandbox
    await workers[0].logged_in(provider)
    sandbox.state.faults.add(fault="delay;seconds=0.2", provider=f"{provider}-token", count=None)
    tokens = await asyncio.gather(*(worker.token(provider) for worker in workers * 5))
    assert len(set(tokens)) == 1
    assert stands_for(sandbox, provider, tokens[0]) == USER
    assert renewals(sandbox, provider) == 1
    assert (await workers[2].kept(provider)).consent.access_token == tokens[0]


@both
async def test_while_one_renews_the_others_use_a_token_that_still_lives(hire: Hire, provider: str) -> None:
    one, other = hire(), hire()
    before = await one.logged_in(provider, lives_s=200)  # due for renewal, but good
    one.sandbox.state.faults.add(fault="hold", provider=f"{provider}-token")
    renewing = asyncio.create_task(one.token(provider))
    await one.held()
    assert await comes(other.token(provider)) == before.consent.access_token
    one.sandbox.state.faults.release()
    assert await renewing != before.consent.access_token


@both
async def test_what_one_has_renewed_after_a_401_another_takes_over(hire: Hire, provider: str) -> None:
    one, other = hire(), hire()
    refused = (await one.logged_in(provider, lives_s=3000)).consent.access_token
    accounts = [await worker.token(provider) for worker in (one, other)]
    assert accounts == [refused, refused]
    one.sandbox.state.google_tokens.grants.clear()
    one.sandbox.state.microsoft_tokens.grants.clear()
    for worker in (one, other):
        await worker.accept(one_part(provider, event_id=f"booking-{id(worker)}"))
        await worker.work_until_done()
    assert len(one.events(provider)) == 2
    assert renewals(one.sandbox, provider) == 1


@both
async def test_the_turn_of_a_worker_that_was_killed_ends(hire: Hire, provider: str) -> None:
    worker = hire()
    await worker.logged_in(provider)
    began = time.monotonic()
    await worker.store.elect(f"consent:{ACCOUNT[provider]}", "killed", for_s=0.3)
    assert stands_for(worker.sandbox, provider, await worker.token(provider)) == USER
    assert time.monotonic() - began >= 0.3


class Late(Consents):
    """Has its turn only after another worker has had one."""

    def __init__(self, worker: Worker, another: Worker, provider: str) -> None:
        super().__init__(worker.store)
        self._before = partial(another.token, provider)

    @asynccontextmanager
    async def turn(self, account: str, holder: str, *, for_s: float) -> AsyncIterator[bool]:
        await self._before()
        async with super().turn(account, holder, for_s=for_s) as ours:
            yield ours


def tokens(worker: Worker, provider: str, consents: Consents, *, timeout_s: float = 20) -> ConsentTokens:
    account = worker.settings.account(ACCOUNT[provider])
    assert account is not None
    return ConsentTokens(
        account.name,
        consenting(account, Outgoing(NetworkSettings()), timeout_s),
        consents,
        timeout_s=timeout_s,
    )


@both
async def test_who_looked_before_another_renewed_looks_again_when_it_has_its_turn(
    hire: Hire, provider: str
) -> None:
    late, another = hire(), hire()
    await late.logged_in(provider)
    with closing(tokens(late, provider, Late(late, another, provider))) as asked:
        assert await asked.token() == await another.token(provider)
    assert renewals(late.sandbox, provider) == 1


@both
async def test_a_renewal_that_never_comes_is_not_waited_for_forever(hire: Hire, provider: str) -> None:
    worker = hire()
    await worker.logged_in(provider)
    await worker.store.elect(f"consent:{ACCOUNT[provider]}", "another", for_s=3600)
    impatient = tokens(worker, provider, worker.consents, timeout_s=0.1)
    with closing(impatient), pytest.raises(CalendarError, match="consent_not_renewed"):
        await comes(impatient.token())


@both
async def test_a_consent_that_is_given_anew_is_another_one(hire: Hire, provider: str) -> None:
    worker = hire()
    before = await worker.logged_in(provider)
    await worker.consents.forget(ACCOUNT[provider])
    anew = await worker.logged_in(provider)
    assert await worker.consents.keep(ACCOUNT[provider], before.consent, instead_of=before) is None
    assert await worker.kept(provider) == anew


@both
async def test_who_logs_in_during_a_renewal_is_not_overwritten(hire: Hire, provider: str) -> None:
    worker = hire()
    await worker.logged_in(provider)
    worker.sandbox.state.faults.add(fault="hold", provider=f"{provider}-token")
    renewing = asyncio.create_task(worker.token(provider))
    await worker.held()
    anew = await hire().logged_in(provider, lives_s=3000)
    worker.sandbox.state.faults.release()
    assert await renewing == anew.consent.access_token
    assert await worker.kept(provider) == anew


# -- what comes back


async def test_microsoft_s_newer_refresh_token_takes_the_place_of_the_older(hire: Hire) -> None:
    worker = hire()
    tokens = worker.sandbox.state.microsoft_tokens
    tokens.lifetime = 1
    seen = [(await worker.logged_in("microsoft")).consent.refresh_token]
    for _ in range(3):
        await worker.token("microsoft")
        seen.append((await worker.kept("microsoft")).consent.refresh_token)
        del tokens.refresh_tokens[seen[-2]]  # the older one is not needed again
    assert len(set(seen)) == 4


async def test_google_s_refresh_token_stays(hire: Hire) -> None:
    worker = hire()
    before = (await worker.logged_in("google")).consent
    token = await worker.token("google")
    after = (await worker.kept("google")).consent
    assert (after.refresh_token, after.access_token) == (before.refresh_token, token)
    assert 3500 < after.lives_until - time.time() < 3700


@both
async def test_a_provider_that_is_down_is_not_asked_again_for_each_request_while_a_token_lives(
    hire: Hire, provider: str
) -> None:
    worker = hire()
    kept = await worker.logged_in(provider, lives_s=200)
    worker.sandbox.state.faults.add(fault="html;status=502", provider=f"{provider}-token", count=None)
    for _ in range(5):
        assert await worker.token(provider) == kept.consent.access_token
    assert renewals(worker.sandbox, provider) <= 1
    assert await worker.kept(provider) == kept


async def test_a_google_consent_that_leaves_the_calendar_out_is_none(hire: Hire) -> None:
    worker = hire()
    account = worker.settings.account("google-hr")
    assert isinstance(account, GoogleAccount)
    asking = GoogleConsent(account, Outgoing(NetworkSettings()), timeout_s=5)
    asked = asking.ask("http://127.0.0.1:1")
    query = dict(parse_qsl(urlsplit(asked.url).query))
    request = AuthorizationRequest(
        "desktop", "http://127.0.0.1:1", (query["scope"], "email"), challenge=query["code_challenge"]
    )
    codes = worker.sandbox.state.google_tokens.codes

    def answered(*ticked: str) -> dict[str, str]:
        return {"code": codes.issue(request, USER, ticked), "state": asked.state}

    with pytest.raises(CalendarError, match="scope_not_granted"):
        await asyncio.to_thread(asking.redeem, asked, answered("email"))
    consent = await asyncio.to_thread(asking.redeem, asked, answered(query["scope"]))
    assert stands_for(worker.sandbox, "google", consent.access_token) == USER


# -- what parks an account, and what mends it


async def refused(worker: Worker, provider: str) -> str:
    with pytest.raises(CalendarError) as raised:
        await worker.token(provider)
    assert (raised.value.error_class, raised.value.whole_account) == (ErrorClass.AUTH, True)
    return raised.value.code


@both
async def test_a_revoked_consent_parks_its_account_and_a_login_has_everything_go_on(
    hire: Hire, provider: str
) -> None:
    worker = hire()
    await worker.logged_in(provider)
    worker.sandbox.state.google_tokens.revoke(USER)
    worker.sandbox.state.microsoft_tokens.revoke(USER)
    bodies = [one_part(provider, event_id=f"booking-{number}") for number in range(3)]
    for body in bodies:
        await worker.accept(body)
    await worker.work()
    assert {(await worker.write(body)).state for body in bodies} == {WriteState.PARKED}
    [closed] = await Accounts(worker.store).closed()
    assert (closed.name, closed.state, closed.waiting) == (ACCOUNT[provider], "parked", 3)
    assert closed.reason.startswith("invalid_grant")

    await worker.logged_in(provider, lives_s=3000)
    await Accounts(worker.store).reopen(ACCOUNT[provider], ACCOUNT[provider])
    await worker.work()
    assert len(worker.events(provider)) == 3
    assert (await worker.store.counts())["dead"] == 0


@both
async def test_nobody_has_logged_in(hire: Hire, provider: str) -> None:
    assert await refused(hire(), provider) == "not_logged_in"


@both
async def test_a_consent_to_another_application_is_not_used(hire: Hire, provider: str) -> None:
    worker = hire()
    kept = await worker.logged_in(provider, lives_s=3000)
    other = Consent("another", kept.consent.refresh_token, kept.consent.access_token, time.time() + 3000)
    await worker.consents.keep(ACCOUNT[provider], other)
    assert await refused(worker, provider) == "logged_in_to_another_client"
    assert renewals(worker.sandbox, provider) == 0


# -- encryption


@both
async def test_neither_token_stands_in_redis_in_plain(hire: Hire, redis: Any, provider: str) -> None:
    worker = hire()
    before = (await worker.logged_in(provider)).consent
    await worker.token(provider)
    after = (await worker.kept(provider)).consent
    whole = await everything_in(redis)
    assert await redis.exists(worker.store.keys.consent(ACCOUNT[provider]))
    for secret in {before.refresh_token, before.access_token, after.refresh_token, after.access_token}:
        assert secret.encode() not in whole


async def test_after_a_rotation_the_next_use_encrypts_by_the_new_key_and_the_old_one_can_go(
    hire: Hire, tmp_path: Path
) -> None:
    worker, keys = hire(), tmp_path / "keys"
    old, new = keys.read_text(), new_key()
    kept = await worker.logged_in("google", lives_s=3000)
    (tmp_path / "only-new").write_text(new)
    stranger = hire(keys=f"file:{tmp_path}/only-new")
    with pytest.raises(SealError):
        await stranger.kept("google")

    keys.write_text(f"{new}\n{old}\n")
    rotated = hire()
    assert await rotated.token("google") == kept.consent.access_token
    assert (await stranger.kept("google")).consent == kept.consent
    assert renewals(worker.sandbox, "google") == 0


async def test_a_running_worker_takes_a_rotated_key_file_without_a_restart(
    hire: Hire, tmp_path: Path
) -> None:
    worker, keys = hire(), tmp_path / "keys"
    await worker.logged_in("google", lives_s=3000)
    keys.write_text(new_key())

    async def is_unreadable() -> bool:
        try:
            await worker.kept("google")
        except SealError:
            return True
        return False

    await until(is_unreadable)


@both
async def test_a_lost_key_parks_the_account_until_it_is_found(
    hire: Hire, tmp_path: Path, provider: str
) -> None:
    with_key = hire()
    await with_key.logged_in(provider, lives_s=3000)
    (tmp_path / "other").write_text(new_key())
    without = hire(keys=f"file:{tmp_path}/other")
    body = one_part(provider)
    await without.accept(body)
    await without.work()
    assert (await without.write(body)).state is WriteState.PARKED
    [closed] = await Accounts(without.store).closed()
    assert (closed.state, closed.reason) == ("parked", "encryption_key_missing")
    assert (await without.store.counts())["dead"] == 0

    await with_key.let_pass(3600)
    await with_key.work()
    assert (await with_key.write(body)).state is WriteState.WRITTEN
