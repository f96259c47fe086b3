"""`sequence-sync up`: everything on one machine."""

import asyncio
import os
from pathlib import Path

from admin.signals import Hangups, told_to_stop
from bookings.embedded import EmbeddedRedis
from cli.options import CommandError, settings_from
from cli.output import words
from cli.processes import Processes
from config.errors import ConfigError
from config.redis_url import RedisKind


async def run_all(config: Path | None, data_dir: Path | None, hangups: Hangups) -> None:
    """Runs Redis, receiver and worker until SIGTERM, SIGINT or until one of them ends.

    SIGHUP has both read the configuration again.
    """
    if data_dir is not None:
        os.environ["SEQUENCE_SYNC__REDIS__DATA_DIR"] = str(data_dir.absolute())
    settings = settings_from(config)
    if settings.redis.url.kind is not RedisKind.EMBEDDED:
        raise CommandError(
            f"`up` brings its own Redis, but redis.url is {settings.redis.url}; "
            'write "embedded" there, or start `receiver` and `worker` each by itself'
        )
    options = ("--config", str(config)) if config else ()
    stopped = asyncio.create_task(told_to_stop())
    async with EmbeddedRedis(settings.redis.data_dir), Processes() as processes:
        worker = await processes.start("worker", *options)
        receiver = await processes.start("receiver", *options)
        await processes.ready(_readyz(settings.worker.admin_host, settings.worker.admin_port), worker)
        await processes.ready(_readyz(settings.receiver.admin_host, settings.receiver.admin_port), receiver)
        words.print(
            f"ready: callbacks at http://127.0.0.1:{settings.receiver.port}/callbacks/APP, "
            f"data in {settings.redis.data_dir}"
        )
        ended = asyncio.create_task(processes.first_to_end())
        rereading = asyncio.create_task(_pass_on(hangups, processes, config))
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        rereading.cancel()
        if not stopped.done():
            stopped.cancel()
            raise CommandError(f"the {ended.result()} ended by itself; see above")
        ended.cancel()


async def _pass_on(hangups: Hangups, processes: Processes, config: Path | None) -> None:
    """Has all of them read a configuration again that all of them can use, and none of them any other."""
    while True:
        await hangups.told_to_reread()
        try:
            settings_from(config)
        except ConfigError as error:
            for line in ("the configuration stays as it was", *str(error).splitlines()):
                words.print(line)
        else:
            processes.have_configuration_reread()


def _readyz(host: str, port: int) -> str:
    """Where a process of this machine says whether it is ready."""
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    return f"http://{'127.0.0.1' if everywhere else host}:{port}/readyz"
