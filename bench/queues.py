"""How soon a worker at rest starts a job, and how many jobs one worker process does a second."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from bench import references_ready
from bench.children import child
from bench.figures import Bar, Figures, Findings, Row, percentile, ratio, take_turns
from bench.queue_contenders import ARQ, OURS, Contender, contenders
from bench.queue_desk import Desk, Lost, desk
from bench.redis_server import RedisServer

TITLE = "Job queues"
NO_OP, WAIT = "no-op", "waits 50 ms"
_WAIT_S = {NO_OP: 0.0, WAIT: 0.05}
_LONE_JOBS = 40
_PAUSE_S = (0.06, 0.18)
NOTES = (
    "start: from just before the enqueuing call, whose round trip is in it, to the job's first line.",
    f"A turn has {_LONE_JOBS} lone jobs, so its p99 is the slowest of them.",
    "jobs/s: the worker sleeps while its queue is filled; from its waking to the end of the last job.",
    "One worker process, 100 jobs at once; but arq's defaults are 10, and RQ does one after the other.",
    "huey and Celery take a job off Redis before it runs: fewer writes, and it is lost with its worker.",
    "Celery, taskiq and tuned arq keep no results, huey none that are None; the others do as by default.",
    "While idle, arq polls, and dramatiq does with growing pauses; the others wait in Redis.",
    "Celery, dramatiq and huey run jobs in threads; BullMQ is JavaScript.",
    "Ours is more than a no-op: a booking is accepted, its part claimed under a lease, and settled.",
    "arq runs on redis-py 5, the newest it allows, the other Pythons on redis-py 7.",
)


class Place(NamedTuple):
    """What all contenders share."""

    folder: Path
    redis: RedisServer
    desk: Desk
    environment: Mapping[str, str]


async def run(rounds: int) -> Findings:
    """Measures."""
    everyone = contenders()
    folder = Path(tempfile.mkdtemp(prefix="bench-queues-"))
    rows: list[Row] = []
    bars = []
    async with RedisServer(folder / "redis") as redis, desk(folder) as (opened, environment):
        place = Place(folder, redis, opened, {**environment, "BENCH_REDIS": redis.url})
        for case in _WAIT_S:
            turns = {name: partial(_turn, place, name, each, case) for name, each in everyone.items()}
            found = {row.contender: row for row in await take_turns(case, turns, rounds)}
            rows += found.values()
            value = ratio(found[OURS], found[ARQ], "start p50 ms")
            bars.append(Bar(f"{case}: start p50, against {ARQ}", value, 1 / 20, at_least=False, unit="x"))
    shutil.rmtree(folder)
    return Findings(rows, bars, notes=(*NOTES, "Versions: " + references_ready.versions()))


async def _turn(place: Place, name: str, contender: Contender, case: str) -> Figures:
    """One contender's turn. Raises `Lost`."""
    log = place.folder / f"{name}.log"
    await _empty(place.redis)
    try:
        async with (
            _whole(contender.worker, log, place.environment) as worker,
            _whole(contender.enqueuer, log, place.environment),
        ):
            return await _measure(place, worker, contender, case)
    except Lost as lost:
        raise Lost(f"{name}, {case}: {lost}; see {log}") from lost


async def _measure(place: Place, worker: psutil.Process, contender: Contender, case: str) -> Figures:
    wait_s = _WAIT_S[case]
    enqueuer = await place.desk.enqueuer()
    await enqueuer.enqueue(1, wait_s=0)  # from here on both are awake
    await place.desk.runs(1)

    await enqueuer.enqueue(_LONE_JOBS, wait_s=wait_s, pause_s=_PAUSE_S)
    delays_ms = [(run.started - run.enqueued) / 1e6 for run in await place.desk.runs(_LONE_JOBS)]

    backlog = contender.no_ops if case == NO_OP else contender.waits
    async with _asleep(worker), _unsynced(place.redis):
        await enqueuer.enqueue(backlog, wait_s=wait_s)
    begun = time.monotonic_ns()
    seconds = (max(run.ended for run in await place.desk.runs(backlog)) - begun) / 1e9
    return {
        "start p50 ms": percentile(delays_ms, 0.5),
        "start p99 ms": percentile(delays_ms, 0.99),
        "jobs/s": backlog / seconds,
    }


@asynccontextmanager
async def _whole(
    command: Sequence[str], log: Path, environment: Mapping[str, str]
) -> AsyncIterator[psutil.Process]:
    """Runs a command, and ends it with all that it started: what it held was flushed, or is about to be."""
    async with child(*command, log=log, environment=environment, folder=references_ready.PROJECT) as process:
        try:
            yield process
        finally:
            for each in _tree(process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            while process.is_running():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def _asleep(worker: psutil.Process) -> AsyncIterator[None]:
    """Holds a worker still, so that it begins with a backlog and its start is in no figure."""
    for each in _tree(worker):
        with contextlib.suppress(psutil.NoSuchProcess):  # RQ's, which has just done its one job
            each.suspend()
    yield
    for each in _tree(worker):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.resume()


@asynccontextmanager
async def _unsynced(redis: RedisServer) -> AsyncIterator[None]:
    """Fills a queue without waiting for the disk, and has it all on disk before the worker begins."""
    async with redis.client() as client:
        await client.config_set("appendfsync", "no")
        yield
        await client.config_set("appendfsync", "always")
        await client.set("synced", 1)  # answered when this and all before it is on disk
        await client.delete("synced")


async def _empty(redis: RedisServer) -> None:
    """Flushes, and begins the file anew, so that Redis need not do that in the middle of a turn."""
    async with redis.client() as client:
        await client.flushall()
        await client.bgrewriteaof()
        while (await client.info("persistence"))["aof_rewrite_in_progress"]:
            await asyncio.sleep(0.01)


def _tree(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []
