"""What a process of ours needs to start, at rest, at work and after much work; and a booking in Redis."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from functools import partial

import psutil

from bench import filling, stored
from bench.callbacks import booking, signed
from bench.children import cpu_seconds, resident_mib
from bench.figures import Bar, Figures, Findings, Row, take_turns
from bench.queue_desk import Lost
from bench.world import World, world
from bench.wrk import Load
from bookings.identity import booking_id
from bookings.store import Store

TITLE = "Sizes"
RECEIVER, WORKER, REDIS = "receiver", "worker", "Redis"
_REST_S = 5.0
_LOAD = 24_000
_SECONDS = 4
_SOME, _MANY = 10_000, 100_000
_BOOKINGS, _REPEATS = 1500, 3
_SAMPLE = 200
_RECEIVER_MIB, _WORKER_MIB, _GROWTH_MIB = 60.0, 100.0, 3.0
_WITHIN_S = 200.0
_TAKEN = {200, 202}
"""A repeat is one that was still under way when Redis was emptied."""
_MIB = "resident MiB"
_IMAGE = {"FROZENLIST_NO_EXTENSIONS": "1", "PYTHONTZPATH": ""}
_NOTES = (
    f"As in the image: {', '.join(f'{name}={value}' for name, value in _IMAGE.items())}.",
    "Ready: `/readyz` says so; it is asked every 20 ms.",
    "A callback is the documented one, of two parts; a booking is two writes, to Google and to Microsoft.",
    "Nothing waits for providers: the sandbox is on the same machine and answers at once.",
)

Process = Callable[[], AbstractAsyncContextManager[psutil.Process]]


async def run(rounds: int) -> Findings:
    """Measures."""
    async with world() as here:
        with _as_in_the_image():
            return await _sizes(here, rounds)


@contextmanager
def _as_in_the_image() -> Iterator[None]:
    """Sets what the image sets, for the processes that are started meanwhile."""
    before = dict(os.environ)
    os.environ.update(_IMAGE)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def _sizes(here: World, rounds: int) -> Findings:
    processes: dict[str, Process] = {RECEIVER: here.receiver, WORKER: here.worker}
    turns = {name: partial(_start, process) for name, process in processes.items()}
    rows = await take_turns("start", turns, rounds)
    rows += await _at_rest(here)
    rows += await _receive(here)
    rows += await _write(here)
    return Findings(rows, _bars(rows), _NOTES)


async def _start(process: Process) -> Figures:
    begun = time.monotonic()
    async with process() as started:
        return {"s": time.monotonic() - begun, "CPU ms": 1000 * cpu_seconds(started)}


async def _at_rest(here: World) -> list[Row]:
    async with here.receiver() as receiver, here.worker() as worker:
        processes = {RECEIVER: receiver, WORKER: worker}
        before = {name: cpu_seconds(each) for name, each in processes.items()}
        await asyncio.sleep(_REST_S)
        spent = {name: cpu_seconds(each) - before[name] for name, each in processes.items()}
        return [
            _row("at rest", name, {_MIB: resident_mib(each), "CPU %": 100 * spent[name] / _REST_S})
            for name, each in processes.items()
        ]


async def _receive(here: World) -> list[Row]:
    """Sends callbacks to one receiver until there were many, again and again from nothing. Raises `Lost`."""
    callbacks = [signed(booking(f"booking-{number}"), here.secret) for number in range(_LOAD)]
    load = Load(here.folder / "callbacks", callbacks)
    rows, answers = [], 0
    async with here.receiver() as receiver:
        before = cpu_seconds(receiver)
        for wanted in (_SOME, _MANY):
            while answers < wanted:
                await here.empty()
                seen = await load.send(here.url, connections=32, seconds=_SECONDS)
                if not {*seen.statuses} <= _TAKEN or seen.errors:
                    raise Lost(f"the receiver answered {seen}")
                answers += seen.answers
            spent = 1000 * (cpu_seconds(receiver) - before) / answers
            figures = {"callbacks": answers, _MIB: resident_mib(receiver), "CPU ms": spent}
            rows.append(_row(f"after {wanted:,} callbacks", RECEIVER, figures))
    await here.empty()
    return rows


async def _write(here: World) -> list[Row]:
    """Has a worker write bookings again and again, and looks at what Redis needs for the first of them."""
    store = here.store()
    async with aclosing(store.redis):
        await filling.accept_all(store, filling.bookings(100))  # what is made but once is there
        await here.empty()
        empty = await stored.memory(store.redis)
        await filling.accept_all(store, filling.bookings(_BOOKINGS, prefix="0"))
        rows = [await _in_redis(store, "accepted", empty)]
        async with here.worker() as worker:
            work = Work(here, store, worker)
            rows.append(await work.done(2 * _BOOKINGS))
            rows.append(await _in_redis(store, "written", empty))
            for number in range(1, _REPEATS):
                await filling.accept_all(store, filling.bookings(_BOOKINGS, prefix=str(number)))
                rows.append(await work.done(2 * _BOOKINGS))
            to_google = filling.bookings(_BOOKINGS, prefix="google", sequence_id="123")
            await filling.accept_all(store, to_google)
            rows.append(await work.done(_BOOKINGS, where="to Google alone"))
    return rows


class Work:
    """What a worker has to do, from now on."""

    def __init__(self, here: World, store: Store, worker: psutil.Process) -> None:
        self._here, self._store, self._worker = here, store, worker
        self._made, self._spent = 0, cpu_seconds(worker)

    async def done(self, writes: int, *, where: str = "") -> Row:
        """Waits for so many more writes. Raises `Lost`."""
        await stored.settled(self._store, within_s=_WITHIN_S)
        self._made += writes
        if (made := len(await self._here.sandbox.events())) != self._made:
            raise Lost(f"{made} events instead of {self._made}")
        before, self._spent = self._spent, cpu_seconds(self._worker)
        each = 1000 * (self._spent - before) / writes
        case = f"after {self._made:,} writes" + (f", the last {writes:,} {where}" if where else "")
        return _row(case, WORKER, {_MIB: resident_mib(self._worker), "CPU ms": each})


async def _in_redis(store: Store, state: str, empty: int) -> Row:
    """What the bookings take there, of memory and of the append-only file."""
    each = (await stored.memory(store.redis) - empty) / _BOOKINGS
    ids = [booking_id(filling.APP, f"0-{number}") for number in range(_SAMPLE)]
    figures = {"bytes": each, "bytes, its hash": await stored.mean_usage(store, ids)}
    return _row(f"for each booking, {state}", REDIS, figures)


def _row(case: str, contender: str, figures: Figures) -> Row:
    return Row(case, contender, {name: [value] for name, value in figures.items()})


def _bars(rows: list[Row]) -> list[Bar]:
    grown = {
        name: [row.median(_MIB) for row in rows if row.contender == name and _MIB in row.figures]
        for name in (RECEIVER, WORKER)
    }
    _, some, many = grown[RECEIVER]
    return [
        Bar("receiver", max(grown[RECEIVER]), _RECEIVER_MIB, at_least=False, unit="MiB"),
        Bar("worker", max(grown[WORKER]), _WORKER_MIB, at_least=False, unit="MiB"),
        Bar(
            f"receiver, from {_SOME:,} to {_MANY:,} callbacks",
            many - some,
            _GROWTH_MIB,
            at_least=False,
            unit="MiB more",
        ),
    ]
