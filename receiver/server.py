"""The receiver process."""

import asyncio
import gc
import logging
from contextlib import aclosing

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from admin.health import Health
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import told_to_stop
from admin.tracing import tracing
from bookings.connection import connect
from bookings.history import history_kept
from bookings.store import Store
from config.settings import Settings
from receiver.connections import Connections
from receiver.metrics import RECEIVED, show_limits
from receiver.public_port import PublicPort

_REDIS_CONNECTIONS = 64
_KEEPALIVE_S = 75.0
_LINGER_S = 1.0  # for reading the rest of a refused body, so that the sender sees the answer

_log = structlog.get_logger()


async def run_receiver(settings: Settings, *, console: MakeConsole | None = None) -> None:
    """Serves until SIGTERM or SIGINT; then accepts nothing more and finishes what it has read."""
    redis = connect(settings.redis, connections=_REDIS_CONNECTIONS)
    show_limits(settings.receiver)
    store = Store.of(settings, redis)
    async with (
        tracing(settings.telemetry, "receiver"),
        aclosing(redis),
        pulse(redis),
        history_kept(store),
    ):
        await _serve(settings, store, console)
    _log.info("receiver_stopped")


async def _serve(settings: Settings, store: Store, console: MakeConsole | None) -> None:
    port = PublicPort(settings, store)
    health = Health(store)
    runner = receiver_runner(port, settings)
    await runner.setup()
    site = web.TCPSite(runner, settings.receiver.host, settings.receiver.port, backlog=1024)
    await site.start()
    # After the public port: from then on `/readyz` tells others to send callbacks there.
    admin = await start_admin(
        health, settings.receiver.admin_host, settings.receiver.admin_port, console=console
    )
    try:
        gc.freeze()  # what is here now stays to the end: not to be looked through for garbage ever again
        _log.info("receiver_started", host=settings.receiver.host, port=settings.receiver.port)
        await told_to_stop()
        health.draining = True
        port.leaving = True
        await asyncio.sleep(settings.receiver.drain_delay)  # until nobody sends new connections here
        port.draining = True
    finally:
        await runner.cleanup()
        await admin.cleanup()


class _Malformed(logging.Filter):
    """Counts what is no HTTP. aiohttp would log each with a traceback that holds a piece of what was sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            RECEIVED.labels("malformed").inc()
            return False
        return True


_http_log = logging.getLogger("receiver.http")
_http_log.addFilter(_Malformed())


def receiver_runner(port: PublicPort, settings: Settings) -> web.ServerRunner:
    """Gives what serves the public port, with its limits on connections.

    It is aiohttp's server without its application: there are two paths, and none of the rest is used.
    """
    connections = Connections(
        port.answer,
        limits=settings.receiver,
        access_log=None,
        logger=_http_log,
        auto_decompress=False,  # a compressed body is refused, not opened
        keepalive_timeout=_KEEPALIVE_S,
        lingering_time=_LINGER_S,
    )
    return web.ServerRunner(connections, shutdown_timeout=settings.receiver.drain_timeout)
