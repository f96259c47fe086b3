"""The state machine of a write, in random lives of a part: deliveries, operators, providers, dying workers.

What happens to the writes here is what `workers/part.py` and `workers/under_way.py` do to them, step by step;
beside them a model keeps what may really stand in the calendars. The promises are checked whenever a worker
lets go of the part.
"""

from itertools import pairwise, product
from operator import ge
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from bookings import part_writes, state
from bookings.part_writes import PartState
from bookings.record import UNROUTED, Attempt, Intent, Write, WriteState
from config.settings import CalendarAddress

CALENDARS = ("w1", "w2", "w3")
FOREVER = 10**15
DEAD = WriteState.DEAD
THERE = (WriteState.WRITTEN, WriteState.SUPERSEDED)
"""The event holds what was booked, or something newer."""


class Way(NamedTuple):
    """What an attempt asks its provider for, and how it ends."""

    requests: tuple[str, ...]
    end: str


WENT_WELL = Way((), "done")
REQUESTS = ((), ("create",), ("update",), ("create", "update"), ("update", "create anew"))
ENDS = (
    "done", "done", "deleted by person", "newer there", "fails", "is parked", "dies", "throttled", "refused", "waits",
    "busy", "waited too long",
)  # fmt: skip
ROUTES: tuple[dict[str, str], ...] = (
    {"w1": "one"}, {"w2": "two"}, {"w1": "one", "w2": "two"}, {"w1": "renamed", "w3": "three"}, {},
)  # fmt: skip
NOBODY = -1
"""In the place of a number of journal entries, after which the worker is killed."""

happenings = st.sampled_from(
    [
        ("nothing",), ("nothing",), ("is booked anew",), ("is booked anew",), ("is cancelled",), ("is cancelled",),
        ("resync",), ("replay", 0), ("replay", -1), ("discard", 0), ("discard", -1), ("retry",), ("retry",),
        ("lacks something",), ("lacks something",),
        *(("is routed to", routes) for routes in ROUTES), *(("resync", routes) for routes in ROUTES),
    ]
)  # fmt: skip
ways = st.tuples(*(st.sampled_from([Way(*each) for each in product(REQUESTS, ENDS)]) for _ in CALENDARS))


class Killed(Exception):
    """The worker is gone; the record has what was journalled last."""


class PartLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000
        self.routes, self.lacks = ROUTES[0], False
        # the record
        self.revision, self.gone, self.asks, self.released = 1, False, "", PartState.OPEN
        self.writes: tuple[Write, ...] = ()
        self.letters: set[str] = set()
        # what the model knows: where there may be an event, as far as the record can tell; creates in doubt, and when
        # their calendars were searched since; what an operator discarded
        self.may_stand: set[str] = set()
        self.searched: dict[str, list[int]] = {}
        self.let_go: set[str] = set()
        # the worker at it
        self.journals, self.due_at = 0, 0
        self._remember()

    @rule(
        what=happenings, seconds=st.sampled_from([0, 1, 59, 599, None]), ways=ways,
        killed_after=st.sampled_from([None, None, None, 0, 1, 2, NOBODY]),
    )  # fmt: skip
    def something_happens_and_a_worker_looks(
        self, what: tuple[Any, ...], seconds: int | None, ways: tuple[Way, ...], killed_after: int | None
    ) -> None:
        self._happens(*what)
        self.now = max(self.now, self.due_at) if seconds is None else self.now + seconds * 1000
        if self.released is PartState.OPEN and killed_after != NOBODY:
            self._look(ways, killed_after)

    @rule()
    def nothing_goes_wrong_for_some_hours(self) -> None:
        looks_for_a_route = state.UNROUTED_FOR_S // state.UNROUTED_AGAIN_S
        for _ in range(len(CALENDARS) * (2 + len(state.LATER_LOOKS_S)) + looks_for_a_route):
            if self.released is PartState.OPEN:
                self.now = max(self.now, self.due_at)
                self._look((WENT_WELL,) * len(CALENDARS), None)
        assert self.released is not PartState.OPEN

    # -- what happens to a part from outside

    def _happens(self, what: str, which: Any = None) -> None:
        match what:
            case "is booked anew" | "is cancelled":
                self.revision, self.gone = self.revision + 1, what == "is cancelled"
                self.released = PartState.OPEN
            case "is routed to":
                self.routes, self.lacks = which, False
            case "lacks something":
                self.lacks = True
            case "resync":
                self.routes = self.routes if which is None else which
                self._ask("resync\n")
            case "retry":
                for write in self.writes:
                    if write.is_delayed:
                        self._ask(f"retry {write.id}\n")
            case "replay" | "discard":
                listed = [each for each in self.writes if each.id in self.letters and each.state is DEAD]
                if listed and (
                    what == "discard" or listed[which].revision == self.revision
                ):  # else overtaken
                    self.letters.remove(listed[which].id)
                    self._ask(f"{what} {listed[which].id}\n")

    def _ask(self, what: str) -> None:
        self.asks += what
        self.released = PartState.OPEN

    # -- what a worker does

    def _look(self, ways: tuple[Way, ...], killed_after: int | None) -> None:
        self._remember()
        self.journals, self.killed_after = 0, killed_after
        on_its_way = dict(zip(CALENDARS, ways, strict=True))
        asks = self.asks
        try:
            self.writes = self._brought_to_the_revision()
            for write in part_writes.due(self.writes, self.now):
                assert not self.gone
                assert write.id in self.routes, "written where no route leads"
                self._attempt(write.id, on_its_way[write.id])
            if part_writes.is_everywhere(self.writes):
                for write in part_writes.removable(self.writes, self.now):
                    self._remove(write.id, on_its_way[write.id])
        except Killed:
            self.killed_after = 0
        if self.killed_after == 0:
            (self.writes, self.may_stand, self.searched), self.due_at = self.journalled, 0
            return
        self.asks = self.asks.removeprefix(asks)
        self.letters = {write.id for write in self.writes if write.state is DEAD}
        self.released, self.due_at = part_writes.part_state(self.writes)
        self._is_settled_rightly()

    def _brought_to_the_revision(self) -> tuple[Write, ...]:
        brought = self._bring(self.writes)
        assert self._bring(brought) == brought, "not the same when done twice"
        asked = self._asked(brought)
        assert self._asked(asked) == asked, "not the same when asked twice"
        wanted = {
            each.id: each.calendar for each in brought if each.wanted and each.revision == self.revision
        }
        assert (UNROUTED in wanted) == (not self.gone and (self.lacks or not self.routes))
        wanted.pop(UNROUTED, None)
        assert wanted == ({} if self.gone else self.routes) or not self.routes
        for old in self.writes:
            for new, then in zip(brought, asked, strict=True):
                if old.id == new.id:
                    self._keeps_what_is_known(old, new, then)
        return asked

    def _asked(self, writes: tuple[Write, ...]) -> tuple[Write, ...]:
        return part_writes.asked(writes, self.asks, now=self.now, routed=self.gone or bool(self.routes))

    def _bring(self, writes: tuple[Write, ...]) -> tuple[Write, ...]:
        if self.gone:
            return part_writes.withdrawn(writes, revision=self.revision, now=self.now)
        address = CalendarAddress("google", "", "one")
        targets = [part_writes.Target(wid, name, address) for wid, name in self.routes.items()]
        missing = "something" if self.lacks else ""
        return part_writes.revised(writes, targets, missing=missing, revision=self.revision, now=self.now)

    def _keeps_what_is_known(self, old: Write, new: Write, asked: Write) -> None:
        """Whatever a revision and operators make of a write, its event is not forgotten."""
        known = (old.intent, old.event_id, old.generation, old.written_revision)
        assert (asked.intent, asked.event_id, asked.generation, asked.written_revision) == known
        assert asked.repair or not old.repair, "a resync was forgotten"
        if new.is_delayed:
            assert (asked.state, asked.failing_since) == (new.state, new.failing_since)
            tried = f"retry {old.id}\n" in self.asks or "resync\n" in self.asks
            tried = tried and new.id != UNROUTED  # whoever looks, looks for a route
            assert not tried or asked.due_at == 0 or not self.routes, "not tried now"
        assert asked.wanted or asked.state is not WriteState.PENDING
        assert new.wanted or new.state is not DEAD or old.state is DEAD, "removing failed without being tried"
        if new.revision > old.revision or new.wanted != old.wanted:
            self.let_go.discard(old.id)
        elif old.state is DEAD:
            assert new.state is DEAD, "only a newer revision or an operator ends it"
        if asked.state is not new.state and asked.state is WriteState.CANCELLED:
            assert new.state is DEAD, "what is not dead was discarded"
            self.let_go.add(old.id)

    def _attempt(self, wid: str, way: Way) -> None:
        for request in way.requests:
            generation = self._write(wid).generation + (request == "create anew")
            self.searched.pop(wid, None)  # what is updated was seen
            if request != "update":
                self.searched[wid] = []
            self.may_stand.add(wid)
            self._journal(wid, request.removesuffix(" anew"), generation)
        write = self._write(wid)
        match way.end:
            case "done":
                done = state.written(
                    write, revision=self.revision, generation=write.generation, event_id=f"e-{wid}", etag="t",
                    digest="d", uid="u", online=False, url="", degraded=(), now=self.now,
                )  # fmt: skip
                self.may_stand.add(wid)
            case "deleted by person":
                done = state.left_deleted(write, now=self.now)
                self.may_stand.discard(wid)
            case "newer there":
                done = state.superseded(
                    write, generation=write.generation, event_id=f"e-{wid}", etag="t", now=self.now
                )
                self.may_stand.add(wid)
            case _:
                return self._fails(wid, way.end)
        self.searched.pop(wid, None)
        return self._put(done)

    def _remove(self, wid: str, way: Way) -> None:
        stands = [write.state in THERE for write in self.writes if write.wanted]
        assert any(stands) or self.gone or not stands, "removed before there was another"
        assert self._write(wid).state is not DEAD
        self._journal(wid, "delete", self._write(wid).generation)
        if way.end not in ("done", "deleted by person", "newer there"):
            return self._fails(wid, way.end)
        after = state.removed(self._write(wid), gone=self.gone, now=self.now)
        if wid in self.searched:
            self.searched[wid].append(self.now)
        if after.state in (WriteState.SUPERSEDED, WriteState.CANCELLED):
            searched = self.searched.pop(wid, None)
            if searched is not None:
                last = searched[-1 - len(state.LATER_LOOKS_S) :]
                waits = [(later - earlier) // 1000 for earlier, later in pairwise(last)]
                assert len(waits) == len(state.LATER_LOOKS_S), "searched too seldom"
                assert all(map(ge, waits, state.LATER_LOOKS_S)), "searched too soon"
            self.may_stand.discard(wid)
            assert (after.event_id, after.intent, after.looks) == ("", None, -1)
        return self._put(after)

    def _fails(self, wid: str, end: str) -> None:
        write = self._write(wid)
        wait = {"fails": 30, "throttled": 30, "is parked": 3600, "refused": 900}.get(end)
        if end in ("waited too long", "busy"):
            done = (
                state.given_up(write, reason=end, detail="", now=self.now)
                if end == "waited too long"
                else state.waiting(
                    write, due_at=self.now + 500, parked=False, reason=end, now=self.now, busy=True
                )
            )
            assert done.failing_since == write.failing_since
            return self._put(done)
        if end != "waits":
            write = state.failed(
                write, Attempt(at=self.now, error_class=end), due_at=wait and self.now + wait * 1000,
                parked=end in ("is parked", "refused"), detail="", now=self.now,
            )  # fmt: skip
            assert not write.waiting
            assert write.due_at > self.now or write.state is DEAD
        if end in ("waits", "throttled", "refused"):
            until, parked = self.now + 60_000, end != "throttled"
            write = state.waiting(write, due_at=until, parked=parked, reason="", now=self.now)
        assert write.state is DEAD or (write.is_delayed and write.failing_since <= self.now)
        return self._put(write)

    def _write(self, wid: str) -> Write:
        return next(write for write in self.writes if write.id == wid)

    def _put(self, changed: Write) -> None:
        old = self._write(changed.id)
        assert changed.generation >= old.generation
        assert changed.written_revision >= old.written_revision or changed.id not in self.may_stand
        self.writes = tuple(changed if write.id == changed.id else write for write in self.writes)

    def _journal(self, wid: str, operation: str, generation: int) -> None:
        intent = Intent(operation=operation, revision=self.revision, generation=generation, at=self.now)
        self._put(state.intended(self._write(wid), intent, now=self.now))
        assert (self._write(wid).state, self._write(wid).generation) == (WriteState.WRITING, generation)
        self._remember()
        self.journals += 1
        if self.journals == self.killed_after:
            raise Killed

    def _remember(self) -> None:
        """What a worker that is killed from now on leaves behind. Searches that it forgets do not count."""
        searched = {wid: list(times) for wid, times in self.searched.items()}
        self.journalled = self.writes, self.may_stand.copy(), searched

    # -- what is promised

    def _is_settled_rightly(self) -> None:
        writes = self.writes
        wanted = [write for write in writes if write.wanted]
        left_over = part_writes.removable(writes, FOREVER)
        assert len({write.id for write in writes}) == len(writes)
        if self.released is PartState.OPEN:
            assert self.due_at <= self.now + 86_400_000
            then = max(self.now, self.due_at)
            to_remove = part_writes.is_everywhere(writes) and part_writes.removable(writes, then)
            awaited = [each.due_at for each in wanted if each.id == UNROUTED and each.state.is_open]
            assert part_writes.due(writes, then) or to_remove or awaited == [self.due_at], "stuck"
            assert all(write.waiting for write in part_writes.due(writes, self.due_at - 1)), "due earlier"
        else:
            assert not any(write.state.is_open for write in wanted), "forgotten"
            assert (self.released is PartState.DEAD) == bool(self.letters)
        if self.released is PartState.DONE and left_over:
            # An operator let go of all that was to take its place: the last event is not removed for that.
            assert {write.state for write in wanted} == {WriteState.CANCELLED}
        for write in writes:
            assert write.written_revision <= write.revision <= self.revision
            assert len(write.attempts) <= state.MOST_ATTEMPTS
            if write.state is DEAD and write.revision < self.revision:
                # Its replay is refused as overtaken: by a revision that no route sends anywhere, a letter of its own.
                assert any(each.id == UNROUTED for each in writes), "no replay is let through"
            assert write.state is not WriteState.PARKED or write.is_delayed, "parked, and nobody sees it"
            assert not write.wanted or write.state is not WriteState.WRITING
            assert not write.wanted or not write.waiting or write in part_writes.due(writes, 0)
            if write.wanted and write.state in THERE:
                assert (write.intent, write.looks, write.due_at) == (None, -1, 0)
            if not write.wanted and write.id in self.may_stand - self.let_go:
                assert write in left_over or write.state is DEAD, "left behind"


PartLife.TestCase.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=40)
TestPartLife = PartLife.TestCase
