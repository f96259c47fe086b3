"""What receivers and workers do to two bookings in a real Redis, and what must be there after each step."""

import asyncio
from collections.abc import Coroutine, Iterable
from itertools import count
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bookings import part_writes, state
from bookings.clock import now_ms
from bookings.errors import DeadLettersFull, LeaseLost, QueueFull
from bookings.intake import Accepted
from bookings.leases import Claim
from bookings.record import UNROUTED, Part, Write, WriteState
from bookings.store import Store
from tests.integration.record_model import (
    BIDS,
    LEASE_S,
    LEFT_ALONE_MS,
    SLACK_MS,
    BookingModel,
    Model,
    PartModel,
)
from tests.integration.record_seen import look

T = TypeVar("T")
Ends = dict[str, WriteState | None]

HALF_AN_HOUR_S = 1800
ROOMY = 100

events, unreadable, holders = (
    st.sampled_from(sorted(BIDS)),
    st.sampled_from(["q1", "q2"]),
    st.sampled_from("abc"),
)
nth = st.sampled_from([0, 0, 0, 1, 2, 3])
"""Which one of several; most often the first, or the newest."""
_PARKED, _WRITTEN = WriteState.PARKED, WriteState.WRITTEN
ends = st.sampled_from([None, _PARKED, _PARKED, _PARKED, _WRITTEN, _WRITTEN, _WRITTEN, *WriteState])
outcomes = st.fixed_dictionaries(
    {"w1": ends, "w2": ends, UNROUTED: st.sampled_from([None, None, WriteState.DEAD])}
)
limits = st.sampled_from([ROOMY, ROOMY, ROOMY, 2])


CALENDARS = ("w1", "w2", UNROUTED)
_numbers = count(1)


def pick(among: Iterable[T], which: int) -> T | None:
    several = list(among)
    return several[which % len(several)] if several else None


class RecordLife(RuleBasedStateMachine):
    loop: asyncio.AbstractEventLoop
    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.redis, self.keys = self.store.redis, self.store.keys
        self.model = Model()
        self.claims: list[Claim] = []  # the newest first
        self.do(self.redis.flushall())

    def do(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    # -- the receiver's side

    @rule(
        event=events, listed=st.sampled_from(["1", "2", "12"]), text=st.sampled_from("ab"), prune=st.booleans(),
        window_s=st.sampled_from([0, HALF_AN_HOUR_S]), open_limit=limits, dead_limit=limits,
    )  # fmt: skip
    def a_delivery(
        self, event: str, listed: str, text: str, prune: bool, window_s: int, open_limit: int, dead_limit: int
    ) -> None:
        booking = self.model.bookings.get(event, BookingModel())
        parts = {each: Part(sequence_id=each, event=msgspec.Raw(b'"%s"' % text.encode())) for each in listed}
        answer = self.store.accept(
            app="hiring", event_id=event, delivery=listed + text, parts=list(parts.values()), link=None, prune=prune,
            window_s=window_s, queue_limit=open_limit, dead_letters_limit=dead_limit,
        )  # fmt: skip
        if (revision := booking.accepted_as(listed + text)) is not None:
            assert self.do(answer) == Accepted(revision=revision, duplicate=True)
        elif len(self.model.open()) >= open_limit:
            self.refused(QueueFull, answer)
        elif len(self.model.dead) >= dead_limit:
            self.refused(DeadLettersFull, answer)
        else:
            now, accepted = now_ms(), self.do(answer)
            assert not accepted.duplicate
            assert accepted.revision >= max(booking.revision + 1, now)
            self.model.bookings[event] = booking
            booking.revision, booking.delivery = accepted.revision, listed + text
            booking.repeats[listed + text] = window_s, accepted.revision
            for each, part in parts.items():
                model = booking.parts.setdefault(each, PartModel(event, part))
                model.part, model.delivery = part, listed + text
                model.revised(booking.revision, gone=False)
            booking.withdraw([each for each in booking.listed if prune and each not in listed])
            booking.listed = list(listed)

    def refused(self, refusal: type[Exception], doing: Coroutine[Any, Any, object]) -> None:
        before = self.do(look(self.store))
        with pytest.raises(refusal):
            self.do(doing)
        assert self.do(look(self.store)) == before

    @rule(did=unreadable, limit=limits)
    def an_unreadable_delivery(self, did: str, limit: int) -> None:
        kept = self.store.quarantine(
            delivery=did, app="hiring", link=None, reason="no JSON", body=b"{", dead_letters_limit=limit
        )
        if f"delivery:{did}" not in self.model.dead and len(self.model.dead) >= limit:
            self.refused(DeadLettersFull, kept)
        else:
            self.do(kept)
            self.model.dead.add(f"delivery:{did}")

    # -- the worker's side

    @rule(which=nth, holder=holders, woken=st.booleans())
    def a_worker_claims(self, which: int, holder: str, woken: bool) -> None:
        part = pick((self.model.open() or self.model.parts()).values(), which)
        if part is None:
            assert self.do(self.store.claim("none", "none", holder=holder, lease_s=LEASE_S)) is None
            return
        if woken:
            self._take(part)
        claim = self.do(self.store.claim(part.bid, part.pid, holder=holder, lease_s=LEASE_S))
        if part.state != "open" or not (part.is_free() or part.holder == holder):
            assert claim is None
            return
        assert claim is not None
        if part.holder != holder:
            assert int(claim.fence) > self.model.fences.get(part.event, 0)
            part.fence, part.holder = claim.fence, holder
            self.model.fences[part.event] = int(claim.fence)
        part.lease_s = LEASE_S
        assert msgspec.structs.replace(claim, at=0) == part.claim()
        self.claims.insert(0, claim)

    def _take(self, part: PartModel) -> None:
        """As `take` does it, but for this one job."""
        job = f"{self.keys.prefix}:{part.bid}:{part.pid}"
        self.do(self.redis.zrem(self.keys.queue_of("hiring"), job))
        self.do(self.redis.delete(f"arq:job:{job}"))
        part.has_job = False

    @rule(which=nth, outcome=st.none() | outcomes)
    def a_worker_journals(self, which: int, outcome: Ends | None) -> None:
        if (claim := pick(self.claims, which)) is None:
            return
        part = self.model.held_by(claim)
        writes = None if outcome is None else _writes(claim, part, outcome)
        journalling = self.store.journal(claim, writes, lease_s=LEASE_S)
        if part is None:
            self.refused(LeaseLost, journalling)
        else:
            assert self.do(journalling) == part.revision
            part.lease_s = LEASE_S
            part.writes = part.writes if writes is None else writes

    @rule(which=nth, outcome=outcomes)
    def a_worker_settles(self, which: int, outcome: Ends) -> None:
        if (claim := pick(self.claims, which)) is None:
            return
        part = self.model.held_by(claim)
        writes = _writes(claim, part, outcome)
        settling = self.store.settle(
            claim, writes, ends_at=now_ms(), lease_s=LEASE_S, keep_s=100, keep_at_least_s=50
        )
        if part is None:
            self.refused(LeaseLost, settling)
            return
        again = self.do(settling)
        part.asks = part.asks.removeprefix(claim.asks)
        part.is_settled(writes)
        self.model.tell_dead(part.place, writes)
        known = {write.id: write for write in claim.writes}
        for write in writes:
            if state.just_made(write, known.get(write.id)):
                self.model.calendar_works(write.id)
        if part.revision > claim.revision or part.asks:
            part.lease_s = LEASE_S
            assert again is not None
            assert msgspec.structs.replace(again, at=0) == part.claim()
            self.claims.insert(0, again)
            return
        assert again is None
        part.released()
        part.state, due_at = part_writes.part_state(writes)
        if part.state == "open":
            part.wakes(due_at)

    @rule(which=nth, holder=holders, outcome=outcomes)
    def a_worker_does_it_all(self, which: int, holder: str, outcome: Ends) -> None:
        known = len(self.claims)
        self.a_worker_claims(which=which, holder=holder, woken=True)
        if len(self.claims) > known:
            self.a_worker_settles(which=0, outcome=outcome)

    @rule(which=nth)
    def a_worker_gives_it_back(self, which: int) -> None:
        if claim := pick(self.claims, which):
            part = self.model.held_by(claim)
            assert self.do(self.store.release(claim)) == (part is not None)
            if part:
                part.released()
                part.wakes()

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        now, opened, seen = now_ms(), self.model.open(), self.do(look(self.store))
        assert set(seen.open) == set(opened)
        assert set(seen.dead) == self.model.dead
        assert seen.delayed == self.model.index()
        assert {wid: set(places) for wid, places in seen.wakeable.items()} == {
            wid: set(places)
            for wid in CALENDARS
            if (places := [part.place for part in self.model.wakeable(wid)])
        }
        for place, part in opened.items():
            assert seen.open[place] <= max(now, part.due_at) + LEFT_ALONE_MS
            assert not part.has_job or seen.jobs[place] <= part.due_at + SLACK_MS
        for event in BIDS:
            booking = self.model.bookings.get(event)
            assert seen.told(event) == (booking.fields() if booking else {})
            assert seen.expire[event] == (booking is not None and booking.is_done())


def _writes(claim: Claim, part: PartModel | None, outcome: Ends) -> tuple[Write, ...]:
    """What a worker makes of the writes: of those that are there, only the unrouted one ever goes."""
    there = {write.id: write for write in ((part and part.writes) or claim.writes) if write.id != UNROUTED}
    for wid, end in outcome.items():
        if end is not None:
            waits = end in (WriteState.RETRYING, WriteState.PARKED)
            there[wid] = Write(
                id=wid, calendar="c", address=None, state=end, revision=claim.revision,
                due_at=now_ms() + HALF_AN_HOUR_S * 1000 if waits else 0, failing_since=next(_numbers) if waits else 0,
                updated_at=next(_numbers),
            )  # fmt: skip
    return tuple(there.values())
