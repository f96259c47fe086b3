"""Secrets that change while everything runs: nothing is restarted, nothing is refused, nothing waits."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from receiver.signature import signature
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, changed, moved
from tests.waiting import until

LOOKED_AT_AGAIN_S = 1.2
"""A file is read again once a second; whoever rotates a secret waits that long before the old one goes."""


def replace(path: Path, secret: str) -> None:
    """Puts a secret in the place of another, as secret stores do: never half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(secret)
    fresh.replace(path)


class Cronofy:
    """Sends one callback after the other, each signed by every secret that is in force there."""

    def __init__(self, url: str, session: aiohttp.ClientSession, *secrets: str) -> None:
        self.url, self.session, self.secrets = url, session, secrets
        self.answers: list[int] = []

    async def send(self, body: bytes, *secrets: str) -> int:
        values = [signature(body, secret=secret).decode() for secret in secrets]
        headers = {"Cronofy-HMAC-SHA256": ",".join(values)}
        async with self.session.post(self.url, data=body, headers=headers) as answer:
            return answer.status

    async def send_for_ever(self) -> None:
        for number in itertools.count():
            body = changed(event__event_id=f"booking-{number}")
            self.answers.append(await self.send(body, *self.secrets))
            await asyncio.sleep(0.005)

    async def sends(self, more: int) -> None:
        """Waits until so many more were answered."""
        wanted = len(self.answers) + more
        await until(lambda: len(self.answers) >= wanted)


@asynccontextmanager
async def cronofy(service: Service, *secrets: str) -> AsyncIterator[Cronofy]:
    async with aiohttp.ClientSession() as session:
        sender = Cronofy(service.url, session, *secrets)
        sending = asyncio.create_task(sender.send_for_ever())
        try:
            yield sender
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending


async def test_cronofy_s_secret_is_rotated_without_a_single_401(service: Service) -> None:
    one, other = service.folder / "cronofy_previous", service.folder / "cronofy_current"
    old, new = "the old client secret", "the new client secret"
    replace(one, old)
    replace(other, old)
    await service.start("receiver")
    async with cronofy(service, old) as sender:
        await sender.sends(20)
        assert await sender.send(moved(1), new) == 401

        replace(other, new)  # here the new one, too
        await asyncio.sleep(LOOKED_AT_AGAIN_S)
        sender.secrets = (old, new)  # then at Cronofy, which signs with both for a while,
        await sender.sends(20)
        sender.secrets = (new,)  # and then with the new one only
        await sender.sends(20)

        one.unlink()  # in the middle of being replaced
        await sender.sends(20)
        replace(one, new)  # and at last here
        await asyncio.sleep(LOOKED_AT_AGAIN_S)
        await sender.sends(20)
        assert await sender.send(moved(1), old) == 401
        assert await sender.send(moved(1), new) == 202
        assert set(sender.answers) == {202}
    for secret in (old, new):
        assert secret not in service.log("receiver")


def hours(service: Service) -> list[int]:
    """At which hours (UTC) the events begin."""
    return sorted(event.starts_at.hour for event in service.events())


async def test_the_providers_credentials_are_rotated_while_a_worker_runs(service: Service) -> None:
    google, microsoft = service.sandbox.state.google_tokens, service.sandbox.state.microsoft_tokens
    [account] = google.service_accounts.values()
    await service.start("receiver")
    await service.start("worker")
    await service.post(SEQUENCING)
    await service.written()
    assert hours(service) == [11, 12]

    old = list(account.keys)
    key = service.sandbox.service_account_key(account.email)  # Google knows both of them now
    replace(service.folder / "google.json", json.dumps(key))
    replace(service.folder / "microsoft_secret", "the new client secret")
    await asyncio.sleep(LOOKED_AT_AGAIN_S)
    for each in old:
        del account.keys[each]
    microsoft.register("globex", "sequence-sync", secret="the new client secret")
    google.grants.clear()  # what was given for the old ones is refused
    microsoft.grants.clear()

    await service.post(moved(2))
    await service.written()
    assert hours(service) == [13, 14]
    assert "account_waits" not in service.log("worker")


async def test_redis_s_password_is_rotated_while_a_receiver_runs(service: Service) -> None:
    password, path = service.folder / "redis_password", service.folder / "data" / "redis.sock"
    replace(password, "the old password")
    text = service.config.read_text()
    async with aclosing(service.client()) as client:
        await client.config_set("requirepass", "the old password")
        service.config.write_text(
            text.replace('url = "embedded"', f'url = "unix://{path}"\npassword = "file:{password}"')
        )
        await service.start("receiver")
        assert (await service.post(SEQUENCING))[0] == 202
        await client.config_set("requirepass", "the new password")
        replace(password, "the new password")
        await asyncio.sleep(LOOKED_AT_AGAIN_S)
        await client.client_kill_filter(_type="normal", skipme=True)  # only new connections from now on
        assert (await service.post(moved(1)))[0] in (202, 503)  # the one that finds its connection gone
        assert (await service.post(moved(2)))[0] == 202
    assert "password" not in service.log("receiver")
