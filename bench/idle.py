"""How soon a worker at rest has an accepted callback in the calendar: from the 2xx to the event."""

from functools import partial

from bench.figures import Bar, Figures, Findings, percentile, ratio, take_turns
from bench.way import one_by_one, stored
from bench.world import World, world

TITLE = "From rest"
OURS, ARQ = "sequence-sync", "aiohttp and arq, defaults"
_CASE = "one callback at a time"
_CALLBACKS = 40
_PAUSE_S = (0.1, 0.4)


async def run(rounds: int) -> Findings:
    """Measures."""
    async with (
        world() as here,
        here.reference_receiver("arq_receiver", here.redis.url) as (_, arq_url),
        here.receiver(),
        here.worker(),
        here.google_worker("naive"),
    ):
        turns = {OURS: partial(_turn, here, here.url), ARQ: partial(_turn, here, arq_url)}
        found = {row.contender: row for row in await take_turns(_CASE, turns, rounds)}
    figure = "p50 ms"
    value = ratio(found[OURS], found[ARQ], figure)
    bars = [
        Bar("2xx to event, p50", found[OURS].median(figure), 10, at_least=False, unit="ms"),
        Bar(f"2xx to event, p50, against {ARQ}", value, 1 / 20, at_least=False, unit="x"),
    ]
    notes = ["The sandbox answers at once, and notes the time when the event stands in the calendar."]
    return Findings(list(found.values()), bars, notes)


async def _turn(here: World, url: str) -> Figures:
    await here.empty()
    await stored(here, [each.name for each in await one_by_one(here, url, "first", 2, _PAUSE_S)])
    sent = await one_by_one(here, url, "lone", _CALLBACKS, _PAUSE_S)
    there = await stored(here, (each.name for each in sent))
    waits = [1000 * (there[each.name] - each.answered) for each in sent]
    return {"p50 ms": percentile(waits, 0.5), "p99 ms": percentile(waits, 0.99)}
