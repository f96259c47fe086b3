"""Writes one part into its calendars: claim, route, upsert each, settle.

The desired state is read after the lease is held, so a burst of revisions becomes one write. Whatever
ends this in between (a crash, a deploy, a lost Redis) leaves an open write behind, and the reconciler has
it done again.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from functools import partial

import structlog
from redis.exceptions import RedisError

from admin.metrics import WRITES
from bookings import state
from bookings.errors import LeaseLost
from bookings.identity import write_id, write_key
from bookings.record import Attempt, Intent, Part, Write, WriteState
from bookings.store import Claim, Store, now_ms
from config.settings import Settings
from workers.backoff import Policy, decide
from workers.calendars.directory import Directory
from workers.errors import CalendarError, ErrorClass
from workers.event import Event, InvalidPart, read_event
from workers.routing import route
from workers.upsert import Effect, Known, Outcome, Upsert

_log = structlog.get_logger()


class Sync:
    """Syncs parts. One for each worker process.

    Args:
        store: the record.
        settings: the configuration.
        directory: the calendars.
        worker: the name of this process, kept with each failed attempt.
        clock: gives Unix milliseconds.
        jitter: gives random numbers from 0 to 1.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        directory: Directory,
        *,
        worker: str,
        clock: Callable[[], int] = now_ms,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.store = store
        self.settings = settings
        self.directory = directory
        self.worker = worker
        self.clock = clock
        self.jitter = jitter
        self.policy = Policy(
            base=settings.worker.retry_base,
            cap=settings.worker.retry_cap,
            retry_for=settings.worker.retry_for,
        )

    async def part(self, bid: str, pid: str, job: str) -> None:
        """Does what there is to do for one part. Raises `redis.RedisError` and `OSError`."""
        lease_s = self.settings.worker.lease
        claim = await self.store.claim(bid, pid, holder=uuid.uuid4().hex, lease_s=lease_s, job=job)
        if claim is None:
            return
        log = _log.bind(booking=bid, part=pid)
        try:
            while claim is not None:
                claim = await self._revision(claim, log.bind(revision=claim.revision))
        except LeaseLost:
            log.warning("lease_lost")

    async def _revision(self, claim: Claim, log: structlog.typing.FilteringBoundLogger) -> Claim | None:
        """Brings one revision into the calendars; gives the next one where it came in meanwhile."""
        worker = self.settings.worker
        part = _PartUnderWay(self, claim, log)
        async with self._kept(claim):
            await part.write()
        return await self.store.settle(
            claim,
            part.writes,
            ends_at=part.ends_at,
            lease_s=worker.lease,
            keep_s=worker.keep_bookings,
            keep_at_least_s=self.settings.receiver.redelivery_window,
        )

    @asynccontextmanager
    async def _kept(self, claim: Claim) -> AsyncIterator[None]:
        """Keeps the lease while the provider takes its time; ends what is done under it when it is lost."""
        lease_s = self.settings.worker.lease
        owner = asyncio.current_task()
        lost = False

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(lease_s / 3)
                try:
                    await self.store.journal(claim, None, lease_s=lease_s)
                except LeaseLost:
                    lost = True
                    assert owner is not None  # a coroutine under way has a task
                    owner.cancel()
                    return
                except (RedisError, OSError) as error:
                    _log.warning("lease_not_renewed", error=type(error).__name__)

        renewal = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if lost and owner is not None and owner.uncancel() == 0:
                raise LeaseLost from None
            raise
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)


class _PartUnderWay:
    """One revision of one part, while it is being written."""

    def __init__(self, sync: Sync, claim: Claim, log: structlog.typing.FilteringBoundLogger) -> None:
        self.sync = sync
        self.claim = claim
        self.log = log
        self.writes = claim.writes
        self.ends_at = self.sync.clock()

    async def write(self) -> None:
        """Attempts every write that is due, all at once; failures end up in the writes."""
        claim, settings = self.claim, self.sync.settings
        targets = await self._targets()
        self.writes = state.revised(self.writes, targets, revision=claim.revision, now=self.sync.clock())
        app = settings.app(claim.app)
        try:
            event = _event(claim.desired, app.default_zone if app else "Etc/UTC")
        except InvalidPart as invalid:
            for write in state.due(self.writes, self.sync.clock()):
                self._fail(write, CalendarError(ErrorClass.PERMANENT, "invalid_part"), detail=str(invalid))
            return
        self.ends_at = _ends_at(event)
        results = await asyncio.gather(
            *(self._attempt(write, event) for write in state.due(self.writes, self.sync.clock())),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _targets(self) -> list[state.Target]:
        claim, settings = self.claim, self.sync.settings
        link = await self.sync.store.link_calendars(claim.link) if claim.link else None
        names = route(claim.app, claim.desired, settings.routes, link=link)
        targets = []
        for name in names:
            calendar = settings.calendar(name)
            if calendar is None:
                self.log.error("link_names_unknown_calendar", calendar=name)
                continue
            address = settings.address(calendar)
            targets.append(state.Target(write_id(address), name, address))
        if not targets:
            self.log.warning("part_unrouted")
        return targets

    async def _attempt(self, write: Write, event: Event) -> None:
        claim = self.claim
        assert write.address is not None  # only the unrouted write has none, and it is never due
        upsert = Upsert(
            self.sync.directory.calendar(write.calendar),
            event,
            revision=claim.revision,
            known=Known(
                event_id=write.event_id,
                etag=write.etag,
                generation=write.generation,
                written_revision=write.written_revision,
                online=write.online,
                intent=write.intent,
            ),
            key=partial(write_key, claim.app, claim.event_id, claim.desired.sequence_text, write.address),
            journal=partial(self._journal, write.id),
            now_ms=self.sync.clock,
        )
        try:
            outcome = await upsert.run()
        except CalendarError as error:
            self._fail(self._current(write.id), error, detail=error.code)
        except (LeaseLost, RedisError):
            raise
        except Exception as error:
            self.log.exception("write_crashed", write=write.id)
            crash = CalendarError(ErrorClass.TRANSIENT, f"unexpected {type(error).__name__}", unknown=True)
            self._fail(self._current(write.id), crash, detail="a defect of ours; the log has the traceback")
        else:
            self._succeed(self._current(write.id), outcome)

    def _current(self, wid: str) -> Write:
        return next(write for write in self.writes if write.id == wid)

    def _replace(self, changed: Write) -> None:
        self.writes = tuple(changed if write.id == changed.id else write for write in self.writes)

    async def _journal(self, wid: str, intent: Intent) -> None:
        """Writes an intent down. Raises `LeaseLost`: nothing may be sent then."""
        self._replace(state.intended(self._current(wid), intent, now=self.sync.clock()))
        await self.sync.store.journal(self.claim, self.writes, lease_s=self.sync.settings.worker.lease)

    def _succeed(self, write: Write, outcome: Outcome) -> None:
        provider = write.address.provider if write.address else ""
        WRITES.labels(provider, outcome.effect).inc()
        self.log.info("write_done", write=write.id, calendar=write.calendar, outcome=str(outcome.effect))
        match outcome.effect:
            case Effect.SUPERSEDED:
                self._replace(state.superseded(write, now=self.sync.clock()))
            case Effect.DELETED_BY_PERSON:
                self._replace(state.left_deleted(write, now=self.sync.clock()))
            case _:
                found = outcome.found
                assert found is not None  # there is an event where none was removed
                self._replace(
                    state.written(
                        write,
                        revision=self.claim.revision,
                        generation=outcome.generation,
                        event_id=found.event_id,
                        etag=found.etag,
                        digest=outcome.digest,
                        online=found.online,
                        url=found.url,
                        degraded=outcome.degraded,
                        now=self.sync.clock(),
                    )
                )

    def _fail(self, write: Write, error: CalendarError, *, detail: str) -> None:
        now = self.sync.clock()
        decision = decide(
            error,
            tries=len(write.attempts) + 1,
            failing_for_s=(now - (write.failing_since or now)) / 1000,
            policy=self.sync.policy,
            jitter=self.sync.jitter(),
        )
        attempt = Attempt(
            at=now,
            error_class=error.error_class,
            code=error.code,
            request_id=error.request_id,
            worker=self.sync.worker,
            revision=self.claim.revision,
        )
        changed = state.failed(
            write,
            attempt,
            due_at=None if decision.wait_s is None else now + int(decision.wait_s * 1000),
            parked=decision.parked,
            detail=detail,
            now=now,
        )
        self._replace(changed)
        WRITES.labels(write.address.provider if write.address else "", changed.state).inc()
        level = self.log.error if changed.state is WriteState.DEAD else self.log.warning
        level(
            "write_failed",
            write=write.id,
            calendar=write.calendar,
            state=str(changed.state),
            error_class=str(error.error_class),
            code=error.code,
            request_id=error.request_id,
            wait_s=decision.wait_s,
        )


def _event(part: Part, default_zone: str) -> Event:
    """Reads what the part holds. Raises `InvalidPart`."""
    return read_event(
        bytes(part.event),
        start=bytes(part.start) or None,
        end=bytes(part.end) or None,
        outer_zone=part.zone,
        default_zone=default_zone,
    )


def _ends_at(event: Event) -> int:
    """When the part is over at the latest, whatever the zone, in Unix milliseconds."""
    end = event.end
    days = end.toordinal() - date(1970, 1, 1).toordinal() + 1
    return days * 86_400_000
