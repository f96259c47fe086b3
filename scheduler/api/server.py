"""The API process: links and availability, for programs that hold an app's client secret."""

import gc
from contextlib import aclosing

import aiohttp
import structlog
from aiohttp import web

from admin.health import Health
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import told_to_stop
from admin.tracing import tracing
from bookings.accounts import Accounts
from bookings.connection import connect
from bookings.consents import Consents
from bookings.store import Store
from config.settings import Settings
from scheduler.api.app import api_app
from scheduler.asking import Asker
from scheduler.cronofy import Cronofy
from scheduler.links import LinkMaker
from workers.calendars.directory import Directory

_REDIS_CONNECTIONS = 16

_log = structlog.get_logger()


async def run_api(settings: Settings, *, console: MakeConsole | None = None) -> None:
    """Serves until SIGTERM or SIGINT; then finishes what is in flight."""
    redis = connect(settings.redis, connections=_REDIS_CONNECTIONS)
    store = Store.of(settings, redis)
    async with (
        tracing(settings.telemetry, "api"),
        aclosing(redis),
        pulse(redis),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        directory = Directory(settings, session, Accounts(store), Consents(store))
        try:
            await _serve(settings, store, session, directory, console)
        finally:
            directory.close()
    _log.info("api_stopped")


async def _serve(
    settings: Settings,
    store: Store,
    session: aiohttp.ClientSession,
    directory: Directory,
    console: MakeConsole | None,
) -> None:
    cronofy = Cronofy(session, timeout_s=settings.worker.request_timeout)
    app = api_app(settings, LinkMaker(settings, store, cronofy), Asker(settings, store, directory))
    health = Health(store)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.api.drain_timeout)
    await runner.setup()
    await web.TCPSite(runner, settings.api.host, settings.api.port).start()
    admin = await start_admin(health, settings.api.admin_host, settings.api.admin_port, console=console)
    gc.freeze()
    try:
        _log.info("api_started", host=settings.api.host, port=settings.api.port)
        await told_to_stop()
        health.draining = True
    finally:
        await runner.cleanup()
        await admin.cleanup()
