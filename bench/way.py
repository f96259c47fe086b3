"""A callback's way: when it was sent, when it was answered, and when its event stood in the calendar."""

import asyncio
import random
import time
from collections.abc import Iterable

import aiohttp
import msgspec

from bench.callbacks import Signed, booking, signed
from bench.world import World

_WITHIN_S = 30.0


class Sent(msgspec.Struct, frozen=True):
    """A callback that was answered 202: its booking's name, and when, in Unix seconds."""

    name: str
    sent: float
    answered: float


def callbacks(here: World, prefix: str, count: int) -> list[tuple[str, Signed]]:
    """So many callbacks of one part, which goes into the Google calendar."""
    names = [f"{prefix}-{number}" for number in range(count)]
    return [(name, signed(booking(name, sequence_id="123"), here.secret)) for name in names]


async def send(session: aiohttp.ClientSession, url: str, name: str, callback: Signed) -> Sent:
    """Sends one. Raises `RuntimeError` where it is not accepted."""
    began = time.time()
    headers = {"Cronofy-HMAC-SHA256": callback.signature}
    async with session.post(url, data=callback.body, headers=headers) as response:
        if response.status != 202:
            raise RuntimeError(f"{url} answered {response.status}: {await response.text()}")
        await response.read()
    return Sent(name, began, time.time())


async def stored(here: World, names: Iterable[str]) -> dict[str, float]:
    """When each booking's event was stored. Raises `TimeoutError` where one is not.

    The sandbox notes a request when it has carried it out; it remembers 2,000.
    """
    missing = set(names)
    async with asyncio.timeout(_WITHIN_S), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{here.sandbox.url}/_sandbox/requests") as response:
                requests = await response.json()
            found = {
                each["body"]["summary"]: each["time"]
                for each in requests
                if (each["provider"], each["method"], each["status"]) == ("google", "POST", 200)
            }
            if missing <= found.keys():
                return {name: found[name] for name in missing}
            await asyncio.sleep(0.1)


async def one_by_one(
    here: World, url: str, prefix: str, count: int, pause_s: tuple[float, float]
) -> list[Sent]:
    """Sends callbacks, each after a rest of some random length."""
    async with aiohttp.ClientSession() as session:
        sent = []
        for name, callback in callbacks(here, prefix, count):
            await asyncio.sleep(random.uniform(*pause_s))  # noqa: S311
            sent.append(await send(session, url, name, callback))
        return sent


async def at_a_rate(here: World, url: str, prefix: str, count: int, a_second: float) -> list[Sent]:
    """Sends callbacks at a steady rate, whether or not those before are answered."""
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=0)
    to_send = callbacks(here, prefix, count)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun, under_way = loop.time(), []
        for number, (name, callback) in enumerate(to_send):
            await asyncio.sleep(begun + number / a_second - loop.time())
            under_way.append(asyncio.create_task(send(session, url, name, callback)))
        return await asyncio.gather(*under_way)
