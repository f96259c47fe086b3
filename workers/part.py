"""One revision of one part on its way into its calendars: route, upsert each, remove what is left over."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog
from redis.exceptions import RedisError

from bookings import part_writes, state
from bookings.errors import LeaseLost, SealError
from bookings.identity import write_id, write_key
from bookings.leases import Claim
from bookings.patience import in_time
from bookings.record import Attempt, Intent, Write, WriteState
from workers.backoff import decide
from workers.calendars.port import Calendar
from workers.errors import AccountWaits, CalendarError, ErrorClass
from workers.event import Event, InvalidPart, read_part
from workers.means import Means
from workers.metrics import ALARMS, THROTTLED, WRITES, Alarm
from workers.outcome import Effect, Known, Outcome
from workers.routing import route
from workers.trail import write_trail
from workers.upsert import Upsert, remove

_REQUESTS_AN_ATTEMPT = 8
"""An attempt that takes longer than so many requests may is given up; whatever it did is looked up later."""
_SPREAD_MS = 2000
"""Over how long the writes that wait for one account are spread when its time comes."""


class PartUnderWay:
    """One revision of one part, while it is being written.

    `writes` are what is to be stored of it, and `ends_at` is when the part is over, in Unix milliseconds.
    """

    def __init__(self, means: Means, claim: Claim, log: structlog.typing.FilteringBoundLogger) -> None:
        self.means = means
        self.claim = claim
        self.log = log
        self.writes = claim.writes
        self.ends_at = means.clock()

    async def write(self) -> None:
        """Attempts every write that is due, all at once; failures end up in the writes."""
        claim, now = self.claim, self.means.clock()
        if claim.gone:
            self.writes = part_writes.withdrawn(self.writes, revision=claim.revision, now=now)
        else:
            targets = await self._targets()
            self.writes = part_writes.revised(self.writes, targets, revision=claim.revision, now=now)
        self.writes = part_writes.asked(self.writes, claim.asks, now=now)
        await self._bring()
        if part_writes.is_everywhere(self.writes):
            removable = part_writes.removable(self.writes, self.means.clock())
            await self.all([self._remove(write) for write in removable])

    async def _bring(self) -> None:
        """Brings the part into the calendars that it goes to."""
        app = self.means.settings.app(self.claim.app)
        due = part_writes.due(self.writes, self.means.clock())
        try:
            event = read_part(self.claim.desired, app.default_zone if app else "Etc/UTC")
        except InvalidPart as invalid:
            for write in due:
                self._fail(write, CalendarError(ErrorClass.PERMANENT, "invalid_part"), detail=str(invalid))
            return
        self.ends_at = event.over_at
        await self.all([self._attempt(write, event) for write in due])

    async def all(self, attempts: Sequence[Coroutine[None, None, None]]) -> None:
        """Lets every attempt come to its end, then raises what one of them raised."""
        if len(attempts) == 1:  # as nearly always; it needs no task of its own
            await attempts[0]
            return
        results = await asyncio.gather(*attempts, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _targets(self) -> list[part_writes.Target]:
        claim, settings = self.claim, self.means.settings
        link = await self.means.store.link(claim.link) if claim.link else None
        names = route(claim.app, claim.desired, settings.routes, link=link.targets if link else None)
        targets = []
        for name in names:
            calendar = settings.calendar(name)
            if calendar is None:
                self.log.error("link_names_unknown_calendar", calendar=name)
                continue
            address = settings.address(calendar)
            targets.append(part_writes.Target(write_id(address), name, address))
        if not targets:
            self.log.warning("part_unrouted")
        return targets

    async def _attempt(self, write: Write, event: Event) -> None:
        """Brings the part into one calendar."""
        known = Known(
            event_id=write.event_id,
            etag=write.etag,
            generation=write.generation,
            written_revision=write.written_revision,
            online=write.online,
            repair=write.repair,
            intent=write.intent,
        )
        async with self.attempted(write):
            upsert = Upsert(
                self._calendar(write),
                event,
                revision=self.claim.revision,
                known=known,
                key=partial(self._key, write),
                journal=partial(self._journal, write.id),
                now_ms=self.means.clock,
            )
            limit_s = _REQUESTS_AN_ATTEMPT * self.means.settings.worker.request_timeout
            self._succeed(write.id, await in_time(upsert.run(), within_s=limit_s))

    async def _remove(self, write: Write) -> None:
        """Takes the part out of a calendar that it no longer goes to."""
        async with self.attempted(write):
            calendar = self._calendar(write)
            await self._journal(
                write.id,
                Intent(
                    operation="delete",
                    revision=self.claim.revision,
                    generation=write.generation,
                    at=self.means.clock(),
                ),
            )
            await remove(calendar, self._key(write, write.generation), write.event_id, self.claim.revision)
            current = self._current(write.id)
            self.replace(state.removed(current, gone=self.claim.gone, now=self.means.clock()))
            self.count(write, "removed")
            self.log.info("write_done", write=write.id, calendar=write.calendar, outcome="removed")

    def _calendar(self, write: Write) -> Calendar:
        assert write.address is not None  # only the unrouted write has none, and nothing is done for it
        return self.means.directory.calendar_at(write.address)

    def _key(self, write: Write, generation: int) -> str:
        assert write.address is not None
        claim = self.claim
        return write_key(claim.app, claim.event_id, claim.desired.sequence_text, write.address, generation)

    @asynccontextmanager
    async def attempted(self, write: Write) -> AsyncIterator[None]:
        """One attempt at a write, as the log and the trace tell of it."""
        configured = self.means.settings.calendar(write.calendar)
        with write_trail(write, configured.account if configured else "") as attempt:
            async with self._failures_of(write):
                yield
            after = self._current(write.id)
            attempt.note({"sequence_sync.state": str(after.state)})
            if after.reason:
                attempt.fail(after.reason)

    @asynccontextmanager
    async def _failures_of(self, write: Write) -> AsyncIterator[None]:
        """Makes what goes wrong with a write its own failure; trouble with the record is everybody's."""
        try:
            yield
        except AccountWaits as waits:
            if waits.busy:
                self.put_off(write, due_at=waits.until, parked=False, reason=waits.code)
            else:
                await self._wait(write, until=waits.until, parked=waits.parked, reason=waits.code)
        except CalendarError as error:
            self._fail(self._current(write.id), error, detail=error.code)
            if error.error_class in (ErrorClass.THROTTLED, ErrorClass.AUTH):
                await self._close(write, error)
        except (LeaseLost, RedisError, SealError):
            raise
        except TimeoutError:
            too_long = CalendarError(ErrorClass.TRANSIENT, "attempt_too_long", unknown=True)
            self._fail(self._current(write.id), too_long, detail=too_long.code)
        except Exception as error:
            ALARMS.labels(Alarm.WRITE_CRASHED).inc()
            self.log.exception(Alarm.WRITE_CRASHED)
            crash = CalendarError(ErrorClass.TRANSIENT, f"unexpected {type(error).__name__}", unknown=True)
            self._fail(self._current(write.id), crash, detail="a defect of ours; the log has the traceback")

    async def _close(self, write: Write, error: CalendarError) -> None:
        """Makes everything else of the account wait, too, and this write for as long."""
        if write.address is not None and error.error_class is ErrorClass.THROTTLED:
            THROTTLED.labels(write.address.provider).inc()
        until = await self._calendar(write).lane.close(error)
        parked = error.error_class is ErrorClass.AUTH
        self.log.warning(
            "account_waits", calendar=write.calendar, parked=parked, code=error.code, until=until
        )
        if self._current(write.id).state is not WriteState.DEAD:
            await self._wait(write, until=until, parked=parked, reason=error.code)

    async def _wait(self, write: Write, *, until: int, parked: bool, reason: str) -> None:
        """Has a write wait for its account, which has it queued again should it work before."""
        due_at = until + int(_SPREAD_MS * self.means.jitter())
        self.put_off(write, due_at=due_at, parked=parked, reason=reason)
        await self._calendar(write).lane.wait_for(self.claim.booking, self.claim.part, due_at)

    def put_off(self, write: Write, *, due_at: int, parked: bool, reason: str) -> None:
        """Has a write wait without an attempt, until `due_at` (Unix ms)."""
        current, now = self._current(write.id), self.means.clock()
        self.replace(state.waiting(current, due_at=due_at, parked=parked, reason=reason, now=now))

    def _current(self, wid: str) -> Write:
        return next(write for write in self.writes if write.id == wid)

    def replace(self, changed: Write) -> None:
        """Notes what became of a write."""
        self.writes = tuple(changed if write.id == changed.id else write for write in self.writes)

    async def _journal(self, wid: str, intent: Intent) -> None:
        """Writes an intent down. Raises `LeaseLost`: nothing may be sent then."""
        self.replace(state.intended(self._current(wid), intent, now=self.means.clock()))
        await self.means.store.journal(self.claim, self.writes, lease_s=self.means.settings.worker.lease)

    def count(self, write: Write, outcome: str) -> None:
        """Counts what became of a write."""
        WRITES.labels(write.address.provider if write.address else "", outcome).inc()

    def _succeed(self, wid: str, outcome: Outcome) -> None:
        write = self._current(wid)
        self.count(write, outcome.effect)
        self.log.info("write_done", write=write.id, calendar=write.calendar, outcome=str(outcome.effect))
        found = outcome.found
        match outcome.effect:
            case Effect.DELETED_BY_PERSON:
                self.replace(state.left_deleted(write, now=self.means.clock()))
            case Effect.SUPERSEDED:
                assert found is not None  # it holds the newer revision
                self.replace(
                    state.superseded(
                        write,
                        generation=outcome.generation,
                        event_id=found.event_id,
                        etag=found.etag,
                        now=self.means.clock(),
                    )
                )
            case _:
                assert found is not None  # there is an event where none was removed
                self.replace(
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
                        now=self.means.clock(),
                    )
                )

    def _fail(self, write: Write, error: CalendarError, *, detail: str) -> None:
        now = self.means.clock()
        decision = decide(
            error,
            tries=write.tries + 1,
            failing_for_s=(now - (write.failing_since or now)) / 1000,
            policy=self.means.policy,
            jitter=self.means.jitter(),
        )
        attempt = Attempt(
            at=now,
            error_class=error.error_class,
            code=error.code,
            request_id=error.request_id,
            worker=self.means.worker,
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
        self.replace(changed)
        self.count(write, changed.state)
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
