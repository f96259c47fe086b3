"""The worker process: arq wakes it, our record tells it what to do."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import aclosing

import aiohttp
import structlog
from redis.exceptions import RedisError

from admin.health import Health
from admin.metrics import REDIS_ERRORS
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.tracing import tracing
from bookings.accounts import Accounts
from bookings.connection import connect
from bookings.consents import Consents
from bookings.history import history_kept
from bookings.store import Store
from config.sections import WorkerSettings
from config.settings import Settings
from workers.calendars.directory import Directory
from workers.metrics import JOBS_RUNNING, REQUEUED, events_written
from workers.polling import Bell, PollingWorker, poll_until_stopped, polling_worker
from workers.sync import Sync

_REDIS_CONNECTIONS = 16
_REDIS_RETRIES = 8
_RECONCILE_EVERY_S = 1.0
_RECONCILE_AT_ONCE = 200
_POLLED_WITHIN_S = 90.0
"""A poll of a Redis that hangs takes up to 50 s, all its retries included; a restart would not shorten it."""

_log = structlog.get_logger()


async def run_worker(settings: Settings, *, console: MakeConsole | None = None) -> None:
    """Runs until SIGTERM or SIGINT; then picks nothing more, finishes what it has within `drain_timeout`."""
    redis = connect(settings.redis, connections=_REDIS_CONNECTIONS, retries=_REDIS_RETRIES)
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
        concurrency = settings.worker.concurrency
        pollers = [polling_worker(store, sync, each, concurrency=concurrency) for each in store.queues]
        JOBS_RUNNING.set_function(lambda: sum(len(poller.tasks) for poller in pollers))
        health = Health(
            store,
            last_turn=lambda: min(poller.last_poll for poller in pollers),
            turn_within_s=_POLLED_WITHIN_S,
        )
        admin = await start_admin(
            health, settings.worker.admin_host, settings.worker.admin_port, console=console
        )
        reconciler = asyncio.create_task(_reconcile(store, name))
        _log.info("worker_started", concurrency=concurrency)
        try:
            await _work(pollers, store, health, settings.worker)
        finally:
            reconciler.cancel()
            await admin.cleanup()
            await sync.endpoints.aclose()
            directory.close()
    _log.info("worker_stopped")


async def _work(
    pollers: Sequence[PollingWorker], store: Store, health: Health, settings: WorkerSettings
) -> None:
    """Works until told to stop, then waits for the jobs under way."""
    await poll_until_stopped(pollers, Bell(store), poll_delay=settings.poll_delay)
    health.draining = True
    under_way = [task for poller in pollers for task in poller.tasks.values()]
    if under_way:
        await asyncio.wait(under_way, timeout=settings.drain_timeout)
    for poller in pollers:
        await poller.end()


async def _reconcile(store: Store, worker: str) -> None:
    """Queues open parts again that nobody looks after, and drops from the indexes what is no longer so.

    One worker of the fleet does so at a time.
    """
    cursor = healed = 0
    while True:
        await asyncio.sleep(_RECONCILE_EVERY_S)
        try:
            if not await store.elect("reconciler", worker, for_s=0.9 * _RECONCILE_EVERY_S):
                continue
            looked, queued = await store.reconcile(limit=_RECONCILE_AT_ONCE)
            cursor = await store.prune_index(cursor)
            healed = await store.heal_delayed(healed)
        except (RedisError, OSError) as error:
            REDIS_ERRORS.inc()
            _log.warning("reconciler_skipped", error=type(error).__name__)
            continue
        if queued:
            REQUEUED.inc(queued)
            _log.info("parts_requeued", looked=looked, queued=queued)
