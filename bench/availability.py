"""How long the availability engine takes for the largest query that is allowed, beside an interval sweep."""

import gc
import time
from functools import partial
from typing import Protocol

from bench.figures import Bar, Figures, Findings, percentile, ratio, take_turns
from bench.interval_sweep import sweep
from bench.largest import largest
from scheduler.availability import find_sequences
from scheduler.query import Query

TITLE = "Availability engine"
OURS, SWEEP = "sequence-sync", "interval sweep"
_BUSY = "5 parts, 10 people with 200 meetings each, 50 periods in 35 days"
_CASES = {
    _BUSY: largest(0),
    "the same, 150 meetings each": largest(0, meetings=150),
    "the same, parts in any order": largest(0, any_order=True),
    "the same, nobody busy": largest(0, meetings=0),
}
_MOST_MS = 3.0
_SECONDS = 0.5


class Engine(Protocol):
    """Finds sequences."""

    def __call__(self, query: Query, /) -> object:
        """What it answers."""


async def run(rounds: int) -> Findings:
    """Measures. The bar in milliseconds is for the first case; in others most time goes into the answers."""
    rows, bars, notes = [], [], []
    for case, query in _CASES.items():
        answers = find_sequences(query)
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
    return Findings(rows, bars, notes)


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
