"""The receiver process."""

import asyncio
import gc
from collections.abc import Awaitable
from contextlib import aclosing
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from yarl import URL

from admin.configuration import Configuration
from admin.health import Health
from admin.heartbeat import heartbeat
from admin.listening import listen
from admin.ports.answers import Answer
from admin.ports.connections import Connections
from admin.ports.limits import Limits
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import Hangups, told_to_stop
from admin.tracing import tracing
from bookings.connection import connect
from bookings.history import history_kept
from bookings.store import Store
from config.sections import ReceiverSettings
from config.settings import Settings
from receiver.answers import count_refused
from receiver.metrics import show_limits
from receiver.public_port import PublicPort

_REDIS_CONNECTIONS = 64
_KEEPALIVE_S = 75.0

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
        cast("Connections", self.runner.server).follow(_limits(settings.receiver))
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


def receiver_runner(port: PublicPort | Door, settings: Settings) -> web.ServerRunner:
    """Gives what serves the public port, with its limits on connections.

    It is aiohttp's server without its application: there are two paths, and none of the rest is used.
    """
    connections = Connections(
        port.answer,
        limits=_limits(settings.receiver),
        refused=count_refused,
        request_factory=_request,
        auto_decompress=False,  # a compressed body is refused, not opened
        keepalive_timeout=_KEEPALIVE_S,
    )
    return web.ServerRunner(connections, shutdown_timeout=settings.receiver.drain_timeout)


def _limits(receiver: ReceiverSettings) -> Limits:
    return Limits(
        connections=receiver.max_connections,
        body=receiver.max_body_bytes,
        head_s=receiver.head_timeout,
        body_s=receiver.body_timeout,
    )


def _request(
    message: RawRequestMessage, payload: Any, protocol: Any, writer: Any, task: Any
) -> web.BaseRequest:
    if message.url is None:  # a CONNECT with nothing after it, which aiohttp 3.14 would never answer
        message = message._replace(path="", url=URL())
    return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop())
