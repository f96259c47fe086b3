"""Waiting for Redis no longer than said."""

import asyncio

import pytest

from bookings.patience import in_time


async def test_work_that_cancels_itself_is_no_end_of_who_waits_for_it() -> None:
    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await in_time(work(), within_s=60)


async def test_who_is_cancelled_is_cancelled() -> None:
    waiting = asyncio.create_task(in_time(asyncio.sleep(3600), within_s=3600))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
