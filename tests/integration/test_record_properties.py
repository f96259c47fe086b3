"""Random lives of two bookings in a real Redis, against a model: deliveries, workers, operators, and what befalls them.

More of them: `pytest --hypothesis-profile=thorough`. Time passes by moving every moment that is stored.
"""

import asyncio
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from bookings import dead_letters
from bookings.clock import now_ms
from bookings.connection import connect
from bookings.dead_letters import DeadLetter
from bookings.errors import Overtaken
from bookings.store import Store
from tests.conftest import Settle
from tests.integration.record_life import HALF_AN_HOUR_S, RecordLife, events, nth, pick, unreadable
from tests.integration.record_model import BIDS, LEASE_S, BookingModel, PartModel
from tests.integration.record_seen import look, move_back

LONG_S = 2 * HALF_AN_HOUR_S


class WholeLife(RecordLife):
    def __init__(self) -> None:
        super().__init__()
        self.exported: list[DeadLetter] = []  # the newest first

    # -- the operator's side

    @rule(event=events)
    def an_operator_cancels(self, event: str) -> None:
        booking = self.model.bookings.get(event)
        now, parts = now_ms(), self.do(self.store.cancel(BIDS[event]))
        assert parts == (len(booking.parts) if booking else None)
        if booking:
            revision = int(self.do(look(self.store)).records[event]["revision"])
            assert revision >= max(booking.revision + 1, now)
            booking.revision, booking.listed = revision, []
            booking.withdraw(list(booking.parts))

    @rule(which=nth)
    def an_operator_has_it_resynced(self, which: int) -> None:
        part = pick(self.model.parts().values(), which)
        bid, pid = (part.bid, part.pid) if part else ("none", "none")
        assert self.do(self.store.ask(bid, pid, "resync")) == (part is not None)
        if part:
            part.is_asked("resync")

    @rule(which=nth, verb=st.sampled_from(["replay", "discard"]), as_of=st.sampled_from([0, 0, 1]))
    def an_operator_asks(self, which: int, verb: str, as_of: int) -> None:
        letter = pick(sorted(each for each in self.model.dead if "delivery:" not in each), which)
        if letter is None:
            return
        bid, pid, wid = letter.split(":")
        part = self.model.parts()[f"{bid}:{pid}"]
        revision = part.revision - as_of if verb == "replay" else None
        ask = partial(self.store.ask, bid, pid, f"{verb} {wid}", dead_letter=letter, revision=revision)
        if verb == "replay" and as_of:
            self.refused(Overtaken, ask())
        else:
            assert self.do(ask())
            self.model.dead.remove(letter)
            part.is_asked(f"{verb} {wid}")
            assert not self.do(ask()), "asked twice"

    @rule(wid=st.sampled_from(["w1", "w2"]))
    def an_operator_finds_a_calendar_well(self, wid: str) -> None:
        wakeable = self.model.wakeable(wid)
        assert self.do(self.store.wake_calendar(wid)) == len(wakeable)
        for part in wakeable:
            part.is_woken(wid)

    @rule(did=unreadable)
    def an_operator_drops_a_delivery(self, did: str) -> None:
        assert self.do(self.store.drop_delivery(did)) == (f"delivery:{did}" in self.model.dead)
        self.model.dead.discard(f"delivery:{did}")

    @rule()
    def an_operator_exports(self) -> None:
        for each in sorted(self.model.dead):
            letter = self.do(dead_letters.get(self.store, each))
            if letter is not None and letter.delivery is None:
                self.exported.insert(0, letter)

    @rule(which=nth)
    def an_operator_imports(self, which: int) -> None:
        letter = pick(self.exported, which)
        if letter is None:
            return
        assert letter.part is not None
        assert letter.write is not None
        booking = self.model.bookings.get(letter.event_id, BookingModel())
        sequence = str(letter.sequence_id)
        part = booking.parts.get(sequence, PartModel(letter.event_id, letter.part, state="dead"))
        restoring = self.store.restore(letter)
        if part.revision > letter.revision:
            self.refused(Overtaken, restoring)
        elif any(write.id == letter.write.id for write in part.writes or ()):
            assert self.do(restoring) == "there"
        elif part.state == "open":
            assert self.do(restoring) == "busy"
        else:
            assert self.do(restoring) == "restored"
            self.model.bookings[letter.event_id] = booking
            self.model.dead.add(letter.id)
            booking.parts[sequence] = part
            booking.revision = max(booking.revision, letter.revision)
            if not letter.gone and sequence not in booking.listed:
                booking.listed.append(sequence)
            part.part, part.revision, part.gone, part.state = (
                letter.part,
                letter.revision,
                letter.gone,
                "dead",
            )
            part.writes = (*(part.writes or ()), letter.write)

    # -- what befalls all of it

    @rule()
    def the_reconciler_looks(self) -> None:
        now, before = now_ms(), self.do(look(self.store))
        self.do(self.store.reconcile())
        assert self.do(self.store.heal_delayed(0)) == 0
        after = self.do(look(self.store))
        for place, score in before.open.items():
            if score <= now and self.model.parts()[place].is_free():
                assert place in after.jobs, "nobody looks after it any more"

    @rule(payloads_only=st.booleans(), seconds=st.sampled_from([0, LONG_S]))
    def arq_loses_its_keys(self, payloads_only: bool, seconds: int) -> None:
        lost = self.do(self.redis.keys("arq:*")) + ([] if payloads_only else [self.keys.queue_of("hiring")])
        self.do(self.redis.delete("", *lost))
        for part in self.model.parts().values():
            part.has_job = False
        self.time_passes(seconds=seconds)
        self.the_reconciler_looks()

    @rule(seconds=st.sampled_from([LEASE_S - 10, LONG_S]))
    def time_passes(self, seconds: int) -> None:
        self.do(move_back(self.store, seconds * 1000))
        self.model.time_passes(seconds)

    @rule(event=events)
    def a_finished_record_expires(self, event: str) -> None:
        if event in self.model.bookings and self.model.bookings[event].is_done():
            self.model.await_clock()
            del self.model.bookings[event]
            self.do(self.redis.delete(self.keys.booking(BIDS[event])))

    @rule(really=st.sampled_from([False, False, False, True]))
    def redis_is_lost(self, really: bool) -> None:
        if really:
            self.model.await_clock()
            self.model.bookings, self.model.dead = {}, set()
            self.do(self.redis.flushall())


def test_a_record_is_as_its_model_says_whatever_happens(settle: Settle) -> None:
    fewer = settings(
        max_examples=settings().max_examples // 2, stateful_step_count=40
    )  # each step is several scripts
    with asyncio.Runner() as runner:
        redis = connect(settle().redis)

        class Life(WholeLife):
            loop = runner.get_loop()
            store = Store(redis, "sequence-sync")

        try:
            run_state_machine_as_test(Life, settings=fewer)
        finally:
            runner.run(redis.aclose())
