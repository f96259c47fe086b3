"""The record's scripts, each against what may come in between."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from arq.jobs import deserialize_job_raw
from msgspec.structs import replace

from bookings import queue
from bookings.errors import LeaseLost
from bookings.identity import booking_id, part_id
from bookings.leases import Claim
from bookings.record import Part, Write, WriteState
from bookings.store import Store
from receiver.callback import Callback, read_callback
from tests.callbacks import SEQUENCING, moved
from tests.waiting import until

BID = booking_id("hiring", "qTtZdczOccgaPncGJaCiLg")
PID = part_id("123")


async def accept(store: Store, body: bytes = SEQUENCING) -> int:
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    accepted = await store.accept(
        app="hiring", event_id=str(callback.event_id), delivery=f"d{hash(body) & 0xFFFF}", parts=callback.parts,
        link=None, window_s=1, queue_limit=100, dead_letters_limit=100,
    )  # fmt: skip
    return accepted.revision


async def claim(store: Store, holder: str = "a", *, lease_s: float = 10) -> Claim:
    claimed = await store.claim(BID, PID, holder=holder, lease_s=lease_s)
    assert claimed is not None
    return claimed


async def settle(store: Store, claimed: Claim, *writes: Write, ends_at: int = 0) -> Claim | None:
    return await store.settle(claimed, writes, ends_at=ends_at, lease_s=10, keep_s=100, keep_at_least_s=50)


def write(state: WriteState, *, due_at: int = 0) -> Write:
    return Write(id="w", calendar="c", address=None, state=state, due_at=due_at)


async def test_arq_reads_the_jobs_that_our_script_queues(store: Store, redis: Any) -> None:
    await accept(store)
    jobs = await redis.zrange(store.keys.queue_of("hiring"), 0, -1, withscores=True)
    payload = await redis.get(b"arq:job:" + jobs[0][0])
    function, arguments, _, attempt, at = deserialize_job_raw(payload, deserializer=json.loads)
    assert (function, tuple(arguments)) == (queue.FUNCTION, (BID, PID))
    assert attempt is None
    assert at == jobs[0][1]


async def test_a_revision_is_at_least_the_clock_and_always_higher(store: Store, redis: Any) -> None:
    seconds, _ = await redis.time()
    first = await accept(store)
    assert first >= seconds * 1000
    await redis.hset(store.keys.booking(BID), "revision", str(first + 1_000_000))
    assert await accept(store, moved(1)) == first + 1_000_001


async def test_a_part_has_one_holder_at_a_time(store: Store) -> None:
    await accept(store)
    claims = await asyncio.gather(
        *(store.claim(BID, PID, holder=str(number), lease_s=10) for number in range(20))
    )
    assert len([each for each in claims if each is not None]) == 1


async def test_a_claim_whose_answer_was_lost_is_given_again(store: Store) -> None:
    await accept(store)
    first, again = await claim(store, "a"), await claim(store, "a")
    assert replace(again, at=first.at) == first


async def test_a_lease_that_ran_out_is_taken_over_and_the_late_holder_changes_nothing(store: Store) -> None:
    await accept(store)
    late = await claim(store, "a", lease_s=0.01)
    await asyncio.sleep(0.02)
    newer = await claim(store, "b")
    assert int(newer.fence) > int(late.fence)
    with pytest.raises(LeaseLost):
        await store.journal(late, [write(WriteState.WRITING)], lease_s=10)
    with pytest.raises(LeaseLost):
        await settle(store, late, write(WriteState.WRITTEN))
    assert await settle(store, newer, write(WriteState.WRITTEN)) is None


async def test_what_was_journalled_is_there_for_the_next_holder(store: Store) -> None:
    await accept(store)
    first = await claim(store, "a", lease_s=10)
    await store.journal(first, [write(WriteState.WRITING)], lease_s=0.01)
    await asyncio.sleep(0.02)
    assert (await claim(store, "b")).writes == (write(WriteState.WRITING),)


async def test_the_lease_lasts_as_long_as_it_is_renewed(store: Store) -> None:
    await accept(store)
    held = await claim(store, "a", lease_s=0.05)
    await store.journal(held, None, lease_s=60)
    await asyncio.sleep(0.06)
    assert await store.claim(BID, PID, holder="b", lease_s=1) is None


async def test_a_revision_that_came_in_meanwhile_is_given_to_the_holder(store: Store) -> None:
    await accept(store)
    held = await claim(store)
    newest = await accept(store, moved(1))
    again = await settle(store, held, write(WriteState.WRITTEN))
    assert again is not None
    assert again.revision == newest
    assert bytes(again.desired.event) != bytes(held.desired.event)
    assert await settle(store, again, write(WriteState.WRITTEN)) is None


async def test_an_open_part_is_queued_for_when_it_is_due(store: Store, redis: Any) -> None:
    await accept(store)
    seconds, _ = await redis.time()
    due = (seconds + 60) * 1000
    await settle(store, await claim(store), write(WriteState.RETRYING, due_at=due))
    newest = (await redis.zrange(store.keys.queue_of("hiring"), -1, -1, withscores=True))[0]
    assert newest[1] == due
    assert (await store.counts())["open"] == 2
    assert (await redis.pttl(b"arq:job:" + newest[0])) > 60_000


async def test_a_record_expires_only_when_everything_in_it_is_done(store: Store, redis: Any) -> None:
    await accept(store)
    key = store.keys.booking(BID)
    await settle(store, await claim(store), write(WriteState.WRITTEN))
    assert await redis.pttl(key) == -1
    other = await store.claim(BID, part_id("456"), holder="a", lease_s=10)
    assert other is not None
    await settle(store, other, write(WriteState.DEAD))
    assert await redis.pttl(key) == -1
    await redis.hset(key, f"state:{part_id('456')}", "open")
    other = await store.claim(BID, part_id("456"), holder="b", lease_s=10)
    assert other is not None
    await settle(store, other, write(WriteState.WRITTEN))
    assert 45_000 < await redis.pttl(key) <= 50_000
    await accept(store, moved(1))
    assert await redis.pttl(key) == -1


async def test_a_record_is_kept_for_a_time_after_its_last_part_is_over(store: Store, redis: Any) -> None:
    await accept(store)
    seconds, _ = await redis.time()
    await settle(store, await claim(store), write(WriteState.WRITTEN), ends_at=(seconds + 1000) * 1000)
    other = await store.claim(BID, part_id("456"), holder="a", lease_s=10)
    assert other is not None
    await settle(store, other, write(WriteState.WRITTEN), ends_at=(seconds + 10) * 1000)
    assert abs(await redis.pttl(store.keys.booking(BID)) - 1_100_000) < 60_000


async def test_a_dead_letter_goes_when_its_write_is_no_longer_dead(store: Store) -> None:
    await accept(store)
    await settle(store, await claim(store), write(WriteState.DEAD))
    assert [letter for letter, _ in await store.dead_letters(limit=5)] == [f"{BID}:{PID}:w"]
    await accept(store, moved(1))
    await settle(store, await claim(store), write(WriteState.WRITTEN))
    assert await store.dead_letters(limit=5) == []


async def test_what_stays_dead_died_when_it_died_first(store: Store) -> None:
    await accept(store)
    await settle(store, await claim(store), write(WriteState.DEAD))
    [(_, died_at)] = await store.dead_letters(limit=5)
    await asyncio.sleep(0.01)
    await store.ask(BID, PID, "resync")
    await settle(store, await claim(store), write(WriteState.DEAD))
    assert [at for _, at in await store.dead_letters(limit=5)] == [died_at]


async def overdue(store: Store, redis: Any) -> None:
    for member in await redis.zrange(store.keys.open, 0, -1):
        await redis.zadd(store.keys.open, {member: 0})


async def test_parts_without_a_job_are_queued_again(store: Store, redis: Any) -> None:
    await accept(store)
    await redis.delete(store.keys.queue_of("hiring"))
    await overdue(store, redis)
    assert await store.reconcile() == (2, 2)
    assert (await store.counts())["queue"] == 2
    assert await store.reconcile() == (0, 0)


async def test_a_job_without_payload_is_no_job(store: Store, redis: Any) -> None:
    await accept(store)
    for key in await redis.keys("arq:job:*"):
        await redis.delete(key)
    await overdue(store, redis)
    assert (await store.reconcile())[1] == 2


async def test_parts_that_only_wait_in_a_long_queue_are_left_there(store: Store, redis: Any) -> None:
    await accept(store)
    await overdue(store, redis)
    assert await store.reconcile() == (2, 0)


async def test_a_part_under_lease_is_left_to_its_holder(store: Store, redis: Any) -> None:
    await accept(store)
    await claim(store)
    await redis.delete(store.keys.queue_of("hiring"))
    await redis.zadd(store.keys.open, {f"{BID}:{PID}": 0})
    assert await store.reconcile() == (1, 0)


async def test_a_part_whose_holder_died_is_queued_again_when_the_lease_is_over(
    store: Store, redis: Any
) -> None:
    await accept(store)
    await store.take(limit=10)
    await claim(store, lease_s=0.01)
    await asyncio.sleep(0.02)
    assert await store.reconcile() == (1, 1)


async def test_one_process_holds_an_office_at_a_time(store: Store) -> None:
    assert await store.elect("reconciler", "a", for_s=60)
    assert not await store.elect("reconciler", "b", for_s=60)
    assert await store.elect("another office", "b", for_s=0.05)
    await until(lambda: store.elect("another office", "c", for_s=60))


async def test_bookings_of_a_state_are_found_without_reading_the_others(store: Store, redis: Any) -> None:
    await accept(store)
    await settle(store, await claim(store), write(WriteState.DEAD))
    other = await store.claim(BID, part_id("456"), holder="a", lease_s=10)
    assert other is not None
    assert [each.id async for each in store.bookings_of_state("open")] == [BID]
    assert [each.id async for each in store.bookings_of_state("dead")] == []
    await settle(store, other, write(WriteState.WRITTEN))
    await redis.zadd(store.keys.index, {f"done{number}": number for number in range(5000)})
    before = (await redis.info("stats"))["total_commands_processed"]
    assert [each.id async for each in store.bookings_of_state("dead")] == [BID]
    assert (await redis.info("stats"))["total_commands_processed"] - before < 20
    assert [each.id async for each in store.bookings_of_state("open")] == []


async def test_what_has_expired_leaves_the_index_in_time(store: Store, redis: Any) -> None:
    await accept(store)
    await redis.zadd(store.keys.index, {f"expired{number}": number for number in range(500)})
    cursor = await store.prune_index(0)
    while cursor:
        cursor = await store.prune_index(cursor)
    assert await redis.zrange(store.keys.index, 0, -1) == [BID.encode()]


async def test_bookings_are_listed_newest_first(store: Store) -> None:
    for event_id in ("one", "two", "three"):
        await store.accept(
            app="hiring", event_id=event_id, delivery=event_id, parts=[Part(sequence_id="1", event=SEQUENCING_EVENT)],
            link=None, window_s=1, queue_limit=100, dead_letters_limit=100,
        )  # fmt: skip
        await asyncio.sleep(0.002)
    assert [booking.event_id async for booking in store.bookings()] == ["three", "two", "one"]


SEQUENCING_EVENT = read_callback(SEQUENCING).parts[0].event  # type: ignore[union-attr]


async def finish(store: Store) -> None:
    """Has both parts done, so that the record is going to expire."""
    for pid in (PID, part_id("456")):
        held = await store.claim(BID, pid, holder="a", lease_s=10)
        assert held is not None
        await settle(store, held, write(WriteState.WRITTEN))
    assert await store.redis.pttl(store.keys.booking(BID)) > 0
    assert (await store.counts())["open"] == 0


async def test_what_an_operator_has_done_again_expires_no_more(store: Store) -> None:
    for again in (partial(store.ask, BID, PID, "resync"), partial(store.cancel, BID)):
        await accept(store)
        await finish(store)
        assert await again()
        assert await store.redis.pttl(store.keys.booking(BID)) == -1
        await store.redis.flushall()


async def test_a_cancellation_is_newer_than_what_it_cancels_whatever_the_clock_says(store: Store) -> None:
    ahead = await accept(store) + 1_000_000
    await store.redis.hset(store.keys.booking(BID), "revision", str(ahead))
    await store.cancel(BID)
    assert (await claim(store)).revision == ahead + 1


async def test_a_fence_is_at_least_the_clock_and_always_higher(store: Store) -> None:
    accepted_at = await accept(store)
    first = await claim(store, "a", lease_s=0.001)
    assert int(first.fence) >= accepted_at
    ahead = int(first.fence) + 1_000_000
    await store.redis.hset(store.keys.booking(BID), "fence", str(ahead))
    await asyncio.sleep(0.01)
    assert int((await claim(store, "b")).fence) == ahead + 1


async def test_however_many_jobs_there_are_the_bell_rings_once(store: Store) -> None:
    for hours in range(5):
        await accept(store, moved(hours))
    assert await store.redis.llen(store.keys.bell) == 1
    assert await store.bell(within_s=1)


async def test_an_office_is_given_back_by_its_holder_only(store: Store) -> None:
    assert await store.elect("reconciler", "a", for_s=60)
    await store.resign("reconciler", "b")
    assert not await store.elect("reconciler", "b", for_s=60)
    await store.resign("reconciler", "a")
    assert await store.elect("reconciler", "b", for_s=60)


async def test_a_job_whose_worker_was_killed_before_it_claimed_the_part_is_queued_again(store: Store) -> None:
    await accept(store)
    assert len((await store.take(limit=10))[0]) == 2
    await overdue(store, store.redis)
    assert await store.reconcile() == (2, 2)


async def test_what_is_finished_is_not_queued_again_whatever_the_index_says(store: Store) -> None:
    await accept(store)
    await finish(store)
    await store.redis.zadd(store.keys.open, {f"{BID}:{PID}": 0})
    assert await store.reconcile() == (1, 0)
    assert (await store.counts())["open"] == 0
