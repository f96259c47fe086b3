"""Runs wrk over prepared callbacks, and reads what it found."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.callbacks import Signed
from bench.tools import tool

_SCRIPT = Path(__file__).with_name("wrk.lua")


class Seen(msgspec.Struct, frozen=True):
    """What came back: how many of each status, in which time."""

    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int
    statuses: dict[int, int]

    @property
    def answers(self) -> int:
        """How many answers there were."""
        return sum(self.statuses.values())


class Load:
    """Callbacks in a file, to be sent as fast as they are answered."""

    def __init__(self, path: Path, callbacks: Sequence[Signed]) -> None:
        self.path = path
        with path.open("wb") as file:
            for each in callbacks:
                file.write(each.signature.encode() + b"\n" + each.body + b"\n")

    async def send(self, url: str, *, connections: int, seconds: int) -> Seen:
        """Sends them over so many connections; each once, then from the start again."""
        process = await asyncio.create_subprocess_exec(
            *(tool("wrk"), "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"),
            *("--script", str(_SCRIPT), url),
            env={**os.environ, "BENCH_CALLBACKS": str(self.path), "BENCH_THREADS": "1"},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        return msgspec.json.decode(said.splitlines()[-1], type=Seen, strict=False)
