"""A revision of a part while its writes are attempted, and what becomes of each of them."""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog
from redis.exceptions import RedisError

from bookings import part_writes, state
from bookings.errors import LeaseLost, SealError
from bookings.leases import Claim
from bookings.lines import NOWHERE, Line, Stands
from bookings.record import UNROUTED, Attempt, Write, WriteState
from workers.backoff import decide
from workers.calendars.lane import Lane
from workers.calendars.port import Calendar
from workers.errors import AccountWaits, CalendarError, ErrorClass
from workers.giving_up import waited_too_long, what_was_waited_for
from workers.means import Means
from workers.metrics import ALARMS, FAILURES, THROTTLED, WRITES, Alarm
from workers.trail import write_trail


class UnderWay(ABC):
    """One revision of one part, while its writes are attempted.

    `writes` are what is to be stored of it, and `ends_at` is when the part is over, in Unix milliseconds.
    """

    def __init__(self, means: Means, claim: Claim, log: structlog.typing.FilteringBoundLogger) -> None:
        self.means = means
        self.claim = claim
        self.log = log
        self.writes = claim.writes
        self.ends_at = means.clock()
        self._routed = True
        self._lines: dict[str, Line] = {}

    @abstractmethod
    async def write(self) -> None:
        """Attempts every write that is due; failures end up in the writes."""

    def route(
        self, targets: Sequence[part_writes.Target], missing: str, *, now: int, reason: str = UNROUTED
    ) -> None:
        """Brings the writes to the claim's revision, for these targets, and does what operators asked for.

        What is `missing`, in words, is waited for: until it is looked for again, or a worker reads another
        configuration.
        """
        again_at = now + int(state.UNROUTED_AGAIN_S * 1000 * (0.5 + self.means.jitter() / 2))
        self._routed = bool(targets)
        self.writes = part_writes.revised(
            self.writes,
            targets,
            missing=missing,
            reason=reason,
            revision=self.claim.revision,
            now=now,
            again_at=again_at,
        )
        self.writes = part_writes.asked(
            self.writes, self.claim.asks, now=now, routed=self._routed, again_at=again_at
        )
        if missing:
            self.log.warning("part_unrouted", missing=missing, reason=reason)

    def due(self, now: int) -> list[Write]:
        """The writes to be attempted now; none where the part is not routed anywhere."""
        return part_writes.due(self.writes, now) if self._routed else []

    async def all(self, attempts: Sequence[Coroutine[None, None, None]]) -> None:
        """Lets every attempt come to its end, then raises what one of them raised."""
        if len(attempts) == 1:  # as nearly always; it needs no task of its own
            await attempts[0]
            return
        results = await asyncio.gather(*attempts, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    @asynccontextmanager
    async def attempted(self, write: Write) -> AsyncIterator[None]:
        """One attempt at a write, as the log and the trace tell of it."""
        with write_trail(write, self._account_of(write)) as attempt:
            async with self._failures_of(write):
                yield
            after = self.current(write.id)
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
                self._stand_in_line(write)
            else:
                await self._wait(write, waits, until=waits.until)
        except CalendarError as error:
            self.fail(self.current(write.id), error, detail=error.detail)
            if error.error_class in (ErrorClass.THROTTLED, ErrorClass.AUTH):
                await self._close(write, error)
        except (LeaseLost, RedisError, SealError):
            raise
        except TimeoutError:
            too_long = CalendarError(ErrorClass.TRANSIENT, "attempt_too_long", unknown=True)
            self.fail(self.current(write.id), too_long, detail=too_long.code)
        except Exception as error:
            ALARMS.labels(Alarm.WRITE_CRASHED).inc()
            self.log.exception(Alarm.WRITE_CRASHED)
            crash = CalendarError(ErrorClass.TRANSIENT, f"unexpected {type(error).__name__}", unknown=True)
            self.fail(self.current(write.id), crash, detail="a defect of ours; the log has the traceback")

    async def _close(self, write: Write, error: CalendarError) -> None:
        """Makes everything else of the account wait, too, and this write for as long."""
        if write.address is not None and error.error_class is ErrorClass.THROTTLED:
            THROTTLED.labels(write.address.provider).inc()
        until = await self.calendar(write).lane.close(error)
        parked = error.error_class is ErrorClass.AUTH
        self.log.warning(
            "account_waits", calendar=write.calendar, parked=parked, code=error.code, until=until
        )
        if self.current(write.id).state is not WriteState.DEAD:
            await self._wait(write, error, until=until)

    async def _wait(self, write: Write, error: CalendarError, *, until: int) -> None:
        """Has a write wait for its account, which has it queued again should it work before.

        One that has waited for all of `worker.retry_for` is a dead letter.
        """
        current, now = self.current(write.id), self.means.clock()
        if waited_too_long(current, now, self.means.policy):
            detail = what_was_waited_for(current, error, self._account_of(write))
            self.replace(state.given_up(current, reason=error.error_class, detail=detail, now=now))
            self.count(write, WriteState.DEAD)
            self.log.error("write_given_up", write=write.id, calendar=write.calendar, code=error.code)
            return
        parked = error.error_class is ErrorClass.AUTH
        self.replace(state.waiting(current, due_at=until, parked=parked, reason=error.code, now=now))
        lane = self.calendar(write).lane
        self._lines[write.id] = Line(lane.name, lane.most, until)

    def in_turn(self, writes: Sequence[Write]) -> list[Write]:
        """Those of the writes whose lanes have a place for the part; the others stand in line."""
        place, going = (self.claim.booking, self.claim.part), []
        for write in writes:
            lane = self._lane_of(write)
            if lane is None or self.means.places.enter(place, lane.name, lane.most):
                going.append(write)
            else:
                self._stand_in_line(write)
        if going:
            self.means.places.begun(place)
        return going

    def _stand_in_line(self, write: Write) -> None:
        """Has a write wait for its turn in its lane: nothing has failed."""
        self.put_off(write, due_at=self.means.clock(), reason="busy")
        lane = self.calendar(write).lane
        self._lines[write.id] = Line(lane.name, lane.most, 0)

    def stands(self, ahead_ms: int) -> Stands:
        """Where the writes that are not at their end wait: each for its lane, and at the lane's pace.

        `ahead_ms` is how far Redis' clock is ahead of ours.
        """
        now, lines = self.means.clock(), {}
        retry_for_ms, give_up_at = int(self.means.policy.retry_for * 1000), sys.maxsize
        for write in part_writes.unsettled(self.writes):
            line = self._lines.get(write.id)
            if line is None and write.due_at and (lane := self._lane_of(write)) is not None:
                line = Line(lane.name, lane.most, write.due_at + ahead_ms, queued=True)
            if line is not None:
                at = line.at or now + ahead_ms
                lines[write.id] = msgspec.structs.replace(line, at=at)
                give_up_at = min(give_up_at, (write.failing_since or now) + retry_for_ms + ahead_ms)
        return Stands(lines, self.ends_at, give_up_at) if lines else NOWHERE

    def _lane_of(self, write: Write) -> Lane | None:
        """The lane of a write's calendar; None where the configuration has none, or it has no limits."""
        if write.address is None or write.address.provider == "forward":
            return None
        try:
            lane = self.calendar(write).lane
        except Exception:  # noqa: BLE001 - the attempt will fail by it, and tell
            return None
        return lane if isinstance(lane, Lane) else None

    def put_off(self, write: Write, *, due_at: int, reason: str) -> None:
        """Has a write wait until `due_at` (Unix ms): nothing has failed."""
        current, now = self.current(write.id), self.means.clock()
        waits = state.waiting(current, due_at=due_at, parked=False, reason=reason, now=now, busy=True)
        self.replace(waits)

    def calendar(self, write: Write) -> Calendar:
        """The calendar that a write goes to."""
        assert write.address is not None  # only the unrouted write has none, and nothing is done for it
        return self.means.directory.calendar_at(write.address)

    def _account_of(self, write: Write) -> str:
        configured = self.means.settings.calendar(write.calendar)
        return configured.account if configured else ""

    def current(self, wid: str) -> Write:
        """A write as it is by now."""
        return next(write for write in self.writes if write.id == wid)

    def replace(self, changed: Write) -> None:
        """Notes what became of a write."""
        self.writes = tuple(changed if write.id == changed.id else write for write in self.writes)

    def count(self, write: Write, outcome: str) -> None:
        """Counts what became of a write."""
        WRITES.labels(write.address.provider if write.address else "", outcome).inc()

    def fail(self, write: Write, error: CalendarError, *, detail: str) -> None:
        """Notes that an attempt failed, and decides whether and when there is another."""
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
        if decision.wait_s is None and error.error_class in (ErrorClass.PARK, ErrorClass.AUTH):
            detail = what_was_waited_for(write, error, self._account_of(write))
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
        FAILURES.labels(write.address.provider if write.address else "", error.error_class).inc()
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
