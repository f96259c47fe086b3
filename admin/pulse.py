"""Feels a process's pulse: how late its event loop wakes timers, and how fast Redis answers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from admin.metrics import LOOP_LAG, REDIS_CLOCK, REDIS_ERRORS, REDIS_SECONDS, REDIS_UP
from bookings.clock import RecordClock
from bookings.patience import in_time
from bookings.refusals import named

_LOOP_EVERY_S = 0.5
_REDIS_EVERY_S = 1.0
_ANSWERED_WITHIN_S = 1.0
AGREES_WITHIN_S = 1.0
"""By how much Redis' clock may differ from the machine's with nothing said."""

_log = structlog.get_logger()


@asynccontextmanager
async def pulse(redis: Any, clock: RecordClock | None = None) -> AsyncIterator[None]:
    """Measures as long as it is entered, and has a clock go by Redis'. What it costs cannot be seen: two
    wake-ups and one round trip a second.
    """
    redis_pulse = _feel_redis(redis, clock or RecordClock())
    feeling = [asyncio.create_task(_feel_loop()), asyncio.create_task(redis_pulse)]
    try:
        yield
    finally:
        for each in feeling:
            each.cancel()
        await asyncio.gather(*feeling, return_exceptions=True)


async def _feel_loop() -> None:
    while True:
        began = time.monotonic()
        await asyncio.sleep(_LOOP_EVERY_S)
        LOOP_LAG.observe(max(0.0, time.monotonic() - began - _LOOP_EVERY_S))  # uvloop rounds to milliseconds


async def _feel_redis(redis: Any, clock: RecordClock) -> None:
    was_up, agreed = True, True
    while True:
        began = time.monotonic()
        try:
            ahead_s = await in_time(clock.ask(redis), within_s=_ANSWERED_WITHIN_S)
        except Exception as error:  # noqa: BLE001 - whatever it was, it was no answer
            up = False
            REDIS_ERRORS.inc()
            if was_up:
                _log.error("redis_does_not_answer", error=named(error))
        else:
            up = True
            REDIS_SECONDS.observe(time.monotonic() - began)
            REDIS_CLOCK.set(ahead_s)
            agrees = abs(ahead_s) <= AGREES_WITHIN_S
            if agrees != agreed:
                agreed = agrees
                log = _log.info if agrees else _log.warning
                log(
                    "clock_agrees_with_redis" if agrees else "clock_differs_from_redis",
                    ahead_s=round(ahead_s, 3),
                )
            if not was_up:
                _log.info("redis_answers_again")
        REDIS_UP.set(up)
        was_up = up
        await asyncio.sleep(max(0.0, began + _REDIS_EVERY_S - time.monotonic()))
