"""How long the availability engine takes for the largest query that is allowed, beside an interval sweep."""

import gc
import time
from functools import partial
from typing import Protocol

from bench.figures import Bar, Figures, Findings, percentile, ratio, take_turns
from bench.interval_sweep import sweep
from bench.largest import largest, weeks
from scheduler.availability import find_sequences
from scheduler.engine.effort import Effort
from scheduler.query import Limit, Per, Query

TITLE = "Availability engine"
OURS, SWEEP = "sequence-sync", "interval sweep"
_BUSY = "5 parts, 10 people with 200 meetings each, 50 periods in 35 days"
_CASES = {
    _BUSY: largest(0, apart=False),
    "the same, 150 meetings each": largest(0, meetings=150, apart=False),
    "the same, parts in any order": largest(0, any_order=True, apart=False),
    "the same, nobody busy": largest(0, meetings=0, apart=False),
}
_TIED = {
    "buffers between the parts of one person": largest(0),
    "the same, at most two a day each": largest(0, limits=(Limit(Per.DAY, 2),)),
    "the same, in any order": largest(0, any_order=True, limits=(Limit(Per.DAY, 2),)),
    "one person, any order, one a day, 35 days": weeks(1, 1, Limit(Per.DAY, 1)),
    "five of ten, any order, one a day, 35 days": weeks(10, 5, Limit(Per.DAY, 1)),
    "five of ten, any order, two a week, 35 days": weeks(10, 5, Limit(Per.WEEK, 2)),
}
"""Parts that are tied to each other. The sweep knows nothing of that; the tests compare with an oracle."""
_MOST_MS = 3.0
_MOST_TIED_MS = 50.0
_CEILING_S = 1.0
_SECONDS = 0.5


class Engine(Protocol):
    """Finds sequences."""

    def __call__(self, query: Query, /) -> object:
        """What it answers."""


async def run(rounds: int) -> Findings:
    """Measures. The bar in milliseconds is for the first case; in others most time goes into the answers."""
    rows, bars, notes = [], [], []
    for case, query in _CASES.items():
        answers = find_sequences(query).sequences
        if list(answers) != sweep(query):
            raise RuntimeError(f"{case}: the two engines do not agree")
        notes.append(f"{case}: {len(answers)} sequences")
        turns = {OURS: partial(_measure, find_sequences, query), SWEEP: partial(_measure, sweep, query)}
        ours, reference = await take_turns(case, turns, rounds)
        rows += [ours, reference]
        if case == _BUSY:
            bars.append(Bar(case, ours.median("p50 ms"), _MOST_MS, at_least=False, unit="ms"))
        value = ratio(ours, reference, "p50 ms")
        bars.append(Bar(f"time of the {SWEEP}'s, {case}", value, 1, at_least=False, unit="x"))
    for case, query in _TIED.items():
        found, whole = find_sequences(query, Effort(_CEILING_S))
        notes.append(f"{case}: {len(found)} sequences, {'whole' if whole else 'not whole'}")
        turns = {OURS: partial(_measure, _bounded, query)}
        rows += await take_turns(case, turns, rounds)
        bars.append(Bar(case, rows[-1].median("p50 ms"), _MOST_TIED_MS, at_least=False, unit="ms"))
    return Findings(rows, bars, notes)


def _bounded(query: Query) -> object:
    return find_sequences(query, Effort(_CEILING_S))


async def _measure(engine: Engine, query: Query) -> Figures:
    """Lets an engine answer the same query again and again for a while."""
    took = []
    gc.collect()
    until = time.perf_counter() + _SECONDS
    while time.perf_counter() < until:
        start = time.perf_counter()
        engine(query)
        took.append(1000 * (time.perf_counter() - start))
    return {"p50 ms": percentile(took, 0.5), "p95 ms": percentile(took, 0.95), "least ms": min(took)}
