"""What one, two and four workers write from one queue, and how many of them one Redis bears."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil

from bench.callbacks import booking, signed
from bench.children import cpu_seconds
from bench.figures import Bar, Figures, Findings, Row, ratio, take_turns
from bench.filling import accept_all, bookings
from bench.queue_desk import Lost
from bench.redis_ceiling import Work, accepting, ceiling
from bench.scale_notes import callbacks_of_one_redis, limit, writes_of_one_redis
from bench.stored import settled
from bench.tools import tool
from bench.world import GOOGLE, World, world
from bench.wrk import Load

TITLE = "Scale"
_REPLY_S = 0.05
_WORKERS = (1, 2, 4)
_SHARED_EVENLY = 0.75
_SECONDS = 3
_CALLBACKS = 24_000
_SETS, _ACCEPTS = 100_000, 30_000
_INSERT = Path(__file__).with_name("insert.lua")
_AT_A_TIME = 200
_NOTES = (
    "Every write is a new event at Google, answered after 50 ms; each was made once, or the run fails.",
    "Five parts at a time show whether workers share a queue evenly; a hundred, what this machine bears.",
)
_INSERTS = f"{_AT_A_TIME} inserts at a time"


class Case(NamedTuple):
    """How workers are run, and what they find in the queue."""

    name: str
    concurrency: int
    backlog: int
    for_each: bool
    """Whether the backlog is one worker's."""


SHARED = Case("5 parts at a time each", 5, 250, for_each=True)
BUSY = Case("100 parts at a time each", 100, 1600, for_each=False)


async def run(rounds: int) -> Findings:
    """Measures."""
    async with world() as here:
        shared = await _case(here, SHARED, rounds)
        busy = await _case(here, BUSY, rounds)
        [sandbox] = await take_turns(_INSERTS, {"the sandbox alone": partial(_insert, here)}, rounds)
        [callbacks] = await _callbacks(here, rounds)
        alone = await _ceilings(here, "redis-benchmark, one by one", 1, rounds)
        sets, accepts = await _ceilings(here, "redis-benchmark, 16 on a round trip", 16, rounds)
    notes = (
        *_NOTES,
        writes_of_one_redis(busy[0], sets, accepts),
        callbacks_of_one_redis(busy[0], callbacks, accepts),
        limit(busy[-1], sandbox),
    )
    bars = [
        Bar(
            f"{SHARED.name}: writes/s of {row.contender}, against one",
            ratio(row, shared[0], "a second"),
            _SHARED_EVENLY * workers,
            at_least=True,
            unit="x",
        )
        for workers, row in zip(_WORKERS[1:], shared[1:], strict=True)
    ]
    return Findings([*shared, *busy, sandbox, callbacks, *alone, sets, accepts], bars, notes)


async def _case(here: World, case: Case, rounds: int) -> list[Row]:
    turns = {
        f"{number} worker{'s' * (number > 1)}": partial(_write, here, case, number) for number in _WORKERS
    }
    return await take_turns(case.name, turns, rounds)


async def _write(here: World, case: Case, number: int) -> Figures:
    """Has so many workers write a backlog; each write is a new event at Google. Raises `Lost`."""
    await here.empty()
    await here.delay(_REPLY_S)
    store, warm = here.store(), 20 * number
    writes = case.backlog * (number if case.for_each else 1)
    async with aclosing(store.redis), AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(here.worker(each, concurrency=case.concurrency))
            for each in range(number)
        ]
        await accept_all(store, bookings(warm, prefix="warm", sequence_id="123"))
        await settled(store)
        async with _asleep(workers):
            await accept_all(store, bookings(writes, sequence_id="123"))
            before, spent, theirs = await Work.of(here.redis), cpu_seconds(*workers), _sandbox_s()
            begun = time.monotonic()
            psutil.cpu_percent()  # begins anew
        await settled(store)
        seconds, machine = time.monotonic() - begun, psutil.cpu_percent()
        work, spent, theirs = await Work.of(here.redis), cpu_seconds(*workers) - spent, _sandbox_s() - theirs
    if (made := len(await here.sandbox.events())) != warm + writes:
        raise Lost(f"{number} workers made {made} events of {warm + writes} parts")
    return {
        "a second": writes / seconds,
        "CPU ms": 1000 * spent / writes,
        "sandbox CPU ms": 1000 * theirs / writes,
        "machine busy %": machine,
        **work.since(before, writes),
    }


@asynccontextmanager
async def _asleep(workers: Iterable[psutil.Process]) -> AsyncIterator[None]:
    """Holds workers still while their queue is filled."""
    for each in workers:
        each.suspend()
    yield
    for each in workers:
        each.resume()


def _sandbox_s() -> float:
    """The CPU that the sandbox has used."""
    return cpu_seconds(*(each for each in psutil.Process().children() if "sandbox" in each.cmdline()))


class _Inserted(msgspec.Struct):
    seconds: float
    inserts: int
    failed: int


async def _insert(here: World) -> Figures:
    """Has wrk insert events, as fast as the sandbox makes them after its 50 ms. Raises `Lost`."""
    await here.empty()
    await here.delay(_REPLY_S)
    url = f"{here.sandbox.url}/calendar/v3/calendars/{GOOGLE}/events"
    spent = _sandbox_s()
    process = await asyncio.create_subprocess_exec(
        *(tool("wrk"), "--threads", "1", "--connections", str(_AT_A_TIME)),
        *("--duration", f"{_SECONDS}s", "--script", str(_INSERT), url),
        env={**os.environ, "BENCH_TOKEN": await here.google_token()},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    seen = msgspec.json.decode(said.splitlines()[-1], type=_Inserted)
    if seen.failed or not seen.inserts:
        raise Lost(f"the sandbox: {seen}")
    return {
        "a second": seen.inserts / seen.seconds,
        "sandbox CPU ms": 1000 * (_sandbox_s() - spent) / seen.inserts,
    }


async def _callbacks(here: World, rounds: int) -> Sequence[Row]:
    """What a receiver asks of Redis."""
    callbacks = [signed(booking(f"booking-{number}"), here.secret) for number in range(_CALLBACKS)]
    load = Load(here.folder / "callbacks", callbacks)
    async with here.receiver() as receiver:

        async def receive() -> Figures:
            await here.empty()
            before, spent = await Work.of(here.redis), cpu_seconds(receiver)
            seen = await load.send(here.url, connections=32, seconds=_SECONDS)
            if not {*seen.statuses} <= {200, 202} or seen.errors:  # 200: was under way when it was emptied
                raise Lost(f"the receiver answered {seen}")
            return {
                "a second": seen.answers / seen.seconds,
                "CPU ms": 1000 * (cpu_seconds(receiver) - spent) / seen.answers,
                **(await Work.of(here.redis)).since(before, seen.answers),
            }

        return await take_turns("callbacks of two parts, 32 connections", {"one receiver": receive}, rounds)


async def _ceilings(here: World, case: str, together: int, rounds: int) -> Sequence[Row]:
    """What Redis bears, on the same disk."""
    accept = await accepting(here.redis, here.settings.redis.key_prefix)
    send = partial(ceiling, here.redis, together=together)
    turns = {
        "SET of 100 bytes": partial(send, ("SET", "key:__rand_int__", "x" * 100), count=_SETS),
        "accept, two parts": partial(send, accept, count=_ACCEPTS),
    }
    return await take_turns(case, turns, rounds)
