"""Configurations that change while processes run by them."""

import asyncio
import signal
from contextlib import aclosing

import aiohttp

from bookings.connection import connect
from bookings.fleet import Fleet, Process
from bookings.store import Store
from config.sections import RedisSettings
from receiver.signature import signature
from tests.acceptance.commands import Result, command
from tests.acceptance.conftest import Service
from tests.integration.calendars import one_part
from tests.waiting import until

SALES = """
[[apps]]
name = "sales"
client_secrets = ["file:sales_secret"]

[[routes]]
app = "sales"
calendars = ["panel"]
"""
SECRET = "the secret of sales"
TAKEN_UP, REFUSED = "configuration_taken_up", "configuration_refused"


async def ours(service: Service, *arguments: str) -> Result:
    return await command(*arguments, "--config", str(service.config))


def change(service: Service, *, adding: str = "", before: str = "", after: str = "") -> None:
    """Changes the file as an editor does, which puts a whole one in its place."""
    (service.folder / "sales_secret").write_text(SECRET)
    text = service.config.read_text()
    assert before in text
    fresh = service.config.with_suffix(".new")
    fresh.write_text(text.replace(before, after, 1) + adding)
    fresh.replace(service.config)


async def reread(service: Service, said: str = TAKEN_UP, **children: asyncio.subprocess.Process) -> None:
    """Has processes read the file again, and waits until each has said what came of it."""
    for name, child in children.items():
        before = service.log(name).count(said)
        child.send_signal(signal.SIGHUP)
        await until(lambda name=name, before=before: service.log(name).count(said) > before)  # type: ignore[misc]


async def sell(service: Service, event_id: str = "sold") -> int:
    """Sends a callback of the app that is new; gives the status of the answer."""
    body = one_part("1", event_id=event_id)
    headers = {"Cronofy-HMAC-SHA256": signature(body, secret=SECRET).decode()}
    url = f"http://127.0.0.1:{service.ports.receiver}/callbacks/sales"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status


async def listed(service: Service) -> list[Process]:
    """The processes that run, whatever the file says by now."""
    async with aclosing(connect(RedisSettings(data_dir=service.folder / "data"))) as client:
        return await Fleet(Store(client, "sequence-sync")).processes()


async def said_of(service: Service, kind: str) -> list[str]:
    """What `check` says of processes of a kind."""
    found = (await ours(service, "check", "--json")).json
    return [each["words"] for each in found if each["subject"].startswith(f"{kind} ")]
