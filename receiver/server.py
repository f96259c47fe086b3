"""The receiver process."""

import asyncio
import gc
import logging
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError
from yarl import URL

from admin.health import Health
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import told_to_stop
from admin.tracing import tracing
from bookings.connection import connect
from bookings.history import history_kept
from bookings.store import Store
from config.sections import ReceiverSettings
from config.settings import Settings
from receiver.answers import LEAVING, answered
from receiver.app import DRAINING, receiver_app
from receiver.connections import Connections
from receiver.metrics import RECEIVED, show_limits

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
    app = receiver_app(settings, store)
    health = Health(store)
    runner = receiver_runner(app, settings)
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
        app[LEAVING].set()
        await asyncio.sleep(settings.receiver.drain_delay)  # until nobody sends new connections here
        app[DRAINING].set()
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


class _Runner(web.AppRunner):
    """Mends what aiohttp does before its middlewares are asked."""

    def __init__(self, app: web.Application, limits: ReceiverSettings, **options: Any) -> None:
        super().__init__(app, **options)
        self._limits = limits

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return Connections(
            partial(answered, app=self.app, handler=made.request_handler),
            limits=self._limits,
            request_factory=partial(_with_target, made.request_factory),
            **self._kwargs,
        )


def _with_target(make: Callable[..., web.BaseRequest], message: Any, *rest: Any) -> web.BaseRequest:
    """Makes a request; a CONNECT with nothing after it has no URL, and aiohttp 3.14 would never answer it."""
    if message.url is None:
        message = message._replace(path="", url=URL())
    return make(message, *rest)


def receiver_runner(app: web.Application, settings: Settings) -> web.AppRunner:
    """Gives what serves the application, with its limits on connections."""
    return _Runner(
        app,
        settings.receiver,
        access_log=None,
        logger=_http_log,
        auto_decompress=False,  # a compressed body is refused, not opened
        keepalive_timeout=_KEEPALIVE_S,
        lingering_time=_LINGER_S,
        shutdown_timeout=settings.receiver.drain_timeout,
    )
