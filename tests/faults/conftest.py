"""The world of the worker's tests, and more workers in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bookings.accounts import Accounts
from network.outgoing import Outgoing
from tests.acceptance.conftest import service
from tests.conftest import Settle
from tests.integration.calendars import World, calendar_secrets, calendar_tables
from tests.integration.conftest import sandbox, settings, world
from workers.calendars.directory import Directory
from workers.sync import Sync

__all__ = ["sandbox", "service", "settings", "world"]

FLEET = 4

Hire = Callable[..., Awaitable[World]]


@pytest.fixture
async def hire(world: World, settle: Settle) -> AsyncIterator[Hire]:
    """Starts another worker, which shares what processes share: the record, the calendars, and nothing else.

    Its configuration is that of `world`, or has other tables laid over it.
    """
    async with AsyncExitStack() as stack:

        async def start(**tables: Any) -> World:
            settings = world.settings
            if tables:
                secrets = calendar_secrets(world.sandbox)
                settings = settle(secrets=secrets, **{**calendar_tables(world.sandbox), **tables})
            outgoing = await stack.enter_async_context(Outgoing(settings.network))
            directory = Directory(settings, outgoing, Accounts(world.store))
            sync = Sync(world.store, settings, directory, worker="another", clock=world.clock)
            stack.push_async_callback(sync.aclose)
            return World(settings, world.store, world.sandbox, sync, world.clock)

        yield start


@pytest.fixture
async def fleet(hire: Hire) -> list[World]:
    """Workers of one fleet."""
    return [await hire() for _ in range(FLEET)]
