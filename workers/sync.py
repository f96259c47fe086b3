"""Writes one part into its calendars: claim, route, upsert each, settle.

The desired state is read after the lease is held, so a burst of revisions becomes one write. Whatever
ends this in between (a crash, a deploy, a lost Redis) leaves an open write behind, and the reconciler has
it done again.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from redis.exceptions import RedisError

from bookings.clock import now_ms
from bookings.errors import LeaseLost, SealError
from bookings.leases import Claim
from bookings.refusals import named
from bookings.store import Store
from config.settings import Settings
from workers.backoff import Policy
from workers.calendars.directory import Directory
from workers.endpoints import Endpoints
from workers.forward import ForwardUnderWay
from workers.means import Means
from workers.metrics import ALARMS, Alarm
from workers.part import PartUnderWay
from workers.places import Places
from workers.trail import part_trail
from workers.under_way import UnderWay

_OF_ONE_ENDPOINT = 10
"""One in so many places of a worker may be taken by what is passed on to one address."""

_log = structlog.get_logger()


class Sync:
    """Syncs parts; one for each worker process. What it takes is described at `Means`."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        directory: Directory,
        *,
        worker: str,
        clock: Callable[[], int] = now_ms,
        jitter: Callable[[], float] = random.random,
        places: Places | None = None,
    ) -> None:
        limits = settings.worker
        policy = Policy(base=limits.retry_base, cap=limits.retry_cap, retry_for=limits.retry_for)
        self.store = store
        self.settings = settings
        self._renewals: set[asyncio.Task[None]] = set()
        self.endpoints = Endpoints(
            directory.outgoing,
            timeout_s=limits.request_timeout,
            at_a_time=max(1, limits.concurrency // _OF_ONE_ENDPOINT),
        )
        self.places = places or Places(limits.concurrency)
        self._means = Means(
            store, settings, directory, self.endpoints, worker, policy, clock, jitter, self.places
        )
        self._retired = False

    def retire(self) -> None:
        """Takes up nothing new: a revision that comes in from now on is for another sync to write."""
        self._retired = True

    async def aclose(self) -> None:
        """Closes its connections, once no part is under way."""
        await self.endpoints.aclose()
        self._means.directory.close()

    async def part(self, bid: str, pid: str) -> None:
        """Does what there is to do for one part. Raises `redis.RedisError` and `OSError`."""
        log = _log.bind(booking=bid, part=pid)
        lease_s = self.settings.worker.lease
        try:
            claim = await self.store.claim(bid, pid, holder=uuid.uuid4().hex, lease_s=lease_s)
            ahead_ms = 0 if claim is None else claim.at - self._means.clock()
            while claim is not None:
                if self._retired:
                    await self._give_back(claim)
                    return
                log = log.bind(delivery=claim.delivery)
                with part_trail(claim):
                    claim = await self._revision(claim, ahead_ms, log.bind(revision=claim.revision))
        except SealError as error:  # it waits, open, until somebody gives the key
            ALARMS.labels(Alarm.KEY_MISSING).inc()
            log.warning(Alarm.KEY_MISSING, problem=str(error))
        except LeaseLost:
            ALARMS.labels(Alarm.LEASE_LOST).inc()
            log.warning(Alarm.LEASE_LOST)
        finally:
            self.places.leave((bid, pid))

    async def _revision(
        self, claim: Claim, ahead_ms: int, log: structlog.typing.FilteringBoundLogger
    ) -> Claim | None:
        """Brings one revision into the calendars; gives the next one where it came in meanwhile."""
        under_way = PartUnderWay if claim.desired.forward is None else ForwardUnderWay
        part = under_way(self._means, claim, log)
        try:
            async with self._kept(claim):
                await part.write()
        except asyncio.CancelledError:
            await self._give_back(claim)
            raise
        return await self._settled(part, ahead_ms)

    async def _settled(self, part: UnderWay, ahead_ms: int) -> Claim | None:
        """Writes down what was done; told to stop meanwhile, it does so first.

        `ahead_ms` is how far Redis' clock, by which things are due, is ahead of ours.
        """
        worker = self.settings.worker
        settling = asyncio.ensure_future(
            self.store.settle(
                part.claim,
                part.writes,
                ends_at=part.ends_at,
                lease_s=worker.lease,
                keep_s=worker.keep_bookings if part.claim.desired.forward is None else 0,
                keep_at_least_s=self.settings.receiver.redelivery_window,
                stands=part.stands(ahead_ms),
                ahead_ms=ahead_ms,
            )
        )
        try:
            return await asyncio.shield(settling)
        except asyncio.CancelledError:
            await asyncio.wait((settling,))
            if settling.exception() is None and (newer := settling.result()) is not None:
                await self._give_back(newer)
            raise

    async def _give_back(self, claim: Claim) -> None:
        with suppress(RedisError, OSError):  # then it has to run out
            await self.store.release(claim)

    @asynccontextmanager
    async def _kept(self, claim: Claim) -> AsyncIterator[None]:
        """Keeps the lease while the provider takes its time; ends what is done under it when it is lost."""
        lease_s = self.settings.worker.lease
        owner = asyncio.current_task()
        assert owner is not None
        done = lost = False
        timer: asyncio.TimerHandle

        def renew_later() -> asyncio.TimerHandle:
            return asyncio.get_running_loop().call_later(lease_s / 3, begin)

        def begin() -> None:
            renewal = asyncio.create_task(renew())
            self._renewals.add(renewal)
            renewal.add_done_callback(self._renewals.discard)

        async def renew() -> None:
            nonlocal lost, timer
            kept = await self._renewed(claim)
            if done:
                return
            if kept:
                timer = renew_later()
            else:
                lost = True
                owner.cancel()

        timer = renew_later()
        try:
            yield
        except asyncio.CancelledError:
            if lost and owner.uncancel() == 0:
                raise LeaseLost from None
            raise
        finally:
            done = True  # a renewal under way is the last
            timer.cancel()

    async def _renewed(self, claim: Claim) -> bool:
        """Makes a lease last longer; False where it is lost. Redis may be in trouble for a while."""
        try:
            await self.store.journal(claim, None, lease_s=self.settings.worker.lease)
        except LeaseLost:
            return False
        except (RedisError, OSError) as error:
            _log.warning("lease_not_renewed", error=named(error))
        return True
