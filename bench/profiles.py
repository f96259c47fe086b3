"""Where the CPU of receiver and worker goes, by py-spy: shares of the samples taken while they are busy."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from bench import references_ready
from bench.callbacks import booking, signed
from bench.figures import Findings, Row
from bench.filling import accept_all, bookings
from bench.world import World, world
from bench.wrk import Load

TITLE = "Profiles"
_SECONDS = 5
_RATE = 250
_CALLBACKS = 20_000
_WRITES = 3000
_PLACES = (
    ("structlog", "log lines"),
    ("admin/logs", "log lines"),
    ("prometheus_client", "metrics"),
    ("admin/tracing", "metrics"),
    ("bookings/round_trips", "Redis: round trips"),
    ("redis/", "Redis: round trips"),
    ("bookings/connection", "Redis: round trips"),
    ("bookings/identity", "names (SHA-256)"),
    ("bookings/", "the record: encoding and arguments"),
    ("aiohttp/web", "aiohttp: requests and answers"),
    ("aiohttp/http_", "aiohttp: requests and answers"),
    ("aiohttp/client", "aiohttp: client"),
    ("aiohttp/", "aiohttp: the rest"),
    ("googleapiclient", "googleapiclient: request building"),
    ("receiver/signature", "signature"),
    ("config/", "configuration and secrets"),
    ("receiver/callback", "reading the callback"),
    ("receiver/", "the receiver's own steps"),
    ("workers/calendars", "calendars: mapping, lanes, tokens"),
    ("workers/", "the worker's own steps"),
)
"""Whose work a sample is: that of the innermost frame whose file has one of these in its path."""
_ELSEWHERE = "event loop and interpreter"


async def run(rounds: int) -> Findings:
    """Measures."""
    async with world() as here:
        rows = [
            *await _profile("receiver, 32 connections", here, _busy_receiver, rounds),
            *await _profile("worker, Google answers after 50 ms", here, _busy_worker, rounds),
        ]
    return Findings(rows)


async def _profile(
    case: str, here: World, busy: Callable[[World], Awaitable[Path]], rounds: int
) -> list[Row]:
    places = [*dict.fromkeys(place for _, place in _PLACES), _ELSEWHERE]
    shares: dict[str, list[float]] = {place: [] for place in places}
    for _ in range(rounds):
        samples = _by_place((await busy(here)).read_text().splitlines())
        for place in places:
            shares[place].append(100 * samples[place] / samples.total())
    rows = [Row(case, place, {"% of CPU": values}) for place, values in shares.items() if any(values)]
    return sorted(rows, key=lambda row: -row.median("% of CPU"))


def _by_place(stacks: list[str]) -> Counter[str]:
    samples: Counter[str] = Counter()
    for stack in stacks:
        frames, _, count = stack.rpartition(" ")
        samples[_place(frames.split(";"))] += int(count)
    return samples


def _place(frames: list[str]) -> str:
    for frame in reversed(frames):
        for path, place in _PLACES:
            if path in frame:
                return place
    return _ELSEWHERE


async def _busy_receiver(here: World) -> Path:
    await here.empty()
    callbacks = [signed(booking(f"booking-{number}"), here.secret) for number in range(_CALLBACKS)]
    load = Load(here.folder / "callbacks", callbacks)
    async with here.receiver() as receiver:
        sending = asyncio.create_task(load.send(here.url, connections=32, seconds=_SECONDS + 1))
        stacks = await _stacks(here, receiver, _SECONDS)
        await sending
    return stacks


async def _busy_worker(here: World) -> Path:
    await here.empty()
    await here.delay(0.05)
    store = here.store()
    async with here.worker() as worker:
        worker.suspend()
        await accept_all(store, bookings(_WRITES, sequence_id="123"))
        worker.resume()
        stacks = await _stacks(here, worker, _SECONDS)
    await store.redis.aclose()
    return stacks


async def _stacks(here: World, process: psutil.Process, seconds: int) -> Path:
    """What a process does, as lines of frames and how often they were seen; what waits is not looked at."""
    stacks = here.folder / "stacks"
    command = [str(Path(references_ready.python()).with_name("py-spy")), "record", "--pid", str(process.pid)]
    command += ["--duration", str(seconds), "--rate", str(_RATE), "--format", "raw"]
    command += ["--full-filenames", "--output", str(stacks)]
    spying = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    if await spying.wait():
        raise RuntimeError(f"{' '.join(command)} ended with {spying.returncode}")
    return stacks
