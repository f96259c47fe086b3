"""One revision of one part on its way into its calendars: route, upsert each, remove what is left over."""

from functools import partial

import structlog

from bookings import part_writes, state
from bookings.destination import destination
from bookings.identity import write_id, write_key
from bookings.leases import Claim
from bookings.patience import in_time
from bookings.record import Intent, Write
from config.settings import CalendarAddress
from workers.calendars.port import Calendar, Found
from workers.errors import CalendarError, ErrorClass
from workers.event import Event, InvalidPart, read_part
from workers.means import Means
from workers.metrics import ALARMS, Alarm
from workers.outcome import Effect, Known, Outcome
from workers.own_events import remove
from workers.under_way import UnderWay
from workers.upsert import Upsert

_REQUESTS_AN_ATTEMPT = 8
"""An attempt that takes longer than so many requests may is given up; whatever it did is looked up later."""


class PartUnderWay(UnderWay):
    """One revision of one part, while it is brought into the calendars that it goes to."""

    def __init__(self, means: Means, claim: Claim, log: structlog.typing.FilteringBoundLogger) -> None:
        super().__init__(means, claim, log)
        self._uncertain: set[str] = set()

    async def write(self) -> None:
        """Attempts every write that is due, all at once."""
        claim, now = self.claim, self.means.clock()
        if claim.gone:
            self.writes = part_writes.withdrawn(self.writes, revision=claim.revision, now=now)
            self.writes = part_writes.asked(self.writes, claim.asks, now=now)
        else:
            targets, missing, reason = await self._targets()
            self.route(targets, missing, now=now, reason=reason)
        await self._bring()
        if part_writes.is_everywhere(self.writes):
            removable = part_writes.removable(self.writes, self.means.clock())
            await self.all([self._remove(write) for write in self.in_turn(removable)])

    async def _bring(self) -> None:
        """Brings the part into the calendars that it goes to."""
        app = self.means.settings.app(self.claim.app)
        due = self.due(self.means.clock())
        try:
            event = read_part(self.claim.desired, app.default_zone if app else "Etc/UTC")
        except InvalidPart as invalid:
            for write in due:
                self.fail(write, CalendarError(ErrorClass.PERMANENT, "invalid_part"), detail=str(invalid))
            return
        self.ends_at = event.over_at
        await self.all([self._attempt(write, event) for write in self.in_turn(due)])

    async def _targets(self) -> tuple[list[part_writes.Target], str, str]:
        """The calendars that the part goes to, what is missing for that, and what that comes to."""
        claim, settings = self.claim, self.means.settings
        link = await self.means.store.link(claim.link) if claim.link else None
        calendars, missing, reason = destination(settings, claim.app, claim.desired, link)
        targets: dict[str, part_writes.Target] = {}
        for calendar in calendars:
            address = await self._identity(settings.address(calendar))
            targets.setdefault(
                write_id(address), part_writes.Target(write_id(address), calendar.name, address)
            )
        return list(targets.values()), missing, reason

    async def _identity(self, address: CalendarAddress) -> CalendarAddress:
        """The address under which this calendar stands in the record, or will: one for all its names.

        Where the provider does not tell now whether it has another one, the attempt asks again, and ends
        there.
        """
        directory = self.means.directory
        try:
            identity = await directory.identity(address)
            for write in self.writes:
                if write.address is not None and await directory.identity(write.address) == identity:
                    return write.address
        except CalendarError:
            self._uncertain.add(write_id(address))
            return address
        return identity

    async def _certain(self, write: Write) -> Calendar:
        """The calendar of a write, which is known not to stand in the record by another name. Raises
        `CalendarError`.
        """
        assert write.address is not None
        if self.means.settings.calendar_at(write.address) is None:
            await self.means.directory.know(write.address)  # it may be configured by its other name
        if write.id in self._uncertain:
            raise CalendarError(ErrorClass.TRANSIENT, "calendar_not_identified")
        return self.calendar(write)

    async def _attempt(self, write: Write, event: Event) -> None:
        """Brings the part into one calendar."""
        known = Known(
            event_id=write.event_id,
            etag=write.etag,
            generation=write.generation,
            written_revision=write.written_revision,
            written_at=write.written_at,
            uid=write.uid,
            online=write.online,
            fields=write.fields,
            repair=write.repair,
            intent=write.intent,
        )
        async with self.attempted(write):
            upsert = Upsert(
                await self._certain(write),
                event,
                revision=self.claim.revision,
                known=known,
                key=partial(self._key, write),
                journal=partial(self._journal, write.id),
                now_ms=self.means.clock,
            )
            limit_s = _REQUESTS_AN_ATTEMPT * self.means.settings.worker.request_timeout
            await self._succeed(write.id, await in_time(upsert.run(), within_s=limit_s))

    async def _remove(self, write: Write) -> None:
        """Takes the part out of a calendar that it no longer goes to."""
        async with self.attempted(write):
            calendar = await self._certain(write)
            await self._journal(
                write.id,
                Intent(
                    operation="delete",
                    revision=self.claim.revision,
                    generation=write.generation,
                    at=self.means.clock(),
                ),
            )
            key, now = self._key(write, write.generation), self.means.clock()
            left = await remove(calendar, write, key, revision=self.claim.revision, now=now)
            outcome = "removed" if left is None else str(Effect.SUPERSEDED)
            if left is None:
                current = self.current(write.id)
                self.replace(state.removed(current, gone=self.claim.gone, now=self.means.clock()))
            else:
                await self._superseded(write.id, left, write.generation)
            self.count(write, outcome)
            self.log.info("write_done", write=write.id, calendar=write.calendar, outcome=outcome)

    def _key(self, write: Write, generation: int) -> str:
        assert write.address is not None
        claim = self.claim
        return write_key(claim.app, claim.event_id, claim.desired.sequence_text, write.address, generation)

    async def _journal(self, wid: str, intent: Intent) -> None:
        """Writes an intent down. Raises `LeaseLost`: nothing may be sent then."""
        self.replace(state.intended(self.current(wid), intent, now=self.means.clock()))
        await self.means.store.journal(self.claim, self.writes, lease_s=self.means.settings.worker.lease)

    async def _superseded(self, wid: str, found: Found, generation: int) -> None:
        """Leaves an event that holds a newer revision; an alarm where the record knows of none so new."""
        store, lease_s = self.means.store, self.means.settings.worker.lease
        newest, write = await store.journal(self.claim, None, lease_s=lease_s), self.current(wid)
        behind = found.revision > max(newest, write.written_revision)
        if behind:
            await store.saw(found.revision)
            ALARMS.labels(Alarm.RECORD_BEHIND).inc()
            self.log.error(Alarm.RECORD_BEHIND, provider_id=found.event_id, found=found.revision)
        superseded = state.superseded(
            write,
            generation=generation,
            event_id=found.event_id,
            etag=found.etag,
            online=found.online,
            fields=found.fields,
            behind=behind,
            now=self.means.clock(),
        )
        self.replace(superseded)

    async def _succeed(self, wid: str, outcome: Outcome) -> None:
        write = self.current(wid)
        self.count(write, outcome.effect)
        self.log.info("write_done", write=write.id, calendar=write.calendar, outcome=str(outcome.effect))
        found = outcome.found
        match outcome.effect:
            case Effect.DELETED_BY_PERSON:
                self.replace(state.left_deleted(write, now=self.means.clock()))
            case Effect.SUPERSEDED:
                assert found is not None  # it holds the newer revision
                await self._superseded(wid, found, outcome.generation)
            case _:
                assert found is not None  # there is an event where none was removed
                self.replace(
                    state.written(
                        write,
                        revision=self.claim.revision,
                        generation=outcome.generation,
                        event_id=found.event_id,
                        etag=found.etag,
                        uid=found.uid or write.uid,
                        digest=outcome.digest,
                        online=found.online,
                        fields=found.fields,
                        url=found.url,
                        degraded=outcome.degraded,
                        now=self.means.clock(),
                    )
                )
