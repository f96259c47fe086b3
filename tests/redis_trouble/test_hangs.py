"""A Redis that takes everything and answers nothing: the receiver answers all the same."""

import asyncio

from tests.callbacks import SEQUENCING
from tests.conftest import Settle
from tests.redis_trouble.conftest import Rig, numbered, receiver_at
from tests.waiting import comes


async def test_every_callback_is_answered_and_each_gets_its_own_answer_afterwards(rig: Rig) -> None:
    for number in range(4):
        await rig.post(numbered(number))
    rig.server.hang()
    answers = await asyncio.gather(*(rig.post(numbered(number)) for number in range(4, 100)))
    assert {answer.status for answer in answers} == {503}
    rig.server.resume()
    answers = [await rig.post(numbered(number)) for number in range(100)]
    assert {answer.status for answer in answers} <= {200, 202}
    assert [answer.data["event_id"] for answer in answers] == [f"booking-{number}" for number in range(100)]
    assert len({answer.data["revision"] for answer in answers[:4]}) == 4


async def test_a_probe_is_answered_in_words(rig: Rig) -> None:
    rig.server.hang()
    assert await rig.health.problems_ready() == ["Redis does not answer (TimeoutError)"]
    rig.server.resume()
    assert await rig.health.problems_ready() == []


async def test_callbacks_wait_for_a_free_connection(settle: Settle, rig: Rig) -> None:
    async with receiver_at(settle, rig.proxy.url, connections=2) as (receiver, _store):
        answers = await asyncio.gather(*(receiver.post(numbered(number)) for number in range(100)))
    assert {answer.status for answer in answers} == {202}


async def test_callbacks_that_wait_in_vain_for_a_free_connection_are_told_so(
    settle: Settle, rig: Rig
) -> None:
    async with receiver_at(settle, rig.proxy.url, connections=2) as (receiver, _store):
        rig.server.hang()
        answers = await comes(asyncio.gather(*(receiver.post(numbered(number)) for number in range(20))))
        assert {answer.status for answer in answers} == {503}
        assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
        rig.server.resume()
        assert (await receiver.post(SEQUENCING)).status == 202
