"""The console of a process over the record of a world, and operators in front of it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import pytest
from aiohttp import web

from admin.configuration import Configuration
from admin.console.app import console_app
from admin.health import Health
from admin.server import start_admin
from bookings.store import Store
from config.settings import Settings
from receiver.replay import replay_delivery
from tests.acceptance.conftest import service
from tests.conftest import Settle
from tests.console.operator import PASSWORD, Operator
from tests.integration.calendars import GOOGLE, MICROSOFT, ROUTES
from tests.integration.conftest import sandbox, world

__all__ = ["sandbox", "service", "world"]

_KEY = ("client_email", "private_key", "token_uri")

Serve = Callable[..., Awaitable[str]]


@pytest.fixture
def settings(settle: Settle) -> Settings:
    """A console, and the world's accounts and calendars by their names: it asks no provider."""
    secrets = {"CONSOLE": PASSWORD, "MICROSOFT": "s", "GOOGLE": json.dumps(dict.fromkeys(_KEY, "x"))}
    microsoft = {"tenant_id": "globex", "client_id": "sync", "client_secret": "env:MICROSOFT"}
    return settle(
        secrets=secrets,
        console={"password": "env:CONSOLE"},
        accounts=[
            {"name": "google-hr", "provider": "google", "service_account": "env:GOOGLE"},
            {"name": "microsoft-hr", "provider": "microsoft", **microsoft},
        ],
        calendars=[
            {"name": "interviews", "account": "google-hr", "calendar_id": GOOGLE},
            {"name": "panel", "account": "microsoft-hr", "mailbox": MICROSOFT},
        ],
        routes=ROUTES,
    )


@pytest.fixture
async def serve(settings: Settings, store: Store) -> AsyncIterator[Serve]:
    """Serves the admin port of one more process; gives its address."""
    async with AsyncExitStack() as stack:

        async def start(*, pause_s: float = 0.05, store: Store = store) -> str:
            def console(record: Store) -> web.Application:
                return console_app(
                    Configuration(lambda: settings, kind="worker"),
                    record,
                    partial(replay_delivery, record, settings),
                    pause_s=pause_s,
                )

            runner = await start_admin(Health(store), "127.0.0.1", 0, console=console)
            stack.push_async_callback(runner.cleanup)
            return "http://{}:{}".format(*runner.addresses[0][:2])

        yield start


@pytest.fixture
async def address(serve: Serve) -> str:
    return await serve()


@pytest.fixture
async def stranger(address: str) -> AsyncIterator[Operator]:
    """Somebody who has not signed in."""
    async with Operator(address) as operator:
        yield operator


@pytest.fixture
async def operator(address: str) -> AsyncIterator[Operator]:
    """Somebody who has."""
    async with Operator(address) as operator:
        await operator.sign_in()
        yield operator
