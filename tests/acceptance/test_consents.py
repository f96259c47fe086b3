"""Consents that end and come back while the whole service runs, two workers of it."""

import aiohttp
import pytest

from cli.processes import free_ports
from sandbox.server import Sandbox
from tests.acceptance.conftest import Service
from tests.acceptance.logging_in import logging_in
from tests.acceptance.users import USER, login_tables
from tests.browser import Browser
from tests.callbacks import changed
from tests.waiting import until

ACCOUNT = {"google": "google-user", "microsoft": "microsoft-user"}
both = pytest.mark.parametrize("provider", ["google", "microsoft"])


def renewals(sandbox: Sandbox, provider: str) -> int:
    """How often a refresh token was used."""
    asked = [each for each in sandbox.state.journal.requests if each.provider == f"{provider}-token"]
    return sum(each.path.endswith("/token") for each in asked)


async def log_in(service: Service, provider: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        logging_in(service.config, Browser(session), provider, ACCOUNT[provider]) as login,
    ):
        assert (await login.browser.follow(await login.decide("allow", user=USER))).status == 200
        result = await login.ended()
    assert result.status == 0, result.words


@both
async def test_a_consent_that_ends_parks_its_account_and_a_login_has_all_of_it_written(
    service: Service, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    text = service.config.read_text().replace('["interviews"]', '["hers"]').replace('["panel"]', '["his"]')
    service.config.write_text(text + login_tables(service))
    sequence_id = {"google": "123", "microsoft": "456"}[provider]
    state = service.sandbox.state

    async def book(*names: str) -> None:
        for name in names:
            body = changed(event__event_id=name, sequence__1=None, sequence__0__sequence_id=sequence_id)
            assert (await service.post(body))[0] == 202

    async def parked() -> None:
        await until(lambda: '"parked":true' in service.log("worker"))

    await service.start("receiver")
    await service.start("worker")
    [other] = free_ports(1)
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__ADMIN_PORT", str(other))
    await service.start("worker", admin_port=other)

    await book("before anybody has logged in")
    await parked()
    assert service.events() == []
    await log_in(service, provider)
    await service.written()
    assert len(service.events()) == 1

    before = renewals(service.sandbox, provider)
    state.google_tokens.grants.clear()
    state.microsoft_tokens.grants.clear()
    await book(*(f"with a token that is refused {number}" for number in range(20)))
    await service.written()
    assert len(service.events()) == 21
    assert renewals(service.sandbox, provider) == before + 1

    state.google_tokens.revoke(USER)
    state.microsoft_tokens.revoke(USER)
    (service.folder / "worker.log").write_text("")
    await book("when it was revoked", "and after that")
    await parked()
    assert len(service.events()) == 21
    await log_in(service, provider)
    await service.written()
    assert len(service.events()) == 23
    async with service.store() as store:
        assert (await store.counts())["dead"] == 0
