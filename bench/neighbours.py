"""How long healthy bookings take beside another mailbox's, account's or app's trouble."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp

from bench.figures import Bar, Figures, Findings, Row, percentile, ratio, take_turns
from bench.retention import KEPT, retention
from bench.troubles import (
    GO_ON,
    SLOW,
    TROUBLED,
    TROUBLES,
    Trouble,
    accept,
    add_places,
    make_mailboxes,
    put_up,
)
from bench.world import World, world
from bookings.accounts import Accounts
from bookings.store import Store

TITLE = "Neighbours"
OURS, ALONE = "beside it", "alone"
_SECONDS, _A_SECOND = 20, 5
_WITHIN_S = 120.0
_REPLY_S = 0.02


async def run(rounds: int) -> Findings:
    """Measures."""
    rows, bars = [], []
    async with world() as here:
        add_places(here)
        for workers in (1, 2):
            for case, trouble in TROUBLES.items():
                if trouble is None:
                    continue
                turns: dict[str, Callable[[], Awaitable[Figures]]] = {
                    OURS: partial(turn, here, trouble, workers),
                    ALONE: partial(turn, here, None, workers),
                }
                name = f"{case}; {workers} worker{'s'[: workers - 1]}"
                found = await take_turns(name, turns, rounds)
                rows += found
                beside, alone = found
                for figure, bar in (("p50 ms", 1.05), ("p99 ms", 2)):
                    bars.append(Bar(f"{figure}, {name}", ratio(beside, alone, figure), bar, at_least=False))
        left = await retention(here)
    rows += [Row(f"{KEPT:,} bookings that were written and kept for a second", OURS, left)]
    bars += [
        Bar("keys that are left of them", left["keys"][0], 0, at_least=False),
        Bar(
            "memory after them, against memory after as many before", left["memory"][0], 1.05, at_least=False
        ),
    ]
    return Findings(rows, bars)


async def turn(here: World, trouble: Trouble | None, workers: int) -> Figures:
    """Five healthy bookings a second, to Google and Microsoft by turns; how long from sent to written."""
    await here.empty()
    await make_mailboxes(here)
    await here.delay(_REPLY_S)
    store, mark = here.store(), f"{time.time():.0f}"
    async with _workers(here, workers):
        await asyncio.gather(
            *(accept(store, f"{mark}-warm-{each}", ("123", "456")[each % 2]) for each in range(20))
        )
        await asyncio.sleep(1)
        if trouble is not None:
            await trouble.begin(here, store, mark=f"{mark}-trouble")
        if trouble is not None and trouble is TROUBLES[GO_ON]:
            await _all_wait(store, trouble.parts)
            async with aiohttp.ClientSession(raise_for_status=True) as session:
                await session.delete(f"{here.sandbox.url}/_sandbox/faults")
            await here.delay(_REPLY_S)
            await put_up(here, [(SLOW, "trouble")])
            await Accounts(store).reopen("microsoft-hr", TROUBLED)
        sent = await _healthy(store, mark, told=trouble is not None and len(trouble.faults) == 2)
        ways = await _ways(store, sent)
    await store.redis.aclose()
    return {"p50 ms": percentile(ways, 0.5), "p99 ms": percentile(ways, 0.99), "slowest ms": max(ways)}


async def _healthy(store: Store, mark: str, *, told: bool) -> dict[str, float]:
    sent: dict[str, float] = {}
    begun = time.monotonic()
    for number in range(_SECONDS * _A_SECOND):
        await asyncio.sleep(begun + number / _A_SECOND - time.monotonic())
        at = time.time()
        sent[await accept(store, f"{mark}-{number}", ("123", "456")[number % 2])] = at
        if told and number % 10 == 0:
            await accept(store, f"{mark}-told-{number}", "told")
    return sent


async def _ways(store: Store, sent: Mapping[str, float]) -> list[float]:
    """How long each took until it was written, in milliseconds."""
    ways: list[float] = []
    async with asyncio.timeout(_WITHIN_S):
        for bid, at in sent.items():
            while True:
                found = await store.booking(bid)
                writes = [write for part in found.parts for write in part.writes] if found else []
                if writes and all(write.written_at for write in writes):
                    ways.append(max(write.written_at for write in writes) - 1000 * at)
                    break
                await asyncio.sleep(0.1)
    return ways


async def _all_wait(store: Store, parts: int) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while await store.redis.zcard(store.keys.account(TROUBLED, "waiting")) < parts:
            await asyncio.sleep(0.2)


@asynccontextmanager
async def _workers(here: World, count: int) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for number in range(count):
            await stack.enter_async_context(here.worker(number))
        yield
