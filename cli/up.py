"""`sequence-sync up`: everything on one machine."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bookings.embedded import EmbeddedRedis
from cli.options import CommandError, settings_from
from cli.output import words
from cli.processes import Processes
from config.redis_url import RedisKind


async def run_all(config: Path | None, data_dir: Path | None) -> None:
    """Runs Redis, receiver and worker until SIGTERM, SIGINT or until one of them ends."""
    if data_dir is not None:
        os.environ["SEQUENCE_SYNC__REDIS__DATA_DIR"] = str(data_dir.absolute())
    settings = settings_from(config)
    if settings.redis.url.kind is not RedisKind.EMBEDDED:
        raise CommandError(
            f"`up` brings its own Redis, but redis.url is {settings.redis.url}; "
            'write "embedded" there, or start `receiver` and `worker` each by itself'
        )
    options = ("--config", str(config)) if config else ()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    async with EmbeddedRedis(settings.redis.data_dir), Processes() as processes:
        worker = await processes.start("worker", *options)
        receiver = await processes.start("receiver", *options)
        await processes.ready(f"http://127.0.0.1:{settings.worker.admin_port}/readyz", worker)
        await processes.ready(f"http://127.0.0.1:{settings.receiver.admin_port}/readyz", receiver)
        words.print(
            f"ready: callbacks at http://127.0.0.1:{settings.receiver.port}/callbacks/APP, "
            f"data in {settings.redis.data_dir}"
        )
        stopped = asyncio.create_task(stop.wait())
        ended = asyncio.create_task(processes.first_to_end())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done() and not stop.is_set():
            stopped.cancel()
            raise CommandError(f"the {ended.result()} ended by itself; see above")
        ended.cancel()
    sys.stderr.flush()
