"""The worker process: arq wakes it, our record tells it what to do."""

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import aiohttp
import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.exceptions import RedisError

from admin.health import Health
from admin.metrics import REDIS_ERRORS
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import told_to_stop
from admin.tracing import tracing
from bookings import queue
from bookings.accounts import Accounts
from bookings.connection import connection_pool
from bookings.consents import Consents
from bookings.history import history_kept
from bookings.store import Store
from config.sections import WorkerSettings
from config.settings import Settings
from workers.calendars.directory import Directory
from workers.metrics import JOBS_RUNNING, REQUEUED, events_written
from workers.sync import Sync

_JOB_TIMEOUT_S = 600
_REDIS_RETRIES = 8
_RECONCILE_EVERY_S = 1.0
_RECONCILE_AT_ONCE = 200
_AFTER_REDIS_TROUBLE_S = 1.0
_POLLED_WITHIN_S = 90.0
"""A poll of a Redis that hangs takes up to 50 s, all its retries included; a restart would not shorten it."""

_log = structlog.get_logger()


class PollingWorker(Worker):
    """arq's worker, polled by ourselves.

    arq ends its own loop by cancelling it, and a cancellation may be swallowed on the way (cpython issue
    86296); it counts a job that Redis did not let it start as running for ever; and it stops polling for
    each job whose end Redis did not take.
    """

    last_poll = float("-inf")

    async def heart_beat(self) -> None:
        """Called by arq at the end of every poll; its own health key would be shared by all workers."""
        self.last_poll = time.monotonic()

    async def poll(self) -> None:
        """Starts the jobs that are due. Raises `redis.RedisError` or `OSError`; it may be called again."""
        for job, task in list(self.tasks.items()):
            if task.done():
                del self.tasks[job]
                if not task.cancelled() and (error := task.exception()):
                    _log.warning("job_not_finished", job=job, error=type(error).__name__)
        self.job_counter = len(self.tasks)
        self.sem = asyncio.BoundedSemaphore(self.max_jobs + 1 - len(self.tasks))
        await self._poll_iteration()

    def running(self) -> int:
        """How many jobs are under way."""
        return sum(not task.done() for task in self.tasks.values())

    def _release_sem_dec_counter_on_complete(self) -> None:
        """Called by arq at the end of every job; places are counted anew before each poll instead."""

    async def end(self) -> None:
        """Cancels what is still under way; its parts stay open and are done again."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def run_worker(settings: Settings, *, console: MakeConsole | None = None) -> None:
    """Runs until SIGTERM or SIGINT; then picks nothing more, finishes what it has within `drain_timeout`."""
    pool = connection_pool(
        settings.redis, connections=2 * settings.worker.concurrency + 8, retries=_REDIS_RETRIES
    )
    redis = ArqRedis(pool, job_serializer=queue.serialize, job_deserializer=queue.deserialize)
    store = Store.of(settings, redis)
    name = f"{socket.gethostname()}:{os.getpid()}"
    structlog.contextvars.bind_contextvars(worker=name)
    async with (
        tracing(settings.telemetry, "worker"),
        aclosing(redis),
        pulse(redis),
        history_kept(store, written=events_written),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        directory = Directory(settings, session, Accounts(store), Consents(store))
        sync = Sync(store, settings, directory, worker=name)
        pollers = [_arq_worker(settings, redis, each, sync) for each in store.queues]
        JOBS_RUNNING.set_function(lambda: sum(poller.running() for poller in pollers))
        health = Health(
            store,
            last_turn=lambda: min(poller.last_poll for poller in pollers),
            turn_within_s=_POLLED_WITHIN_S,
        )
        admin = await start_admin(
            health, settings.worker.admin_host, settings.worker.admin_port, console=console
        )
        reconciler = asyncio.create_task(_reconcile(store, name))
        _log.info("worker_started", concurrency=settings.worker.concurrency)
        try:
            await _work(pollers, health, settings.worker)
        finally:
            reconciler.cancel()
            await admin.cleanup()
            directory.close()
    _log.info("worker_stopped")


def _arq_worker(settings: Settings, redis: ArqRedis, queue_name: str, sync: Sync) -> PollingWorker:
    """Takes jobs out of one queue, `concurrency` at a time."""

    async def sync_part(context: dict[str, Any], bid: str, pid: str) -> None:
        try:
            await sync.part(bid, pid, context["job_id"])
        except Exception:  # noqa: BLE001 - logged with its traceback
            # The part stays open, and the reconciler has it done again: arq need not know.
            _log.exception("part_not_settled", booking=bid, part=pid)

    concurrency = settings.worker.concurrency
    return PollingWorker(
        functions=[func(sync_part, name=queue.FUNCTION)],  # type: ignore[arg-type]  # arq types its own context
        queue_name=queue_name,
        redis_pool=redis,
        max_jobs=concurrency,
        job_timeout=_JOB_TIMEOUT_S,
        handle_signals=False,
        keep_result=0,
        log_results=False,
        max_tries=1_000_000,  # our record counts attempts; a deploy is none
        poll_delay=settings.worker.poll_delay,
        # A job stays at the head of arq's queue until its part is claimed, and for minutes if its worker is
        # killed before; where there are more of them than this, nothing else is seen.
        queue_read_limit=max(1000, 20 * concurrency),
        job_serializer=queue.serialize,
        job_deserializer=queue.deserialize,
    )


async def _work(pollers: Sequence[PollingWorker], health: Health, settings: WorkerSettings) -> None:
    """Polls until told to stop, through every trouble with Redis; then waits for the jobs under way."""
    stopped = asyncio.create_task(told_to_stop())
    while not stopped.done():
        pause = settings.poll_delay
        for poller in pollers:
            try:
                await poller.poll()
            except (RedisError, OSError) as error:
                REDIS_ERRORS.inc()
                _log.error("redis_trouble", error=type(error).__name__)
                for each in pollers:  # none of them stands still: Redis does
                    each.last_poll = time.monotonic()
                pause = _AFTER_REDIS_TROUBLE_S
        await asyncio.wait({stopped}, timeout=pause)
    health.draining = True
    under_way = [task for poller in pollers for task in poller.tasks.values()]
    if under_way:
        await asyncio.wait(under_way, timeout=settings.drain_timeout)
    for poller in pollers:
        await poller.end()


async def _reconcile(store: Store, worker: str) -> None:
    """Queues open parts again that nobody looks after, and drops what has expired from the index.

    One worker of the fleet does so at a time.
    """
    cursor = 0
    while True:
        await asyncio.sleep(_RECONCILE_EVERY_S)
        try:
            if not await store.elect("reconciler", worker, for_s=0.9 * _RECONCILE_EVERY_S):
                continue
            looked, queued = await store.reconcile(limit=_RECONCILE_AT_ONCE)
            cursor = await store.prune_index(cursor)
        except (RedisError, OSError) as error:
            REDIS_ERRORS.inc()
            _log.warning("reconciler_skipped", error=type(error).__name__)
            continue
        if queued:
            REQUEUED.inc(queued)
            _log.info("parts_requeued", looked=looked, queued=queued)
