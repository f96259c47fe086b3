"""How a process is told to stop, and how a service is told to read its configuration again."""

import asyncio
import os
import signal
from typing import Any


async def told_to_stop() -> None:
    """Waits for SIGTERM or SIGINT; from then on both wait for us, and no longer end the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await stop.wait()


class Hangups:
    """SIGHUP: once this is made, it asks the process to read its configuration again, and no longer ends it.

    Under nohup as well: what nohup prevents is the end of the process. Only where standard input was a
    terminal and is none any more, that was closed, and the process ends as it always did.

    Make it before the configuration is read for the first time, so that no change is missed.
    """

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._had_terminal = _has_terminal()
        signal.signal(signal.SIGHUP, self._hear)

    async def told_to_reread(self) -> None:
        """Waits until it is asked for, or was since the last time."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hear)
        await self._asked.wait()
        self._asked.clear()

    def _hear(self, *_: Any) -> None:
        if self._had_terminal and not _has_terminal():
            signal.raise_signal(signal.SIGTERM)
        else:
            self._asked.set()


def _has_terminal() -> bool:
    return os.isatty(0)
