"""Processes of a benchmark: each contender is one of its own, and ends with us."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil

from bookings.embedded import end_with_parent

_READY_WITHIN_S = 30.0


@asynccontextmanager
async def child(
    *command: str, log: Path, environment: Mapping[str, str] = {}, folder: Path | None = None
) -> AsyncIterator[psutil.Process]:
    """Runs a command as long as it is entered; what it says goes to `log`."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **environment},
            cwd=folder,
            preexec_fn=end_with_parent,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()
            await process.wait()


async def answers(url: str, log: Path) -> None:
    """Waits until `url` answers. Raises `TimeoutError`."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                while True:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        async with session.get(url) as response:
                            if response.status < 500:
                                return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise TimeoutError(f"{url} does not answer; see {log}") from None


def cpu_seconds(*processes: psutil.Process) -> float:
    """How much CPU they have used so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def resident_mib(process: psutil.Process) -> float:
    """How much memory it has in use."""
    return float(process.memory_info().rss) / 2**20
