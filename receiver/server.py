"""The receiver process."""

import asyncio
import gc
import logging
from collections.abc import Awaitable
from contextlib import aclosing
from typing import cast

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from admin.configuration import Configuration
from admin.health import Health
from admin.heartbeat import heartbeat
from admin.listening import listen
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import Hangups, told_to_stop
from admin.tracing import tracing
from bookings.connection import connect
from bookings.history import history_kept
from bookings.store import Store
from config.settings import Settings
from receiver.answers import Answer
from receiver.connections import Connections
from receiver.metrics import RECEIVED, show_limits
from receiver.public_port import PublicPort

_REDIS_CONNECTIONS = 64
_KEEPALIVE_S = 75.0
_LINGER_S = 1.0  # for reading the rest of a refused body, so that the sender sees the answer

_log = structlog.get_logger()


async def run_receiver(
    configuration: Configuration, hangups: Hangups, *, console: MakeConsole | None = None
) -> None:
    """Serves until SIGTERM or SIGINT; then accepts nothing more and finishes what it has read."""
    settings = configuration.settings
    redis = connect(settings.redis, connections=_REDIS_CONNECTIONS)
    show_limits(settings)
    store = Store.of(settings, redis)
    async with (
        tracing(settings.telemetry, "receiver"),
        aclosing(redis),
        pulse(redis),
        heartbeat(store, configuration),
        history_kept(store),
    ):
        await _serve(configuration, hangups, store, console)
    _log.info("receiver_stopped")


class Door:
    """Has each request answered by the public port of the configuration in force: to its end, once begun."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self.port = PublicPort(settings, store)
        self.runner = receiver_runner(self, settings)

    def answer(self, request: web.BaseRequest) -> Awaitable[Answer]:
        """Has a request answered."""
        return self.port.answer(request)

    def follow(self, settings: Settings) -> None:
        """Goes by a configuration from now on."""
        self._store.follow(settings)
        self.port = PublicPort(settings, self._store)
        cast("Connections", self.runner.server).follow(settings.receiver)
        show_limits(settings)


async def _serve(
    configuration: Configuration, hangups: Hangups, store: Store, console: MakeConsole | None
) -> None:
    limits = configuration.settings.receiver
    door = Door(configuration.settings, store)
    health = Health(store)
    await door.runner.setup()
    await listen(door.runner, limits.host, limits.port, backlog=1024)
    # After the public port: from then on `/readyz` tells others to send callbacks there.
    admin = await start_admin(health, limits.admin_host, limits.admin_port, console=console)
    try:
        gc.freeze()  # what is here now stays to the end: not to be looked through for garbage ever again
        _log.info("receiver_started", host=limits.host, port=limits.port)
        async with configuration.followed(hangups, door.follow):
            await told_to_stop()
        health.draining = True
        door.port.leaving = True
        await asyncio.sleep(limits.drain_delay)  # until nobody sends new connections here
        door.port.draining = True
    finally:
        await door.runner.cleanup()
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


def receiver_runner(port: PublicPort | Door, settings: Settings) -> web.ServerRunner:
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
