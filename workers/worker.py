"""The worker process: arq wakes it, our record tells it what to do."""

import asyncio
from contextlib import aclosing, suppress

import structlog
from redis.exceptions import RedisError

from admin.configuration import Configuration
from admin.health import Health
from admin.heartbeat import heartbeat, process_name
from admin.metrics import REDIS_ERRORS
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import Hangups
from admin.tracing import tracing
from bookings.clock import RecordClock
from bookings.connection import connect
from bookings.history import history_kept
from bookings.patience import in_time
from bookings.refusals import named
from bookings.roles import WORKER
from bookings.store import Store
from config.sections import WorkerSettings
from network.outgoing import Outgoing
from workers.current_sync import CurrentSync
from workers.metrics import JOBS_RUNNING, REQUEUED, events_written
from workers.polling import Bell, PollingWorker, poll_until_stopped

_REDIS_CONNECTIONS = 16
_REDIS_RETRIES = 8
_RECONCILE_EVERY_S = 1.0
_CLOCK_WITHIN_S = 1.0
_RECONCILE_AT_ONCE = 200
_POLLED_WITHIN_S = 90.0
"""A poll of a Redis that hangs takes up to 50 s, all its retries included; a restart would not shorten it."""

_log = structlog.get_logger()


async def run_worker(
    configuration: Configuration, hangups: Hangups, *, console: MakeConsole | None = None
) -> None:
    """Runs until SIGTERM or SIGINT; then picks nothing more, finishes what it has within `drain_timeout`."""
    settings = configuration.settings
    redis = connect(settings.redis, connections=_REDIS_CONNECTIONS, retries=_REDIS_RETRIES)
    store = Store.of(settings, redis)
    name = process_name()
    clock = RecordClock()
    with suppress(RedisError, OSError):  # the pulse asks again, every second
        await in_time(clock.ask(redis), within_s=_CLOCK_WITHIN_S)
    structlog.contextvars.bind_contextvars(worker=name)
    async with (
        tracing(settings.telemetry, "worker"),
        aclosing(redis),
        pulse(redis, clock),
        heartbeat(store, configuration),
        history_kept(store, written=events_written),
        Outgoing(settings.network) as outgoing,
        aclosing(CurrentSync(store, settings, outgoing, worker=name, clock=clock)) as sync,
    ):
        JOBS_RUNNING.set_function(lambda: len(sync.poller.tasks))
        health = Health(
            store,
            WORKER,
            last_turn=lambda: sync.poller.last_poll,
            turn_within_s=_POLLED_WITHIN_S,
        )
        admin = await start_admin(
            health, settings.worker.admin_host, settings.worker.admin_port, console=console
        )
        reconciler = asyncio.create_task(_reconcile(store, name))
        _log.info("worker_started", concurrency=settings.worker.concurrency)
        try:
            async with configuration.followed(hangups, sync.follow):
                await _work(sync.poller, store, health, settings.worker)
        finally:
            reconciler.cancel()
            await admin.cleanup()
    _log.info("worker_stopped")


async def _work(poller: PollingWorker, store: Store, health: Health, settings: WorkerSettings) -> None:
    """Works until told to stop, then waits for the jobs under way."""
    await poll_until_stopped(poller, Bell(store), poll_delay=settings.poll_delay)
    health.draining = True
    if under_way := list(poller.tasks.values()):
        await asyncio.wait(under_way, timeout=settings.drain_timeout)
    await poller.end()


async def _reconcile(store: Store, worker: str) -> None:
    """Queues open parts again that nobody looks after, and drops from the indexes what is no longer so.

    One worker of the fleet does so at a time.
    """
    cursor = of_links = healed = 0
    shares = (0, 0)
    while True:
        await asyncio.sleep(_RECONCILE_EVERY_S)
        try:
            if not await store.elect("reconciler", worker, for_s=0.9 * _RECONCILE_EVERY_S):
                continue
            looked, queued = await store.reconcile(limit=_RECONCILE_AT_ONCE)
            cursor = await store.prune_index(cursor)
            of_links = await store.prune_links(of_links)
            healed = await store.heal_delayed(healed)
            shares = await store.heal_shares(*shares)
        except (RedisError, OSError) as error:
            REDIS_ERRORS.inc()
            _log.warning("reconciler_skipped", error=named(error))
            continue
        if queued:
            REQUEUED.inc(queued)
            _log.info("parts_requeued", looked=looked, queued=queued)
