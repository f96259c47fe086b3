"""What follows from the figures of `bench.scale`, with the arithmetic."""

import os

from bench.figures import Row

_DAY_S = 86_400


def writes_of_one_redis(worker: Row, sets: Row, accepts: Row) -> str:
    """How many writes one Redis bears, from what a busy worker asks of it, reckoned in two ways.

    Args:
        worker: one that is busy.
        sets: the most that redis-benchmark gets, of the smallest command.
        accepts: the most that it gets of the script that accepts a callback.
    """
    busy, write, own = _busy(accepts), worker.median("Redis CPU ms"), worker.median("CPU ms")
    commands, each = sets.median("a second"), worker.median("Redis commands")
    writes = 1000 * busy / write
    return (
        f"Writes: redis-benchmark gets Redis {100 * busy:.0f} % busy, and a write takes {write:.2f} ms of it:"
        f" {1000 * busy:.0f} ms / {write:.2f} ms = {writes:,.0f} a second, as many as workers make with"
        f" {writes * own / 1000:.1f} cores at {own:.2f} ms each. By the number of commands,"
        f" {commands:,.0f} SETs a second / {each:.0f} = {commands / each:,.0f} a second."
    )


def callbacks_of_one_redis(worker: Row, receiver: Row, accepts: Row) -> str:
    """How many callbacks it bears, alone and together with the writes that they lead to."""
    accept, write = receiver.median("Redis CPU ms"), worker.median("Redis CPU ms")
    callbacks, own = accepts.median("a second"), receiver.median("CPU ms")
    both = 1000 * _busy(accepts) / (accept + 2 * write)
    return (
        f"Callbacks: redis-benchmark has it accept {callbacks:,.0f} a second, as many as receivers take in"
        f" with {callbacks * own / 1000:.1f} cores at {own:.2f} ms each. With the two writes of each,"
        f" {accept:.2f} + 2 x {write:.2f} ms of Redis: {both:,.0f} bookings a second,"
        f" {both * _DAY_S / 1e6:,.0f} million a day."
    )


def limit(most: Row, sandbox: Row) -> str:
    """What held up the most workers in this run."""
    rate, alone = most.median("a second"), sandbox.median("a second")
    parts = ("CPU ms", "sandbox CPU ms", "Redis CPU ms")
    ours, theirs, redis = (rate * most.median(each) / 1000 for each in parts)
    return (
        f"{most.contender} made {rate:,.0f} writes a second on {os.cpu_count()} cores: {ours:.2f} of these"
        f" were the workers', {theirs:.2f} the sandbox's, {redis:.2f} Redis', and with whatever else ran the"
        f" machine was {most.median('machine busy %'):.0f} % busy. Alone, the sandbox makes {alone:,.0f}"
        f" events a second: it had {100 * rate / alone:.0f} % of its most to do."
    )


def _busy(accepts: Row) -> float:
    """The share of its time that Redis has for commands; it waits for the disk in the rest."""
    return accepts.median("Redis busy %") / 100
