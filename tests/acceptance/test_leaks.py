"""No secret and no text of a meeting where it does not belong: logs, metrics, jobs, what commands show."""

import asyncio
from contextlib import aclosing

import aiohttp

from tests.acceptance.commands import command
from tests.acceptance.conftest import Service
from tests.callbacks import changed

PLANTED = "planted words"
BODY = changed(
    sequence__0__event__summary=PLANTED,
    sequence__0__event__description=PLANTED,
    sequence__1__event__summary=PLANTED,
    sequence__1__event__location={"description": PLANTED},
    sequence__1__event__attendees={"invite": [{"email": "planted@globex.example", "display_name": PLANTED}]},
    event__summary=PLANTED,
)


async def pages(service: Service) -> str:
    """What both admin ports show."""
    shown = ""
    async with aiohttp.ClientSession() as session:
        for port in (service.ports.receiver_admin, service.ports.worker_admin):
            for path in ("metrics", "readyz", "livez"):
                async with session.get(f"http://127.0.0.1:{port}/{path}") as answer:
                    shown += await answer.text()
    return shown


async def jobs(service: Service) -> str:
    """All that arq holds."""
    async with aclosing(service.client()) as client:
        return "".join([str(await client.get(key)) for key in await client.keys("arq:job:*")])


async def test_nothing_of_it_is_seen_whatever_becomes_of_the_writes(service: Service) -> None:
    faults = service.sandbox.state.faults
    await service.start("receiver")
    await service.post(BODY)
    await service.post(b'{"planted words": ')
    waiting = await jobs(service)
    assert waiting

    faults.add(fault="html;status=502", provider="google", method="POST")
    faults.add(fault="error;status=400", provider="microsoft", method="POST")  # repeats nothing, we neither
    faults.add(fault="error;status=500", provider="microsoft-token")
    await service.start("worker")
    await service.written()
    async with service.store() as store:
        assert (await store.counts())["dead"] == 2

    config = ("--config", str(service.config))
    said = await asyncio.gather(
        command("bookings", "list", *config),
        command("bookings", "show", "qTtZdczOccgaPncGJaCiLg", "--json", *config),
        command("dead-letters", "list", "--json", *config),
        command("check", *config),
    )
    everything = [waiting, service.log("receiver"), service.log("worker"), await pages(service)]
    everything += [result.data + result.words for result in said]
    tokens = [*service.sandbox.state.google_tokens.grants, *service.sandbox.state.microsoft_tokens.grants]
    assert tokens
    for text in everything:
        assert "planted" not in text
        assert not [secret for secret in (*service.secrets, *tokens) if secret in text]
        assert "PRIVATE KEY" not in text
