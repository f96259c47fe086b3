"""What a record with many bookings in it costs, beside one with none, and what Redis needs for each."""

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial

from bench import filling, stored
from bench.figures import Bar, Figures, Findings, Row, take_turns
from bench.redis_server import RedisServer
from bench.side_by_side import PAGE, Side, side_by_side
from bench.world import World, world
from bookings.connection import connect
from bookings.dead_letters import Filter, find
from bookings.identity import booking_id
from bookings.store import Store
from config.load import load

TITLE = "Growth"
ACCEPTED, WRITTEN, DEAD = "accepted", "written", "dead"
_SIZES = (0, 10_000, 100_000, 1_000_000)
_DIED = 10
"""One booking of so many."""
_TIMES_A_ROUND = 3
_ACCEPTED = 10_000
_SAMPLE = 200
_MS, _EMPTY_MS, _TIMES = "ms", "empty, ms", "x empty"
_NOT_SLOWER = ("accept", "accept, 32 at a time", "claim", "take, claim and settle")
_SLOWER_AT_MOST = 1.1
_PAGE_MS = 200.0
_BYTES = 3072.0
_URL = "SEQUENCE_SYNC__REDIS__URL"
_NOTES = (
    "The bookings are the documented callback as a worker left it; one of ten has a dead letter.",
    "“empty” is another Redis with nothing in it, asked in turns. Where nothing is stored, both are empty.",
    "Neither keeps a file: a disk takes its time whatever is stored, and would hide a difference.",
    "“in Redis” is what INFO commandstats says of EVALSHA; the rest is the way there and back, and Python.",
    "A reconciler's round of an empty record has no page of the index to look through.",
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
                rows += await growing.grow(size)
                rows += await growing.compare(rounds)
            rows += await _commands(here, beside, growing, rounds)
            note = await _in_vain(full)
        return Findings(rows, list(_bars(rows, growing.size)), (*_NOTES, note))


class Growing:
    """The record that grows, and the one that does not."""

    def __init__(self, full: Store, empty: Store, written: stored.Template, dead: stored.Template) -> None:
        self.size = ""
        self._full = full
        self._kinds = {WRITTEN: written, DEAD: dead}
        self._counts = dict.fromkeys(self._kinds, 0)
        self._bytes = dict.fromkeys(self._kinds, 0)
        self._sides = Side(full, written.writes), Side(empty, written.writes)

    async def grow(self, size: int) -> Sequence[Row]:
        """Stores bookings until there are so many, and says what they take."""
        dead = size // _DIED
        self.size = f"{size:,} stored, {dead:,} of them dead"
        rows = []
        for kind, count in ((WRITTEN, size - dead), (DEAD, dead)):
            before = await stored.memory(self._full.redis)
            await self._kinds[kind].copy(self._full, range(self._counts[kind], count))
            self._counts[kind] = count
            self._bytes[kind] += await stored.memory(self._full.redis) - before
            if size:
                usage = await stored.mean_usage(self._full, self.some(kind, _SAMPLE))
                rows.append(_memory(kind, self.size, self._bytes[kind] / count, usage))
        found = await self._full.redis.zcard(self._full.keys.index), (await self._full.counts())["dead"]
        if found != (size, dead):
            raise RuntimeError(f"{found[0]} bookings and {found[1]} dead letters instead of {self.size}")
        return rows

    def some(self, kind: str, count: int) -> Sequence[str]:
        """Ids of some of the bookings of a kind; none where there are none."""
        numbers = range(self._counts[kind])
        return self._kinds[kind].ids(random.choices(numbers, k=count)) if numbers else ()  # noqa: S311

    async def compare(self, rounds: int) -> Sequence[Row]:
        """Measures it beside the empty one."""
        full, empty = self._sides
        if len(page := await full.page()) != min(PAGE, self._counts[DEAD]):
            raise RuntimeError(f"a page of {len(page)} dead letters")
        await side_by_side(full, empty, self.some(WRITTEN, _SAMPLE))  # now both are warm
        found = [
            await side_by_side(full, empty, self.some(WRITTEN, _SAMPLE))
            for _ in range(_TIMES_A_ROUND * rounds)
        ]
        return [
            _beside(name, self.size, [ours[name] for ours, _ in found], [theirs[name] for _, theirs in found])
            for name in found[0][0]
        ]


def _beside(case: str, size: str, full: list[float], empty: list[float]) -> Row:
    """What an operation takes in the full record and in the empty one."""
    times = [mine / its for mine, its in zip(full, empty, strict=True)]
    return Row(case, size, {_MS: full, _EMPTY_MS: empty, _TIMES: times})


async def _accepted(store: Store) -> Row:
    """What Redis needs for bookings that nobody has looked at yet."""
    await filling.accept_all(store, filling.bookings(_SAMPLE))  # what is made but once is there
    await store.redis.flushall()
    before = await stored.memory(store.redis)
    await filling.accept_all(store, filling.bookings(_ACCEPTED))
    each = (await stored.memory(store.redis) - before) / _ACCEPTED
    some = [booking_id(filling.APP, f"booking-{number}") for number in range(_SAMPLE)]
    usage = await stored.mean_usage(store, some)
    await store.redis.flushall()
    return _memory(ACCEPTED, f"{_ACCEPTED:,} accepted", each, usage)


def _memory(kind: str, size: str, each: float, usage: float) -> Row:
    return Row(f"memory of one {kind}", size, {"bytes": [each], "bytes, its hash": [usage]})


async def _commands(here: World, beside: RedisServer, growing: Growing, rounds: int) -> Sequence[Row]:
    """Commands as somebody at a terminal waits for them, each a process that has to start first."""
    environments: Mapping[str, Mapping[str, str]] = {"full": {}, "empty": {_URL: beside.url}}
    rows: list[Row] = []
    for command in (("dead-letters", "list"), ("bookings", "show", *growing.some(WRITTEN, 1))):
        turns = {
            name: partial(_command, here, environment, *command) for name, environment in environments.items()
        }
        full, empty = (row.figures[_MS] for row in await take_turns("", turns, rounds))
        rows.append(_beside(f"`{' '.join(command[:2])}`, the whole command", growing.size, full, empty))
    return rows


async def _command(here: World, environment: Mapping[str, str], *command: str) -> Figures:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *command, "--config", str(here.config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    said, _ = await process.communicate()
    if (process.returncode == 0) == bool(environment) or bool(said) == bool(environment):
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return {_MS: 1000 * (time.perf_counter() - begun)}


async def _in_vain(full: Store) -> str:
    """What the widest search takes."""
    begun = time.perf_counter()
    found = [letter async for letter in find(full, Filter(reason="nothing"))]
    seconds, dead = time.perf_counter() - begun, (await full.counts())["dead"]
    if found:
        raise RuntimeError(f"{len(found)} dead letters for no reason")
    return f"`dead-letters list` with a filter that nothing matches reads all {dead:,}, in {seconds:.1f} s."


def _bars(rows: Sequence[Row], size: str) -> Iterable[Bar]:
    found = {row.case: row for row in rows if row.contender == size}
    for name in _NOT_SLOWER:
        times = found[name].median(_TIMES)
        yield Bar(f"{name}: {size}", times, _SLOWER_AT_MOST, at_least=False, unit=_TIMES)
    page = found["page of dead letters"].median(_MS)
    yield Bar("first page of `dead-letters list`", page, _PAGE_MS, at_least=False, unit="ms")
    for each in (rows[0], found[f"memory of one {WRITTEN}"]):
        yield Bar(each.case, each.median("bytes"), _BYTES, at_least=False, unit="bytes")
