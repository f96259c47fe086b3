"""The job that every queue runs, and how it is enqueued and reported: alike for all."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable
from functools import cache
from inspect import isawaitable
from random import uniform

REDIS_URL = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/0")

Enqueue = Callable[[int, float], object]
"""Enqueues `job` or `async_job` with these arguments; may be a coroutine function."""


def job(enqueued: int, wait_s: float) -> None:
    """Runs in a thread or process. `enqueued` is when that was, in ns of the monotonic clock."""
    started = time.monotonic_ns()
    if wait_s:
        time.sleep(wait_s)
    _report(enqueued, started)


async def async_job(enqueued: int, wait_s: float) -> None:
    """Runs in an event loop."""
    started = time.monotonic_ns()
    if wait_s:
        await asyncio.sleep(wait_s)
    _report(enqueued, started)


async def obey(enqueue: Enqueue) -> None:
    """Enqueues as ordered: how many, how long each waits, and within which seconds to pause before each."""
    reader, writer = await asyncio.open_unix_connection(os.environ["BENCH_ORDERS"])
    while order := await reader.readline():
        count, wait_s, shortest_s, longest_s = json.loads(order)
        for _ in range(count):
            if longest_s:
                await asyncio.sleep(uniform(shortest_s, longest_s))  # noqa: S311
            enqueued = enqueue(time.monotonic_ns(), wait_s)
            if isawaitable(enqueued):
                await enqueued
        writer.write(b"done\n")


def _report(enqueued: int, started: int) -> None:
    _line().sendall(b"%d %d %d\n" % (enqueued, started, time.monotonic_ns()))


@cache
def _line() -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.connect(os.environ["BENCH_REPORTS"])
    return line
