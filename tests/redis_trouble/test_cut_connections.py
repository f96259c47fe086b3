"""The conversation with Redis breaks at each of its bytes; a repeat always ends in one whole booking."""

import asyncio
import json
import os
from collections.abc import Iterable

import pytest

from bookings.identity import booking_id
from bookings.store import Store
from tests.callbacks import SEQUENCING
from tests.redis_trouble.conftest import Rig
from tests.redis_trouble.proxy import Trouble

UNREADABLE = b'{"event":'
STRIDE = int(os.environ.get("CUT_STRIDE", "97"))
"""One request byte in so many is cut at. A prime, so that every field of every command is met; the replies and
the ends of the requests are cut at each byte."""


def points(count: int, *, stride: int) -> Iterable[int]:
    return sorted({*range(0, count, stride), *range(max(0, count - 20), count + 1)})


async def prepare(rig: Rig, *, known: bool, fresh: bool) -> None:
    """Empties Redis and sets up what the next delivery will find."""
    rig.proxy.arm()
    await rig.server.ask("FLUSHALL")
    if not known:
        await rig.server.ask("SCRIPT", "FLUSH")
    if fresh:
        await rig.disconnect()


async def check_stored_once(rig: Rig, body: bytes) -> None:
    """What is in Redis is one booking with both of its parts queued, or one dead letter."""
    store = Store(rig.redis, "sequence-sync")
    if body == UNREADABLE:
        assert (await store.counts()).items() >= {"open": 0, "dead": 1, "queue": 0}.items()
        return
    bookings = [booking async for booking in store.bookings()]
    assert [booking.id for booking in bookings] == [booking_id("hiring", "qTtZdczOccgaPncGJaCiLg")]
    assert [part.part.sequence_id for part in bookings[0].parts] == ["123", "456"]
    assert (await store.counts()).items() >= {"open": 2, "dead": 0, "queue": 2}.items()
    for job in await rig.redis.zrange("sequence-sync:queue", 0, -1):
        payload = json.loads(await rig.redis.get(b"arq:job:" + job))
        assert payload["a"][0] == bookings[0].id


@pytest.mark.parametrize("body", [SEQUENCING, UNREADABLE], ids=["booking", "unreadable"])
@pytest.mark.parametrize("known", [True, False], ids=["script known", "script unknown"])
@pytest.mark.parametrize("fresh", [True, False], ids=["new connection", "used connection"])
async def test_every_cut_is_answered_truthfully_and_a_repeat_stores_once(
    rig: Rig, body: bytes, known: bool, fresh: bool
) -> None:
    await rig.post(body)
    await prepare(rig, known=known, fresh=fresh)
    assert (await rig.post(body)).status == 202
    requests, replies = rig.proxy.requests, rig.proxy.replies
    cuts = [
        *(Trouble(requests=at) for at in points(requests, stride=STRIDE)),
        *(Trouble(replies=at) for at in points(replies, stride=1)),
    ]
    refused = 0
    for cut in cuts:
        await prepare(rig, known=known, fresh=fresh)
        rig.proxy.arm(cut)
        first = await rig.post(body)
        second = await rig.post(body)
        assert second.status in {200, 202}, cut
        if first.status == 202 and body == SEQUENCING:
            assert (second.status, second.data["revision"]) == (200, first.data["revision"]), cut
        refused += first.status == 503
        await check_stored_once(rig, body)
    assert refused >= len(cuts) // 2  # the cuts were felt


async def test_a_connection_cut_while_idle_is_not_felt(rig: Rig) -> None:
    await rig.post(UNREADABLE)
    await rig.server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await asyncio.sleep(0.5)
    assert (await rig.post(SEQUENCING)).status == 202


@pytest.mark.parametrize(
    "silence",
    [Trouble(requests=0), Trouble(requests=500), Trouble(replies=0)],
    ids=["connect", "command", "reply"],
)
async def test_a_conversation_that_falls_silent_is_given_up_in_time(rig: Rig, silence: Trouble) -> None:
    rig.proxy.arm(silence._replace(swallow=True))
    await rig.disconnect()
    assert (await rig.post(SEQUENCING)).status == 503
    assert (await rig.post(SEQUENCING)).status in {200, 202}
    await check_stored_once(rig, SEQUENCING)
