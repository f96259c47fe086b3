"""What a record with many bookings in it costs, beside one with none, and what Redis needs for each of them."""

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from bench import filling, stored
from bench.figures import Bar, Figures, Findings, Row, ratio, take_turns
from bench.record_turn import PAGE, Turn
from bench.redis_server import RedisServer
from bench.world import World, world
from bookings.connection import connect
from bookings.dead_letters import Filter, find
from bookings.identity import booking_id
from bookings.store import Store
from config.load import load

TITLE = "Growth"
FULL, EMPTY = "so many bookings", "empty"
ACCEPTED, WRITTEN, DEAD = "accepted", "written", "dead"
_SIZES = (0, 10_000, 100_000, 1_000_000)
_DIED = 10  # one of so many
_TURNS_A_ROUND = 4
_ACCEPTED = 10_000
_SAMPLE = 200
_SLOWER_AT_MOST = 1.1
_PAGE_WITHIN_MS = 200.0
_BYTES_AT_MOST = 3072.0
_NOT_SLOWER = ("accept ms", "accept, 32 at a time ms", "claim ms", "take, claim and settle ms")
_URL = "SEQUENCE_SYNC__REDIS__URL"
NOTES = (
    "The bookings are the documented callback, as a worker left it: written, but one of ten with a dead letter.",
    "No Redis keeps a file: the disk takes as long for a full one as for an empty one, and would hide a difference.",
    "“in Redis” is what INFO commandstats says of EVALSHA; the rest of a time is the way there and back, and Python.",
    "Each turn leaves the record as it was; at size 0 both are empty, so that case shows the noise.",
    "The index of an empty record has no page to look through, so reconciling has nothing to compare with.",
)


async def run(rounds: int) -> Findings:
    """Measures."""
    async with (
        world(appendfsync="no") as here,
        RedisServer(here.folder / "empty", appendfsync="no") as beside,
    ):
        settings = load(here.config, {_URL: beside.url})
        full, empty = here.store(), Store(connect(settings.redis), settings.redis.key_prefix)
        async with aclosing(full.redis), aclosing(empty.redis):
            growing = Growing(full, empty, *await stored.written_and_dead(here))
            rows = [await _accepted(empty)]
            for size in _SIZES:
                await growing.grow(size)
                rows += await growing.take_turns(rounds)
            rows += growing.memory
            rows += await _commands(here, beside, growing, rounds)
            notes = (*NOTES, await _in_vain(full))
        return Findings(rows, _bars(rows), notes)


class Growing:
    """The record that grows, and the one that does not."""

    def __init__(self, full: Store, empty: Store, written: stored.Template, dead: stored.Template) -> None:
        self.full = full
        self.case = ""
        self.memory: list[Row] = []
        self._kinds = {WRITTEN: written, DEAD: dead}
        self._counts = dict.fromkeys(self._kinds, 0)
        self._bytes = dict.fromkeys(self._kinds, 0)
        self._turns = {FULL: Turn(full, written.writes), EMPTY: Turn(empty, written.writes)}

    async def grow(self, size: int) -> None:
        """Stores bookings until there are so many."""
        self.case = f"{size:,} stored, {size // _DIED:,} dead"
        for kind, count in ((WRITTEN, size - size // _DIED), (DEAD, size // _DIED)):
            before = await stored.memory(self.full.redis)
            await self._kinds[kind].copy(self.full, range(self._counts[kind], count))
            self._counts[kind] = count
            self._bytes[kind] += await stored.memory(self.full.redis) - before
            if size:
                usage = await stored.mean_usage(self.full, self._some(kind, _SAMPLE))
                self.memory.append(_memory_row(self.case, kind, self._bytes[kind] / count, usage))
        counted = await self.full.redis.zcard(self.full.keys.index), (await self.full.counts())["dead"]
        if counted != (size, size // _DIED):
            raise RuntimeError(f"{counted} instead of {self.case}")

    def _some(self, kind: str, count: int) -> list[str]:
        """Ids of some of the bookings of a kind."""
        template, last = self._kinds[kind], self._counts[kind]
        return [booking_id(filling.APP, template.event_id(random.randrange(last))) for _ in range(count)]  # noqa: S311

    async def take_turns(self, rounds: int) -> list[Row]:
        """Measures it beside the empty one."""

        async def full() -> Figures:
            stored = self._some(WRITTEN, _SAMPLE) if self._counts[WRITTEN] else []
            return await self._turns[FULL].measure(stored)

        async def empty() -> Figures:
            return await self._turns[EMPTY].measure([])

        await full()
        await empty()  # both are warm
        page = await self._turns[FULL].page()
        if len(page) != min(PAGE, self._counts[DEAD]):
            raise RuntimeError(f"a page of {len(page)} dead letters")
        return await take_turns(self.case, {FULL: full, EMPTY: empty}, _TURNS_A_ROUND * rounds)


async def _accepted(store: Store) -> Row:
    """What Redis needs for bookings that nobody has looked at yet."""
    await filling.accept_all(store, filling.bookings(100))  # whatever is made once is there
    await store.redis.flushall()
    before = await stored.memory(store.redis)
    await filling.accept_all(store, filling.bookings(_ACCEPTED))
    each = (await stored.memory(store.redis) - before) / _ACCEPTED
    usage = await stored.mean_usage(
        store, [booking_id(filling.APP, f"booking-{number}") for number in range(_SAMPLE)]
    )
    await store.redis.flushall()
    return _memory_row(f"{_ACCEPTED:,} accepted", ACCEPTED, each, usage)


def _memory_row(case: str, kind: str, each: float, usage: float) -> Row:
    return Row(f"memory, {case}", kind, {"bytes each": [each], "its hash": [usage]})


async def _commands(here: World, beside: RedisServer, growing: Growing, rounds: int) -> list[Row]:
    """The commands as somebody at a terminal waits for them, each a process that has to start first."""

    async def timed(url: str, *command: str) -> Figures:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", *command, "--config", str(here.config)),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, _URL: url},
        )
        said, _ = await process.communicate()
        took = 1000 * (time.perf_counter() - began)
        if (process.returncode == 0) != bool(said):
            raise RuntimeError(f"{command} ended with {process.returncode}")
        return {"whole command ms": took}

    some = growing._some(WRITTEN, 1)
    rows = []
    for command in (("dead-letters", "list"), ("bookings", "show", *some)):
        turns = {FULL: partial(timed, here.redis.url, *command), EMPTY: partial(timed, beside.url, *command)}
        rows += await take_turns(f"{growing.case}: {' '.join(command[:2])}", turns, rounds)
    return rows


async def _in_vain(full: Store) -> str:
    """What the widest search takes."""
    began = time.perf_counter()
    found = [letter async for letter in find(full, Filter(reason="nothing"))]
    seconds = time.perf_counter() - began
    dead = (await full.counts())["dead"]
    assert not found
    return f"A filter that none of {dead:,} dead letters matches reads them all, in {seconds:.1f} s."


def _bars(rows: Sequence[Row]) -> list[Bar]:
    turns = [row for row in rows if "accept ms" in row.figures]
    full, empty = turns[-2:]
    bars = [
        Bar(
            f"{full.case}: {figure.removesuffix(' ms')}, against an empty store",
            ratio(full, empty, figure),
            _SLOWER_AT_MOST,
            at_least=False,
            unit="x",
        )
        for figure in _NOT_SLOWER
    ]
    page = Bar(
        f"{full.case}: first page of dead letters",
        full.median("page of dead letters ms"),
        _PAGE_WITHIN_MS,
        at_least=False,
        unit="ms",
    )
    memory = {row.contender: row.median("bytes each") for row in rows if "bytes each" in row.figures}
    return [
        *bars,
        page,
        *(
            Bar(
                f"Redis memory for each booking, {kind}",
                memory[kind],
                _BYTES_AT_MOST,
                at_least=False,
                unit="B",
            )
            for kind in (ACCEPTED, WRITTEN)
        ),
    ]
