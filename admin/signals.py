"""How a process is told to stop."""

import asyncio
import signal


async def told_to_stop() -> None:
    """Waits for SIGTERM or SIGINT; from then on both wait for us, and no longer end the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await stop.wait()
