"""The sync of the configuration in force, and what feeds it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from redis.exceptions import RedisError

from admin.in_force import InForce
from bookings.accounts import Accounts
from bookings.clock import now_ms
from bookings.consents import Consents
from bookings.retry import look_for_routes
from bookings.store import Store
from config.errors import ConfigError
from config.settings import Settings
from network.outgoing import Outgoing
from workers.calendars.directory import Directory
from workers.places import Places
from workers.polling import polling_worker
from workers.sync import Sync


class CurrentSync:
    """Syncs parts by the configuration in force: a part is written to its end by the one it was begun with.

    `clock` gives Unix milliseconds, as near to Redis' as can be.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        outgoing: Outgoing,
        *,
        worker: str,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._outgoing = outgoing
        self._worker = worker
        self._clock = clock
        self._places = Places(settings.worker.concurrency)
        sync = self._made(settings)
        self._in_force = InForce(sync, sync.aclose)
        concurrency = settings.worker.concurrency
        self.poller = polling_worker(store, self, concurrency=concurrency, places=self._places)
        self._waking: set[asyncio.Task[None]] = set()
        self._wake_unrouted()

    async def part(self, bid: str, pid: str) -> None:
        """Does what there is to do for one part. Raises `redis.RedisError` and `OSError`."""
        with self._in_force.held() as sync:
            await sync.part(bid, pid)

    def follow(self, settings: Settings) -> None:
        """Goes by a configuration from now on."""
        sync = self._made(settings)
        self._store.follow(settings)
        self._in_force.now.retire()
        self._in_force.replace(sync, sync.aclose)
        self._wake_unrouted()

    async def aclose(self) -> None:
        """Closes its connections, once no part is under way."""
        for each in self._waking:
            each.cancel()
        await asyncio.gather(*self._waking, return_exceptions=True)
        await self._in_force.aclose()

    def _made(self, settings: Settings) -> Sync:
        store = self._store
        directory = Directory(settings, self._outgoing, Accounts(store), Consents(store))
        return Sync(store, settings, directory, worker=self._worker, clock=self._clock, places=self._places)

    def _wake_unrouted(self) -> None:
        """Has parts looked at now that wait for a route: this configuration may have it."""

        async def wake() -> None:
            with suppress(RedisError, OSError, ConfigError):  # then they are looked at within the minute
                await look_for_routes(self._store)

        waking = asyncio.create_task(wake())
        self._waking.add(waking)
        waking.add_done_callback(self._waking.discard)
