"""The API process: links and availability, for programs that hold an app's client secret."""

import gc
from contextlib import aclosing

import structlog

from admin.configuration import Configuration
from admin.health import Health
from admin.heartbeat import heartbeat
from admin.in_force import Close, InForce
from admin.listening import listen
from admin.ports.applications import limited
from admin.ports.limits import Limits
from admin.pulse import pulse
from admin.server import MakeConsole, start_admin
from admin.signals import Hangups, told_to_stop
from admin.tracing import tracing
from bookings.accounts import Accounts
from bookings.connection import connect
from bookings.consents import Consents
from bookings.roles import API
from bookings.store import Store
from config.settings import Settings
from network.outgoing import Outgoing
from scheduler.api.app import MOST_BYTES, Service, api_app
from scheduler.asking import Asker
from scheduler.computing import Computing
from scheduler.cronofy import Cronofy
from scheduler.links import LinkMaker
from workers.calendars.directory import Directory

_REDIS_CONNECTIONS = 16

_log = structlog.get_logger()


async def run_api(
    configuration: Configuration, hangups: Hangups, *, console: MakeConsole | None = None
) -> None:
    """Serves until SIGTERM or SIGINT; then finishes what is in flight."""
    settings = configuration.settings
    redis = connect(settings.redis, connections=_REDIS_CONNECTIONS)
    store = Store.of(settings, redis)
    async with (
        tracing(settings.telemetry, "api"),
        aclosing(redis),
        pulse(redis),
        heartbeat(store, configuration),
        Outgoing(settings.network) as outgoing,
        aclosing(_CurrentService(store, settings, outgoing)) as service,
    ):
        await _serve(configuration, hangups, store, service, console)
    _log.info("api_stopped")


class _CurrentService:
    """What requests are answered with by the configuration in force."""

    def __init__(self, store: Store, settings: Settings, outgoing: Outgoing) -> None:
        self._store = store
        self._outgoing = outgoing
        self.computing = Computing()
        self.in_force = InForce(*self._made(settings))

    def follow(self, settings: Settings) -> None:
        """Goes by a configuration from now on."""
        made = self._made(settings)
        self._store.follow(settings)
        self.in_force.replace(*made)

    async def aclose(self) -> None:
        """Closes its connections, once nothing is in flight."""
        await self.in_force.aclose()

    def _made(self, settings: Settings) -> tuple[Service, Close]:
        store, outgoing = self._store, self._outgoing
        directory = Directory(settings, outgoing, Accounts(store), Consents(store))
        cronofy = Cronofy(outgoing, timeout_s=settings.worker.request_timeout)

        async def close() -> None:
            directory.close()

        return Service(
            settings, LinkMaker(settings, store, cronofy), Asker(settings, store, directory, self.computing)
        ), close


async def _serve(
    configuration: Configuration,
    hangups: Hangups,
    store: Store,
    service: _CurrentService,
    console: MakeConsole | None,
) -> None:
    api = configuration.settings.api
    health = Health(store, API)
    runner = await limited(
        api_app(service.in_force),
        Limits(connections=api.max_connections, body=MOST_BYTES),
        port="api",
        shutdown_timeout=api.drain_timeout,
    )
    await listen(runner, api.host, api.port)
    admin = await start_admin(health, api.admin_host, api.admin_port, console=console)
    gc.freeze()
    try:
        _log.info("api_started", host=api.host, port=api.port)
        async with configuration.followed(hangups, service.follow):
            await told_to_stop()
        health.draining = True
        service.computing.stop()
    finally:
        await runner.cleanup()
        await admin.cleanup()
