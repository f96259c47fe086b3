"""Every way through every script of the record: what has to be there before, and what runs the script then."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from bookings.accounts import Accounts, Limits
from bookings.clock import now_ms
from bookings.dead_letters import DeadLetter
from bookings.identity import booking_id, part_id
from bookings.leases import Claim
from bookings.lines import NOWHERE, Line, Stands
from bookings.record import Forward, Part, Write, WriteState
from bookings.store import Store

BID = booking_id("hiring", "event")
ACCOUNT, LANE = "microsoft-hr", "microsoft-hr/panel@globex.example"
FORWARD = Forward(b"{}", "signature")

Act = Callable[[Store], Awaitable[object]]


class Path(NamedTuple):
    """`prepare` fills an empty record and gives what takes the path."""

    script: str
    words: str
    prepare: Callable[[Store], Awaitable[Act]]

    @property
    def name(self) -> str:
        return f"{self.script}: {self.words}"


PATHS: list[Path] = []


def path(script: str, words: str) -> Callable[[Callable[[Store], Awaitable[Act]]], None]:
    return lambda prepare: PATHS.append(Path(script, words, prepare))


def accepting(delivery: str, ids: str = "12", **more: Any) -> Act:
    parts = [Part(sequence_id=each, event=msgspec.Raw(b"{}")) for each in ids]
    terms = {"link": None, "window_s": 60, "queue_limit": 99, "dead_letters_limit": 99, **more}
    return lambda store: store.accept(app="hiring", event_id="event", delivery=delivery, parts=parts, **terms)


async def claimed(store: Store, sequence_id: str = "1", *, lease_s: float = 60) -> Claim:
    found = await store.claim(BID, part_id(sequence_id), holder=str(now_ms()), lease_s=lease_s)
    assert found is not None
    return found


def write(claim: Claim, state: WriteState) -> Write:
    later, now = state in (WriteState.RETRYING, WriteState.PARKED), now_ms()
    return Write(
        id="w",
        calendar="c",
        address=None,
        state=state,
        revision=claim.revision,
        due_at=now + 60_000 if later else 0,
        failing_since=now if later else 0,
        updated_at=now,
    )


def settling(
    claim: Claim, state: WriteState, instead: Write | None = None, *, stands: Stands = NOWHERE
) -> Act:
    writes = [instead or write(claim, state)]
    return lambda store: store.settle(
        claim, writes, ends_at=now_ms(), lease_s=60, keep_s=600, keep_at_least_s=60, stands=stands
    )


def standing(*, lane: str = "", at: int = 0, queued: bool = False) -> Stands:
    """In a lane's line or, `queued`, in its queue until then."""
    line = Line(lane or LANE, 6, at or now_ms(), queued)
    return Stands({"w": line}, start=1, give_up_at=now_ms() + 600_000)


async def settled(store: Store, state: WriteState, ids: str = "12") -> None:
    for each in ids:
        await settling(await claimed(store, each), state)(store)


async def linked(store: Store, *, forward_to: Sequence[str] = ()) -> str:
    return await store.register_link("hiring", "token", {}, keep_s=600, forward_to=tuple(forward_to))


# -- the receiver's


@path("accept", "a booking that is new")
async def _(_store: Store) -> Act:
    return accepting("first")


@path("accept", "a booking that is over, withdrawn and booked anew")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await store.cancel(BID)
    await settled(store, WriteState.CANCELLED)
    return accepting("second")


@path("accept", "a part that is no longer listed")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    return accepting("second", "2", prune=True)


@path("accept", "a delivery to be passed on")
async def _(_store: Store) -> Act:
    return accepting("first", forward=FORWARD, forward_always=True)


@path("accept", "a delivery on a link that passes it on")
async def _(store: Store) -> Act:
    return accepting(
        "first", link=await linked(store, forward_to=["https://globex.example"]), forward=FORWARD
    )


@path("quarantine", "a delivery that nobody can read")
async def _(_store: Store) -> Act:
    terms: dict[str, Any] = {"app": "hiring", "reason": "", "body": b"{", "dead_letters_limit": 9}
    return lambda store: store.quarantine(delivery="d", link=None, **terms)


# -- the workers'


@path("take", "fewer jobs than places")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    return lambda store: store.take(limit=9)


@path("take", "more jobs than places, and a bell that nobody has rung")
async def _(store: Store) -> Act:
    await accepting("first", "123")(store)
    await store.redis.delete(store.keys.bell)
    return lambda store: store.take(limit=2)


@path("take", "what stands in the line of a lane, and what is due there")
async def _(store: Store) -> Act:
    await accepting("first", "123")(store)
    for each, queued in zip("123", (False, True, True), strict=True):
        stands = standing(at=1, queued=queued)
        await settling(await claimed(store, each), WriteState.RETRYING, stands=stands)(store)
    await store.redis.delete(store.keys.bell)
    return lambda store: store.take(limit=1)


@path("take", "what stands in the line of a lane that is closed, and of one whose last it is")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    for each, lane in zip("12", (LANE, "google-hr"), strict=True):
        await settling(await claimed(store, each), WriteState.RETRYING, stands=standing(lane=lane))(store)
    await _closing("paused")(store)
    return lambda store: store.take(limit=9)


@path("claim", "a part that was taken")
async def _(store: Store) -> Act:
    await accepting("first", "1")(store)
    await store.take(limit=1)
    return claimed


@path("claim", "a part whose lease has run out")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await claimed(store, lease_s=0)
    return claimed


@path("claim", "a part that stands in a line")
async def _(store: Store) -> Act:
    await in_line(store)
    return claimed


@path("claim", "a part that is gone")
async def _(store: Store) -> Act:
    await store.redis.zadd(store.keys.open, {f"{BID}:{part_id('1')}": 1})
    return lambda store: store.claim(BID, part_id("1"), holder="h", lease_s=60)


@path("claim", "a part that is finished")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.WRITTEN)
    await store.redis.zadd(store.keys.open, {f"{BID}:{part_id('1')}": 1})
    return lambda store: store.claim(BID, part_id("1"), holder="h", lease_s=60)


@path("journal", "an intent")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    claim = await claimed(store)
    return lambda store: store.journal(claim, [write(claim, WriteState.WRITING)], lease_s=600)


@path("journal", "nothing but the lease")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    claim = await claimed(store)
    return lambda store: store.journal(claim, None, lease_s=600)


@path("settle", "the last part of a booking")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.WRITTEN, "1")
    return settling(await claimed(store, "2"), WriteState.WRITTEN)


@path("settle", "a part that is to be tried again")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    return settling(await claimed(store), WriteState.RETRYING)


@path("settle", "a part that is due at once, with a bell that nobody has rung")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await store.redis.delete(store.keys.bell)
    return settling(await claimed(store), WriteState.PENDING)


@path("settle", "a part that stands in a line, and is to be tried again later in another")
async def _(store: Store) -> Act:
    await in_line(store)
    stands = standing(lane="google-hr", at=now_ms() + 60_000, queued=True)
    return settling(await claimed(store), WriteState.RETRYING, stands=stands)


@path("settle", "a part that died, for which somebody has asked")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await store.ask(BID, part_id("1"), "resync")
    return settling(await claimed(store), WriteState.DEAD)


@path("settle", "a part that lives again")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.DEAD)
    await accepting("second")(store)
    return settling(await claimed(store), WriteState.WRITTEN)


@path("settle", "a part with a newer revision, for which somebody asks")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    claim = await claimed(store)
    await store.ask(BID, part_id("1"), "resync")
    await accepting("second")(store)
    return settling(claim, WriteState.DEAD)


@path("settle", "a part that is parked for its calendar, and was retrying")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.RETRYING, "1")
    return settling(await claimed(store), WriteState.PARKED)


@path("settle", "a part that is parked for its account, and was for its calendar")
async def _(store: Store) -> Act:
    await accepting("first", "1")(store)
    await settled(store, WriteState.PARKED, "1")
    claim = await claimed(store)
    waiting = msgspec.structs.replace(write(claim, WriteState.PARKED), waiting=True)
    return settling(claim, WriteState.PARKED, waiting)


@path("settle", "a part that was parked, whose success wakes another; of a third nobody knows")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.PARKED)
    await parked_long_ago(store)
    await store.redis.delete(store.keys.bell)
    return settling(await claimed(store), WriteState.WRITTEN)


async def parked_long_ago(store: Store) -> None:
    """Those that are parked may be woken at once, and one of them is gone."""
    wakeable = store.keys.delayed_at("w", "wakeable")
    await store.redis.zadd(wakeable, {f"{BID}:{part_id(each)}": 1 for each in "12"} | {"gone:gone": 1})


@path("wake_calendar", "a calendar for which parts are parked")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.PARKED)
    await parked_long_ago(store)
    await store.redis.delete(store.keys.bell)
    return lambda store: store.wake_calendar("w")


@path("heal_delayed", "what is not delayed any more")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.PARKED)
    await store.redis.zadd(store.keys.delayed_at("w", "parked"), {"gone:gone": 1})
    await store.redis.hset(store.keys.delayed, "retrying:w", "[]")
    await store.redis.zadd(store.keys.delayed_at("w", "retrying"), {f"{BID}:{part_id('1')}": 1})
    return lambda store: store.heal_delayed(0)


@path("heal_shares", "what an app does not hold, and is there")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await store.redis.delete(store.keys.open_of("hiring"))
    return lambda store: store.heal_shares(0, 0)


@path("heal_shares", "what an app holds, and is not there")
async def _(store: Store) -> Act:
    store.apps = ("hiring",)
    await accepting("first")(store)
    await store.redis.zadd(store.keys.open_of("hiring"), {"gone:gone": 0})
    return healing


async def healing(store: Store) -> object:
    store.apps = ("hiring",)
    return await store.heal_shares(1, 0)


@path("saw", "a revision that is newer than the record")
async def _(_store: Store) -> Act:
    return lambda store: store.saw(now_ms())


@path("release", "a part")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await store.redis.delete(store.keys.bell)
    claim = await claimed(store)
    return lambda store: store.release(claim)


@path("reconcile", "parts of every kind that nobody looks after")
async def _(store: Store) -> Act:
    await accepting("first", "12345")(store)
    await settled(store, WriteState.WRITTEN, "1")
    await claimed(store, "2")
    await store.redis.delete(f"arq:job:{store.keys.prefix}:{BID}:{part_id('3')}")
    parts = {f"{BID}:{part_id(each)}": int(each) for each in "12345"}
    await store.redis.zadd(store.keys.open, {**parts, "gone:gone": 0})
    await store.redis.delete(store.keys.bell)
    return lambda store: store.reconcile()


@path("reconcile", "a part that is held, and one that waits in the queue")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await claimed(store, "1")
    await store.redis.zadd(store.keys.open, {f"{BID}:{part_id(each)}": 1 for each in "12"})
    return lambda store: store.reconcile()


@path("reconcile", "a part that stands in a line, and what an earlier version queued")
async def _(store: Store) -> Act:
    await in_line(store)
    await store.redis.zadd(store.keys.open, {f"{BID}:{part_id(each)}": 1 for each in "12"})
    await store.redis.zadd(store.keys.queue, {f"{store.keys.prefix}:{BID}:{part_id('1')}:1": 1})
    await store.redis.delete(store.keys.lanes, store.keys.queue_of("hiring"))
    return lambda store: store.reconcile()


@path("resign", "an office that is held")
async def _(store: Store) -> Act:
    await store.elect("office", "holder", for_s=60)
    return lambda store: store.resign("office", "holder")


# -- accounts and consents


def _admitting(limits: Limits) -> Act:
    return lambda store: Accounts(store).admit(ACCOUNT, LANE, "holder", limits)


@path("admit", "a request for a slot, while another one has run out")
async def _(store: Store) -> Act:
    await Accounts(store).admit(ACCOUNT, LANE, "killed", Limits(at_a_time=3, slot_s=60))
    await store.redis.zadd(store.keys.account(LANE, "slots"), {"killed": 1})
    return _admitting(Limits(at_a_time=3))


@path("admit", "a request that has the only slot already")
async def _(store: Store) -> Act:
    await _admitting(Limits(at_a_time=1))(store)
    return _admitting(Limits(at_a_time=1))


@path("admit", "a request for a slot and for a token")
async def _(_store: Store) -> Act:
    return _admitting(Limits(at_a_time=3, a_second=10, burst=10))


@path("admit", "the first request of an account that was parked")
async def _(store: Store) -> Act:
    await Accounts(store).close(ACCOUNT, least_s=0, most_s=0, state="parked", reason="")
    return _admitting(Limits(at_a_time=3, a_second=10, burst=10))


def _closing(state: Any, least_s: float = 60) -> Act:
    return lambda store: Accounts(store).close(ACCOUNT, least_s=least_s, most_s=600, state=state, reason="r")


@path("close", "an account that works")
async def _(_store: Store) -> Act:
    return _closing("parked")


@path("close", "an account that is closed, for longer")
async def _(store: Store) -> Act:
    await _closing("paused")(store)
    return _closing("paused", 300)


@path("close", "an account that is closed, for another reason")
async def _(store: Store) -> Act:
    await _closing("paused")(store)
    return _closing("parked")


async def in_line(store: Store) -> None:
    await accepting("first")(store)
    for each in "12":
        await settling(await claimed(store, each), WriteState.PARKED, stands=standing())(store)
    await store.redis.delete(store.keys.bell)


@path("reopen", "an account for which parts wait")
async def _(store: Store) -> Act:
    await in_line(store)
    await _closing("parked")(store)
    return lambda store: Accounts(store).reopen(ACCOUNT, LANE)


@path("reopen", "a lane for which parts wait, of an account that works")
async def _(store: Store) -> Act:
    await in_line(store)
    return lambda store: Accounts(store).reopen(ACCOUNT, LANE)


@path("try_account", "a parked account for which parts wait")
async def _(store: Store) -> Act:
    await in_line(store)
    await _closing("parked")(store)
    return lambda store: Accounts(store).try_now(ACCOUNT, LANE)


@path("keep_consent", "a consent")
async def _(_store: Store) -> Act:
    return lambda store: store.run("keep_consent", keys=[store.keys.consent(ACCOUNT)], args=["sealed", ""])


# -- operators' and links


@path("ask", "a part to be looked at again")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.WRITTEN)
    await store.redis.delete(store.keys.bell)
    return lambda store: store.ask(BID, part_id("1"), "resync")


@path("ask", "a dead letter to be replayed")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.DEAD)
    letter = f"{BID}:{part_id('1')}:w"
    return lambda store: store.ask(BID, part_id("1"), "replay w", dead_letter=letter)


@path("cancel", "a booking that is over")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await settled(store, WriteState.WRITTEN)
    await store.redis.delete(store.keys.bell)
    return lambda store: store.cancel(BID)


def _restoring(*, gone: bool = False) -> Act:
    letter = DeadLetter(
        id=f"{BID}:{part_id('1')}:w",
        died_at=1,
        app="hiring",
        event_id="event",
        reason="transient",
        revision=now_ms() + 60_000,
        gone=gone,
        write=Write(id="w", calendar="c", address=None, state=WriteState.DEAD),
        part=Part(sequence_id="1"),
    )
    return lambda store: store.restore(letter)


@path("restore", "a dead letter of a booking that nobody knows")
async def _(_store: Store) -> Act:
    return _restoring()


@path("restore", "the dead removal of an event")
async def _(_store: Store) -> Act:
    return _restoring(gone=True)


@path("restore", "a dead letter of a booking that is over and withdrawn")
async def _(store: Store) -> Act:
    await accepting("first")(store)
    await store.cancel(BID)
    for each in "12":
        claim = await claimed(store, each)
        await store.settle(claim, [], ends_at=now_ms(), lease_s=60, keep_s=600, keep_at_least_s=60)
    return _restoring()


@path("amend_link", "a link that was made")
async def _(store: Store) -> Act:
    lid = await linked(store)
    return lambda store: store.link_made(lid, cronofy_id="cronofy", url="https://globex.example")


@path("amend_link", "a link that was disabled")
async def _(store: Store) -> Act:
    lid = await linked(store)
    await store.link_made(lid, cronofy_id="cronofy", url="https://globex.example")
    return lambda store: store.link_disabled("cronofy")
