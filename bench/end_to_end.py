"""From a callback's first byte to the event that stands in the calendar, at several rates."""

from functools import partial

from bench.figures import Figures, Findings, percentile, take_turns
from bench.way import at_a_rate, stored
from bench.world import World, world

TITLE = "End to end"
OURS = "sequence-sync"
_RATES = (10, 100, 500)
_SECONDS = 3.5
"""The sandbox remembers 2,000 requests."""


async def run(rounds: int) -> Findings:
    """Measures."""
    async with world() as here, here.receiver(), here.worker():
        rows = []
        for rate in _RATES:
            rows += await take_turns(f"{rate} callbacks/s", {OURS: partial(_turn, here, rate)}, rounds)
    note = (
        "One receiver, one worker, Redis with appendfsync always, the sandbox (which answers at once) and "
        "what sends the callbacks share the machine's cores."
    )
    return Findings(rows, notes=[note])


async def _turn(here: World, rate: int) -> Figures:
    await here.empty()
    await stored(here, [each.name for each in await at_a_rate(here, here.url, "warm", 20, 20)])
    sent = await at_a_rate(here, here.url, "steady", int(rate * _SECONDS), rate)
    there = await stored(here, (each.name for each in sent))
    ways = [1000 * (there[each.name] - each.sent) for each in sent]
    answered = [1000 * (each.answered - each.sent) for each in sent]
    return {
        "answered p50 ms": percentile(answered, 0.5),
        "answered p99 ms": percentile(answered, 0.99),
        "p50 ms": percentile(ways, 0.5),
        "p99 ms": percentile(ways, 0.99),
    }
