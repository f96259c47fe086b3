"""The history of the last day, which every process of the fleet keeps."""

import asyncio
from functools import partial

from bookings.clock import now_ms
from bookings.history import DAY_MS, MINUTE_MS, History, Sample, history_kept
from bookings.store import Store
from tests.integration.calendars import World, one_part
from tests.waiting import until


async def test_one_process_takes_the_sample_of_a_minute(store: Store) -> None:
    history, minute = History(store), 1_795_262_400_000
    took = await asyncio.gather(*(history.sample(minute + each) for each in range(10)))
    assert sum(took) == 1
    assert await history.sample(minute + MINUTE_MS)
    assert [each.at - minute for each in await history.last_day(minute + MINUTE_MS)][1:] == [MINUTE_MS]


async def test_a_sample_is_what_there_is(world: World) -> None:
    await world.accept(one_part("789"))
    await world.find_no_route()
    await world.accept(one_part("123", event_id="other"))
    history, now = History(world.store), now_ms()
    await history.add(3)
    await history.add(4)
    await history.sample(now + 5000)
    [seen] = await history.last_day(now + 5000)
    assert (seen.written, seen.open, seen.dead) == (7, 1, 1)
    assert seen.oldest_ready_ms >= 0


async def test_a_day_is_kept_and_no_more(store: Store) -> None:
    history, now = History(store), 1_795_262_400_000
    for minutes in range(1450, -1, -1):
        await store.redis.lpush(store.keys.history, f"[{now - minutes * MINUTE_MS},0,0,0,0,0]")
    await history.sample(now + MINUTE_MS)
    assert await store.redis.llen(store.keys.history) == 1440
    day = await history.last_day(now + MINUTE_MS)
    assert isinstance(day[0], Sample)
    assert day[-1].at - day[0].at < DAY_MS
    assert [each.at for each in day] == sorted(each.at for each in day)


async def written_is(store: Store, total: bytes) -> bool:
    return bool(await store.redis.get(store.keys.written) == total)


async def test_what_processes_write_is_added_up_also_at_their_end(store: Store) -> None:
    written = 0
    async with history_kept(store, written=lambda: written, every_s=0.01), history_kept(store, every_s=0.01):
        written = 5
        await until(partial(written_is, store, b"5"))
        await until(partial(store.redis.llen, store.keys.history))
        written = 9
    assert await written_is(store, b"9")
    assert len(await History(store).last_day(now_ms())) == 1
