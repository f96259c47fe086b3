"""What honest callbacks notice of somebody without a secret who means harm: their times beside attacks."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from itertools import count
from time import perf_counter

import psutil

from bench.attacks import ATTACKS, attacked, head
from bench.callbacks import Signed, booking, signed
from bench.children import cpu_seconds, resident_mib
from bench.figures import Bar, Figures, Findings, Row, percentile, ratio
from bench.world import World, world

TITLE = "Hostile traffic"
NONE = "none"
_SECONDS = 6.0
_EVERY_S = 0.05
_ANSWERED_WITHIN_S = 30.0
_SETTLES_S = 1.0


async def run(rounds: int) -> Findings:
    """Measures."""
    figures: dict[str, list[Figures]] = {name: [] for name in (NONE, *ATTACKS)}
    numbers = count()
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(world(sandbox=False))
        receiver = await stack.enter_async_context(here.receiver())
        for _ in range(rounds):
            for name, found in figures.items():
                found.append(await _beside(name, here, receiver, numbers))
    rows = [
        Row("20 callbacks a second", name, {key: [each[key] for each in found] for key in found[0]})
        for name, found in figures.items()
    ]
    return Findings(rows, list(_bars(rows)))


def _bars(rows: list[Row]) -> Iterable[Bar]:
    none = rows[0]
    for row in rows[1:]:
        yield Bar(f"p99 beside {row.contender}", ratio(row, none, "p99 ms"), 10, at_least=False, unit="x")
        yield Bar(
            f"not taken beside {row.contender}", row.median("not taken"), 0, at_least=False, unit="callbacks"
        )


async def _beside(name: str, here: World, receiver: psutil.Process, numbers: Iterable[int]) -> Figures:
    callbacks = [
        signed(booking(f"booking-{number}"), here.secret)
        for number, _ in zip(numbers, range(int(_SECONDS / _EVERY_S)), strict=False)
    ]
    async with AsyncExitStack() as stack:
        if name != NONE:
            await stack.enter_async_context(attacked(name, here.ports.receiver, here.folder / "attack.log"))
            await asyncio.sleep(_SETTLES_S)
        cpu, began = cpu_seconds(receiver), perf_counter()
        times, statuses = await honest(here.ports.receiver, callbacks)
        memory = resident_mib(receiver)
        load = 100 * (cpu_seconds(receiver) - cpu) / (perf_counter() - began)
    await asyncio.sleep(_SETTLES_S)
    return {
        "p50 ms": 1000 * percentile(times, 0.5),
        "p99 ms": 1000 * percentile(times, 0.99),
        "not taken": len(callbacks) - statuses[202],
        "receiver MiB": memory,
        "receiver % of a core": load,
    }


async def honest(
    port: int, callbacks: Iterable[Signed], *, every_s: float = _EVERY_S
) -> tuple[list[float], Counter[int]]:
    """Sends callbacks one after the other, each when its time has come; gives their times and statuses."""
    sending: list[asyncio.Task[tuple[float, int]]] = []
    for each in callbacks:
        sending.append(asyncio.create_task(_send(port, each)))
        await asyncio.sleep(every_s)
    done = await asyncio.gather(*sending)
    return [taken for taken, _ in done], Counter(status for _, status in done)


async def _send(port: int, callback: Signed) -> tuple[float, int]:
    """Sends one over a connection of its own; gives how long it took, and the status, 0 where none came."""
    lines = (f"Cronofy-HMAC-SHA256: {callback.signature}", f"Content-Length: {len(callback.body)}")
    began, answer = perf_counter(), b""
    try:
        async with asyncio.timeout(_ANSWERED_WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head(*lines, "Connection: close") + callback.body)
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        pass
    return perf_counter() - began, int(answer[9:12] or 0)
