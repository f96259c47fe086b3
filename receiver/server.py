"""The receiver process."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError
from yarl import URL

from admin.health import Health
from admin.metrics import RECEIVED
from admin.server import start_admin
from admin.signals import told_to_stop
from bookings.connection import connect
from bookings.store import Store
from config.settings import Settings
from receiver.app import DRAINING, answered, receiver_app

_REDIS_CONNECTIONS = 64
_KEEPALIVE_S = 75.0
_LINGER_S = 1.0  # for reading the rest of a refused body, so that the sender sees the answer

_log = structlog.get_logger()


async def run_receiver(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; then accepts nothing more and finishes what it has read."""
    redis = connect(settings.redis, connections=_REDIS_CONNECTIONS)
    store = Store(redis, settings.redis.key_prefix)
    app = receiver_app(settings, store)
    health = Health(store)
    runner = receiver_runner(app, settings)
    await runner.setup()
    site = web.TCPSite(runner, settings.receiver.host, settings.receiver.port, backlog=1024)
    await site.start()
    # After the public port: from then on `/readyz` tells others to send callbacks there.
    admin = await start_admin(health, settings.receiver.admin_host, settings.receiver.admin_port)
    try:
        _log.info("receiver_started", host=settings.receiver.host, port=settings.receiver.port)
        await told_to_stop()
        health.draining = True
        app[DRAINING].set()
    finally:
        await runner.cleanup()
        await admin.cleanup()
        await redis.aclose()
        _log.info("receiver_stopped")


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

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.request_handler = partial(answered, handler=server.request_handler)
        server.request_factory = partial(_with_target, server.request_factory)
        return server


def _with_target(make: Callable[..., web.BaseRequest], message: Any, *rest: Any) -> web.BaseRequest:
    """Makes a request; a CONNECT with nothing after it has no URL, and aiohttp 3.14 would never answer it."""
    if message.url is None:
        message = message._replace(path="", url=URL())
    return make(message, *rest)


def receiver_runner(app: web.Application, settings: Settings) -> web.AppRunner:
    """Gives what serves the application, with its limits on connections."""
    return _Runner(
        app,
        access_log=None,
        logger=_http_log,
        auto_decompress=False,  # a compressed body is refused, not opened
        keepalive_timeout=_KEEPALIVE_S,
        lingering_time=_LINGER_S,
        shutdown_timeout=settings.receiver.drain_timeout,
    )
