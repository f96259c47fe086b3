"""How many parts a second one worker writes to a provider that answers after 50 ms, and their CPU."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import msgspec
import psutil
from arq import create_pool
from arq.connections import RedisSettings

from bench.callbacks import booking
from bench.children import cpu_seconds
from bench.figures import Bar, Figures, Findings, ratio, take_turns
from bench.filling import accept_all, bookings
from bench.world import World, world

TITLE = "Writes"
OURS, NAIVE, TUNED = "sequence-sync", "arq, build() in a thread", "arq, tuned, 100 threads"
_CASE = "Google, answers after 50 ms"
_REPLY_S = 0.05
_WRITES = {OURS: 2000, NAIVE: 60, TUNED: 600}
_WARM = 20
_WITHIN_S = 120.0
_SANDBOX_WRITES = 1500


async def run(rounds: int) -> Findings:
    """Measures."""
    async with world() as here:
        turns = {
            OURS: partial(_ours, here),
            NAIVE: partial(_theirs, here, "naive", _WRITES[NAIVE]),
            TUNED: partial(_theirs, here, "tuned", _WRITES[TUNED]),
        }
        found = {row.contender: row for row in await take_turns(_CASE, turns, rounds)}
        alone = await _sandbox_alone(here)
    figure, cpu = "writes/s", found[OURS].median("CPU ms")
    bars = [
        Bar(
            f"writes/s, against {NAIVE}",
            ratio(found[OURS], found[NAIVE], figure),
            10,
            at_least=True,
            unit="x",
        ),
        Bar("worker CPU for each write", cpu, 1.5, at_least=False, unit="ms"),
    ]
    faster, cheaper = (ratio(found[OURS], found[TUNED], each) for each in (figure, "CPU ms"))
    notes = [
        f"The sandbox alone, with the same replies, takes {alone:,.0f} inserts a second.",
        f"Against {TUNED}: {faster:.1f} x the writes a second, {cheaper:.2f} x the CPU for each.",
    ]
    return Findings(list(found.values()), bars, notes)


async def _ours(here: World) -> Figures:
    await _begin(here)
    store = here.store()
    async with here.worker() as worker:
        await accept_all(store, bookings(_WARM, prefix="warm", sequence_id="123"))
        await _written(here, _WARM)
        async with _asleep(worker):
            await accept_all(store, bookings(_WRITES[OURS], sequence_id="123"))
        figures = await _timed(here, worker, _WRITES[OURS])
    await store.redis.aclose()
    return figures


async def _theirs(here: World, name: str, writes: int) -> Figures:
    await _begin(here)
    part = msgspec.json.decode(booking("theirs", sequence_id="123"))["sequence"][0]
    queue = await create_pool(RedisSettings.from_dsn(here.redis.url))
    async with here.google_worker(name) as worker:
        for _ in range(_WARM):
            await queue.enqueue_job("write_part", part)
        await _written(here, _WARM)
        async with _asleep(worker):
            for _ in range(writes):
                await queue.enqueue_job("write_part", part)
        figures = await _timed(here, worker, writes)
    await queue.aclose()
    return figures


async def _begin(here: World) -> None:
    await here.empty()
    await here.delay(_REPLY_S)


async def _timed(here: World, worker: psutil.Process, writes: int) -> Figures:
    spent, begun = cpu_seconds(worker), time.monotonic()
    await _written(here, _WARM + writes)
    return {
        "writes/s": writes / (time.monotonic() - begun),
        "CPU ms": 1000 * (cpu_seconds(worker) - spent) / writes,
    }


async def _written(here: World, count: int) -> None:
    """Waits until so many events were made. Raises `TimeoutError`."""
    async with asyncio.timeout(_WITHIN_S), aiohttp.ClientSession() as session:
        while await here.inserted(session) < count:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _asleep(worker: psutil.Process) -> AsyncIterator[None]:
    """Holds a worker still while its queue is filled."""
    worker.suspend()
    yield
    worker.resume()


async def _sandbox_alone(here: World) -> float:
    """Inserts a second with nobody else at work, from this process."""
    await _begin(here)
    token = await here.google_token()
    url = f"{here.sandbox.url}/calendar/v3/calendars/interviews@globex.example/events"
    when: dict[str, Any] = {"dateTime": "2026-12-01T10:00:00Z", "timeZone": "UTC"}
    body = msgspec.json.encode({"summary": "alone", "start": when, "end": when})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    left = iter(range(_SANDBOX_WRITES))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers, raise_for_status=True) as session:

        async def insert() -> None:
            for _ in left:
                await (await session.post(url, data=body)).read()

        begun = time.monotonic()
        await asyncio.gather(*(insert() for _ in range(100)))
        return _SANDBOX_WRITES / (time.monotonic() - begun)
