"""Queries that would take long: for how long they compute, who else has to wait for that, and when they end."""

import asyncio

import pytest

from bench.largest import largest
from scheduler.availability import find_sequences
from scheduler.computing import Computing
from scheduler.engine.effort import Effort
from scheduler.query import Limit, Per
from tests.availability_words import needs, part, person, query
from tests.waiting import until

HARD = largest(0, any_order=True, limits=(Limit(Per.DAY, 3),))
LIGHT = query(part(needs(person("recruiter"))))


def test_what_was_not_looked_for_in_time_is_said_to_be_missing() -> None:
    answer = find_sequences(HARD, Effort(0.05))
    assert not answer.whole
    assert find_sequences(LIGHT, Effort(5)).whole


async def test_light_queries_are_answered_beside_many_hard_ones_of_the_same_app() -> None:
    computing = Computing()
    hard = [asyncio.ensure_future(computing.find(HARD, "hiring", within_s=30)) for _ in range(6)]
    light = await computing.find(LIGHT, "hiring", within_s=30)
    assert light.whole
    assert not any(each.done() for each in hard)
    computing.stop()
    assert not any(answer.whole for answer in await asyncio.gather(*hard))


async def test_the_queries_of_one_app_leave_threads_to_another() -> None:
    computing = Computing()
    hard = [asyncio.ensure_future(computing.find(HARD, "hiring", within_s=30)) for _ in range(40)]
    assert (await computing.find(LIGHT, "other", within_s=30)).whole
    computing.stop()
    assert not any(answer.whole for answer in await asyncio.gather(*hard))


async def test_a_query_that_nobody_waits_for_ends() -> None:
    computing = Computing()
    hard = asyncio.ensure_future(computing.find(HARD, "hiring", within_s=60))
    await until(lambda: computing.is_busy)
    hard.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hard
    await until(lambda: not computing.is_busy)


async def test_after_a_stop_what_still_comes_ends_at_once() -> None:
    computing = Computing()
    computing.stop()
    assert not (await computing.find(HARD, "hiring", within_s=60)).whole
