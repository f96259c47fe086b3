"""Where jobs report to, and where their enqueuer takes orders from; see references/queues/jobs.py."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

_SILENT_S = 20.0
_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Run(NamedTuple):
    """One run of a job; times in ns of the monotonic clock."""

    enqueued: int
    started: int
    ended: int


class Lost(Exception):
    """Jobs were not run once each, or a process does not answer."""


class Desk:
    """One for all turns; each turn has an enqueuer of its own."""

    def __init__(self) -> None:
        self._enqueuers: asyncio.Queue[_Line] = asyncio.Queue()
        self._heard: list[bytearray] = []
        self._more = asyncio.Event()

    async def enqueuer(self) -> "Enqueuer":
        """The one that was just started. Raises `Lost`."""
        try:
            return Enqueuer(*await asyncio.wait_for(self._enqueuers.get(), _SILENT_S))
        except TimeoutError:
            raise Lost("the enqueuer does not start") from None

    async def runs(self, count: int) -> list[Run]:
        """Waits for so many reports and forgets them. Raises `Lost`."""
        while (heard := sum(each.count(b"\n") for each in self._heard)) < count:
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), _SILENT_S)
            except TimeoutError:
                raise Lost(f"{heard} of {count} jobs ran, and no other for {_SILENT_S:.0f} s") from None
        runs = [Run(*map(int, line.split())) for each in self._heard for line in each.splitlines()]
        for each in self._heard:
            each.clear()
        if len({run.enqueued for run in runs}) != len(runs):
            raise Lost(f"{len(runs)} runs of {len({run.enqueued for run in runs})} jobs")
        return runs

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes in what one worker, thread or forked process has to say."""
        heard = bytearray()
        self._heard.append(heard)
        while data := await reader.read(2**16):
            heard += data
            self._more.set()
        writer.close()

    def admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes note of an enqueuer."""
        self._enqueuers.put_nowait((reader, writer))


class Enqueuer(NamedTuple):
    """A contender's process that enqueues."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def enqueue(self, count: int, *, wait_s: float, pause_s: tuple[float, float] = (0, 0)) -> None:
        """Has it enqueue so many, with a random pause before each. Raises `Lost`."""
        self.writer.write(json.dumps([count, wait_s, *pause_s]).encode() + b"\n")
        if await self.reader.readline() != b"done\n":
            raise Lost("the enqueuer ended")


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[tuple[Desk, dict[str, str]]]:
    """Opens one, and says what the processes need in their environment."""
    opened = Desk()
    orders, reports = str(folder / "orders"), str(folder / "reports")
    async with (
        await asyncio.start_unix_server(opened.admit, orders),
        await asyncio.start_unix_server(opened.hear, reports),
    ):
        yield opened, {"BENCH_ORDERS": orders, "BENCH_REPORTS": reports}
