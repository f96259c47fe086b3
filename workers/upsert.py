"""Brings one part into one calendar, whatever became of earlier attempts: at most one event, newest wins.

The same few steps for every provider; what differs is behind `workers.calendars.port.Calendar`. Nothing here
trusts an answer that was not received: what is in doubt is looked up, and looked up by our own key. Nor is
"not there" believed of what we wrote a moment ago: reads lag behind writes, and a second event cannot be
taken back.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from bookings.record import CREATES, NO_JSON, TAKEN, Intent
from workers.calendars.differences import shortcomings
from workers.calendars.port import Calendar, Draft, Found
from workers.errors import CalendarError, ErrorClass, FormRefused, Taken
from workers.event import Event
from workers.metrics import ALARMS, Alarm
from workers.outcome import Effect, Known, Outcome
from workers.own_events import UNSEEN_MS, made_recurring, not_seen_yet, only_one, own_events

_MOST_STEPS = 12
_MOST_CONFLICTS = 3
_CONFERENCE_POLLS_S = (1.0, 2.0, 4.0)

_log = structlog.get_logger()


_UP_TO_DATE = (Effect.CREATED, Effect.UPDATED, Effect.UNCHANGED)


class _Form(msgspec.Struct, frozen=True):
    named_zone: bool = True
    conference: bool = True


class Upsert:
    """One attempt to bring `event` in revision `revision` into `calendar`.

    Args:
        calendar: where to.
        event: the part as booked.
        revision: the booking's revision, the fence at the provider.
        known: what the record says.
        key: gives our key for a generation.
        journal: writes an intent down before the provider is asked to change anything; it raises where
            the lease is lost, and then nothing is sent.
        now_ms: the clock.
    """

    def __init__(
        self,
        calendar: Calendar,
        event: Event,
        *,
        revision: int,
        known: Known,
        key: Callable[[int], str],
        journal: Callable[[Intent], Awaitable[None]],
        now_ms: Callable[[], int],
    ) -> None:
        self.calendar = calendar
        self.event = event
        self.revision = revision
        self.known = known
        self.generation = known.generation
        self._key = key
        self._journal = journal
        self._now_ms = now_ms
        self._form = _Form()
        self._drafted: tuple[tuple[int, _Form], Draft] | None = None
        self._conflicts = 0

    async def run(self) -> Outcome:
        """Raises `CalendarError` where the provider does not let us; what was tried is in the journal."""
        found = await self._first_look()
        for _ in range(_MOST_STEPS):
            step = await (self._create() if found is None else self._bring_up_to_date(found))
            if isinstance(step, Outcome):
                return await self._settled(step)
            found = step or await self._look()
        raise CalendarError(ErrorClass.TRANSIENT, "event_keeps_changing")

    def _draft(self) -> Draft:
        of = (self.generation, self._form)
        if self._drafted is None or self._drafted[0] != of:
            draft = self.calendar.draft(
                self.event,
                key=self._key(self.generation),
                revision=self.revision,
                named_zone=self._form.named_zone,
                conference=self._form.conference,
            )
            self._drafted = of, draft
        return self._drafted[1]

    # -- looking

    async def _first_look(self) -> Found | None:
        """The event as the record has it, without a request where the record is certain."""
        known = self.known
        if known.intent is not None or known.written_revision >= self.revision:
            return await self._look()
        if not known.event_id:
            return await self._look() if self.calendar.looks_before_create else None
        return Found(
            event_id=known.event_id,
            etag=known.etag,
            key=self._key(self.generation),
            revision=known.written_revision,
            digest="",
            cancelled=False,
            online=known.online,
            fields=known.fields,
        )

    async def _look(self) -> Found | None:
        """Looks our event up; of several that we made, one is kept."""
        key = self._key(self.generation)
        known = self.known if self._is_of_this_generation else Known()
        ours = await own_events(self.calendar, key, event_id=known.event_id, uid=known.uid)
        return await only_one(self.calendar, ours, key)

    @property
    def _is_of_this_generation(self) -> bool:
        """Whether what the record knows is about the key that we are at by now."""
        return self.generation == self.known.generation

    @property
    def _intent(self) -> Intent | None:
        """What an earlier attempt was about under the key that we are at by now."""
        intent = self.known.intent
        return intent if intent is not None and intent.generation == self.generation else None

    def _may_be_unseen(self) -> bool:
        """Whether we wrote so lately, or may have, that a read need not show it yet."""
        return self._is_of_this_generation and self._now_ms() - self._last_sent() < UNSEEN_MS

    def _last_sent(self) -> int:
        """When something under this key was last carried out, or is known to stand; 0 for never."""
        in_doubt = self._intent.at if self._intent is not None else 0
        return max(self.known.written_at, in_doubt) if self._is_of_this_generation else in_doubt

    # -- writing

    async def _create(self) -> Outcome | Found | None:
        if self.known.event_id and self._may_be_unseen():
            raise await not_seen_yet(self.calendar)
        if 0 < self.revision <= self.known.written_revision:
            await self.calendar.probe()  # nothing is found in a calendar that is gone, either
            return Outcome(Effect.DELETED_BY_PERSON, self.generation, None)
        draft = self._draft()
        repeated = self._body_in_doubt()
        body = repeated or msgspec.json.encode(draft.create)
        await self._intend("create", body)
        try:
            found = await self.calendar.create(body)
        except FormRefused as refused:
            self._simplify(refused)
            return None
        except Taken as taken:
            return await self._made_before(taken.event_id, body) if taken.event_id else await self._look()
        if found.revision != self.revision or (repeated and self.calendar.looks_before_create):
            # An earlier attempt's, with an earlier body, or without our properties: to be read as it is.
            return await self._made_before(found.event_id, body)
        return await self._verified(found, draft, Effect.CREATED)

    async def _made_before(self, event_id: str, body: bytes) -> Found | None:
        """The event that the provider names as the one that an earlier create of ours made, so it is ours.

        None where it is gone for good.
        """
        found = await self.calendar.get(event_id)
        if found is None or not (found.cancelled or await self.calendar.stands(event_id)):
            await self._give_up_id(body)
            return None
        return msgspec.structs.replace(found, proof=self.calendar.proof(self._key(self.generation)))

    async def _give_up_id(self, body: bytes) -> None:
        """The id is taken by an event that is not there: burnt, if that stays so.

        As long as a read may lag behind, that is a contradiction, and the same id is tried again.
        """
        since = self._taken_since()
        if self._now_ms() - since < UNSEEN_MS:
            await self._intend(TAKEN, body, at=since)
            raise CalendarError(ErrorClass.TRANSIENT, "taken_but_not_seen")
        self.generation += 1

    def _taken_since(self) -> int:
        """Since when the event that has our id exists, at the latest.

        A create in doubt may be carried out long after it was sent and given up, so that counts from when its
        id was first found taken. Where none is in doubt, the event is the one that was written.
        """
        intent = self._intent
        if intent is None or intent.operation not in CREATES:
            return self._last_sent() or self._now_ms()
        return intent.at if intent.operation == TAKEN else self._now_ms()

    def _body_in_doubt(self) -> bytes:
        """The body of a create whose outcome is unknown: sent again to the letter."""
        intent = self._intent
        if intent is None or intent.operation not in CREATES:
            return b""
        return bytes(intent.body) if self._form == _Form() else b""

    async def _bring_up_to_date(self, found: Found) -> Outcome | None:
        """One step towards the newest revision; None where the event has to be looked at again."""
        if not self._is_ours(found):
            _log.error(Alarm.FOREIGN_EVENT_UNDER_OUR_ID, provider_id=found.event_id)
            ALARMS.labels(Alarm.FOREIGN_EVENT_UNDER_OUR_ID).inc()
            self.generation += 1
            return None
        if found.revision > self.revision:
            return Outcome(Effect.SUPERSEDED, self.generation, found)
        draft = self._draft()
        if found.revision == self.revision:
            if found.cancelled:
                return Outcome(Effect.DELETED_BY_PERSON, self.generation, found)
            as_wanted = found.digest == draft.digest and found.when == draft.when
            if as_wanted and not self.known.repair:
                return self._outcome(Effect.UNCHANGED, found, draft)
        if found.cancelled and not self.calendar.revives:
            self.generation += 1
            return None
        if found.recurring:
            raise made_recurring()
        if not found.key:  # its mark is lost, and not what the record knows
            found = msgspec.structs.replace(found, fields=self.known.last_set)
        return await self._update(found, draft)

    def _is_ours(self, found: Found) -> bool:
        """Whether it has our key, or lost it: by a create that failed half-way, or by a person's hand."""
        key = self._key(self.generation)
        recorded = self._is_of_this_generation and found.event_id == self.known.event_id
        return found.key == key or (not found.key and (recorded or found.proof == self.calendar.proof(key)))

    async def _update(self, found: Found, draft: Draft) -> Outcome | None:
        await self._intend("update", b"")
        try:
            updated = await self.calendar.update(found, draft)
        except FormRefused as refused:
            self._simplify(refused)
            return None
        except CalendarError as error:
            if error.error_class not in (ErrorClass.CONFLICT, ErrorClass.GONE):
                raise
            if found.cancelled:
                self.generation += 1  # it may not be revived: the id is burnt
                return None
            self._conflicts += 1
            if self._conflicts > _MOST_CONFLICTS:
                raise
            return None
        if not await self.calendar.stands(updated.event_id):
            if self._may_be_unseen():
                raise await not_seen_yet(self.calendar)
            self.generation += 1  # it was changed where nobody sees it, among what was deleted
            return None
        return await self._verified(updated, draft, Effect.UPDATED)

    async def _intend(self, operation: str, body: bytes, *, at: int | None = None) -> None:
        await self._journal(
            Intent(
                operation=operation,
                revision=self.revision,
                generation=self.generation,
                at=self._now_ms() if at is None else at,
                body=msgspec.Raw(body) if body else NO_JSON,
            )
        )

    def _simplify(self, refused: FormRefused) -> None:
        """Next time in the form that every provider takes; refused even so, it is refused for good."""
        field = "named_zone" if refused.field == "zone" else "conference"
        if not getattr(self._form, field):
            raise CalendarError(
                ErrorClass.PERMANENT, refused.code, request_id=refused.request_id, field=refused.field
            )
        self._form = msgspec.structs.replace(self._form, **{field: False})

    # -- checking

    async def _verified(self, found: Found, draft: Draft, effect: Effect) -> Outcome | None:
        """The instant that the calendar shows must be the one that was booked; else once more, in UTC."""
        if found.when == draft.when:
            return self._outcome(effect, found, draft)
        if not self._form.named_zone:
            raise CalendarError(ErrorClass.PERMANENT, "instant_differs")
        _log.warning("zone_differs_at_provider", provider_id=found.event_id)
        self._form = _Form(named_zone=False, conference=self._form.conference)
        draft = self._draft()
        updated = await self.calendar.update(found, draft)
        return await self._verified(updated, draft, effect)

    def _outcome(self, effect: Effect, found: Found, draft: Draft) -> Outcome:
        degraded = draft.degraded
        if not self._form.named_zone:
            degraded += ("zone refused by the provider, written without its name",)
        if not self._form.conference:
            degraded += ("online meeting refused by the provider",)
        degraded += shortcomings(found, draft)
        return Outcome(effect, self.generation, found, digest=draft.digest, degraded=degraded)

    async def _settled(self, outcome: Outcome) -> Outcome:
        """Says when an online meeting is missing; waits a little for one that the provider makes later."""
        found = outcome.found
        if found is None or outcome.effect not in _UP_TO_DATE or not self._draft().conference:
            return outcome
        for wait in _CONFERENCE_POLLS_S:
            if found.conference != "pending":
                break
            await asyncio.sleep(wait)
            found = await self.calendar.get(found.event_id) or found
        degraded = outcome.degraded
        if found.conference != "ready":
            degraded += (f"online meeting {found.conference or 'not made'} at the provider",)
        return msgspec.structs.replace(outcome, found=found, degraded=degraded)
