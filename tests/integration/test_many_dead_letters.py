"""A hundred thousand dead letters: pages, not scans."""

import msgspec

from bookings.dead_letters import DeadLetter, Filter, find
from bookings.record import Part, Write, WriteState
from bookings.store import Store

COUNT = 100_000


AT_ONCE = 2000
FILL = """
for number = ARGV[5], ARGV[1] - 1 do
    local writes = number % 10000 == 0 and ARGV[4] or ARGV[3]
    redis.call('HSET', KEYS[1] .. number, 'app', 'hiring', 'event_id', 'e' .. number, 'rev:p', '1', 'part:p', ARGV[2],
        'state:p', 'dead', 'writes:p', writes)
    redis.call('ZADD', KEYS[2], math.floor(number / 7), 'b' .. number .. ':p:w')
end
"""


async def fill(store: Store, count: int = COUNT) -> None:
    part = msgspec.json.encode(Part(sequence_id="123", event=msgspec.Raw(b'{"summary":"x"}')))
    usual, rare = (
        msgspec.json.encode(
            [Write(id="w", calendar="c", address=None, state=WriteState.DEAD, revision=1, reason=reason)]
        )
        for reason in ("permanent", "rare")
    )
    for first in range(0, count, AT_ONCE):
        last = min(first + AT_ONCE, count)
        await store.redis.eval(
            FILL, 2, store.keys.booking("b"), store.keys.dead, last, part, usual, rare, first
        )


async def first_page(store: Store) -> list[DeadLetter]:
    page = []
    async for letter in find(store, Filter()):
        page.append(letter)
        if len(page) == 50:
            break
    return page


async def test_the_first_page_reads_a_page_and_a_rare_one_is_found(store: Store) -> None:
    await fill(store)
    await store.redis.config_resetstat()
    page = await first_page(store)
    used = await store.redis.info("commandstats")
    assert used["cmdstat_hmget"]["calls"] <= 500
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
