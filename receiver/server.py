"""The receiver process."""

import structlog
from aiohttp import web

from admin.health import Health
from admin.server import start_admin
from admin.signals import told_to_stop
from bookings.connection import connect
from bookings.store import Store
from config.settings import Settings
from receiver.app import DRAINING, receiver_app

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
    admin = await start_admin(health, settings.receiver.admin_host, settings.receiver.admin_port)
    try:
        await site.start()
        _log.info("receiver_started", host=settings.receiver.host, port=settings.receiver.port)
        await told_to_stop()
        health.draining = True
        app[DRAINING].set()
    finally:
        await runner.cleanup()
        await admin.cleanup()
        await redis.aclose()
        _log.info("receiver_stopped")


def receiver_runner(app: web.Application, settings: Settings) -> web.AppRunner:
    """Gives what serves the application, with its limits on connections."""
    return web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # a compressed body is refused, not opened
        keepalive_timeout=_KEEPALIVE_S,
        lingering_time=_LINGER_S,
        shutdown_timeout=settings.receiver.drain_timeout,
    )
