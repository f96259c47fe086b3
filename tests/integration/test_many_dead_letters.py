"""A hundred thousand dead letters: pages, not scans."""

import time

import msgspec

from bookings.dead_letters import Filter, find
from bookings.record import Part, Write, WriteState
from bookings.store import Store

COUNT = 100_000


async def fill(store: Store, count: int = COUNT) -> None:
    part = msgspec.json.encode(Part(sequence_id="1", event=msgspec.Raw(b'{"summary":"x"}')))
    for start in range(0, count, 5000):
        async with store.redis.pipeline(transaction=False) as pipe:
            for number in range(start, start + 5000):
                reason = "rare" if number % 10_000 == 0 else "permanent"
                write = Write(
                    id="w", calendar="c", address=None, state=WriteState.DEAD, revision=1, reason=reason
                )
                fields = {
                    "app": "hiring", "event_id": f"e{number}", "rev:p": "1", "part:p": part, "state:p": "dead",
                    "writes:p": msgspec.json.encode([write]),
                }  # fmt: skip
                pipe.hset(store.keys.booking(f"b{number}"), mapping=fields)
                pipe.zadd(store.keys.dead, {f"b{number}:p:w": number // 7})
            await pipe.execute()


async def test_the_first_page_comes_at_once_and_a_rare_one_is_found(store: Store) -> None:
    await fill(store)
    started = time.perf_counter()
    page = []
    async for letter in find(store, Filter()):
        page.append(letter)
        if len(page) == 50:
            break
    assert time.perf_counter() - started <= 0.2
    assert [letter.died_at for letter in page] == sorted((letter.died_at for letter in page), reverse=True)

    rare = [letter.event_id async for letter in find(store, Filter(reason="rare"))]
    assert sorted(rare) == sorted(f"e{number}" for number in range(0, COUNT, 10_000))
    window = [letter async for letter in find(store, Filter(since=100, until=200))]
    assert len(window) == 707
    assert len({letter.id for letter in window}) == 707


async def test_what_goes_while_they_are_read_hides_nothing(store: Store) -> None:
    await fill(store, 5000)
    seen = set()
    async for letter in find(store, Filter(until=500)):
        seen.add(letter.id)
        await store.redis.zrem(store.keys.dead, letter.id)
    assert len(seen) == 501 * 7
