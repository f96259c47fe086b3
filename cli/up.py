"""`sequence-sync up`: everything on one machine."""

import asyncio
import os
import time
from pathlib import Path

from admin.signals import Hangups, told_to_stop
from bookings.about_redis import Loading
from bookings.embedded import EmbeddedRedis
from cli.options import CommandError, settings_from
from cli.output import words
from cli.own_addresses import own_address
from cli.processes import Processes
from config.errors import ConfigError
from config.redis_url import RedisKind
from config.references import USES_OF
from config.secrets import secrets_in
from config.settings import Settings

_TOLD_EVERY_S = 5.0


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
    stopped = asyncio.create_task(told_to_stop())
    running = asyncio.create_task(_run(settings, config, hangups))
    try:
        await asyncio.wait({stopped, running}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        stopped.cancel()
        running.cancel()
        await asyncio.wait({running})


async def _run(settings: Settings, config: Path | None, hangups: Hangups) -> None:
    """Runs all of it until one of them ends; cancelled, at whatever stage, it ends what it has started."""
    options = ("--config", str(config)) if config else ()
    of_worker, of_receiver = settings.worker, settings.receiver
    async with EmbeddedRedis(settings.redis.data_dir, tell=Progress()) as server, Processes() as processes:
        worker = await processes.start("worker", *options, without=_not_for("worker", settings, config))
        receiver = await processes.start("receiver", *options, without=_not_for("receiver", settings, config))
        await processes.ready(f"{own_address(of_worker.admin_host, of_worker.admin_port)}/readyz", worker)
        await processes.ready(
            f"{own_address(of_receiver.admin_host, of_receiver.admin_port)}/readyz", receiver
        )
        words.print(
            f"ready: callbacks at {own_address(of_receiver.host, of_receiver.port)}/callbacks/APP, "
            f"data in {settings.redis.data_dir}"
        )
        children = asyncio.create_task(processes.first_to_end())
        gone = asyncio.create_task(server.ended())
        rereading = asyncio.create_task(_pass_on(hangups, processes, config))
        try:
            await asyncio.wait({children, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                log = settings.redis.data_dir / "redis.log"
                raise CommandError(f"redis-server ended by itself; see {log}")
            raise CommandError(f"the {children.result()} ended by itself; see above")
        finally:
            for each in (children, gone, rereading):
                each.cancel()


def _not_for(process: str, settings: Settings, config: Path | None) -> set[str]:
    """The variables with secrets that one of the processes does not use."""
    used = {each.variable for each in secrets_in(settings_from(config, *USES_OF[process])) if each.is_read}
    return {each.variable for each in secrets_in(settings) if each.variable is not None} - used


class Progress:
    """Says how far Redis is with loading its data, now and then."""

    def __init__(self, *, every_s: float = _TOLD_EVERY_S) -> None:
        self._every_s = every_s
        self._told = float("-inf")

    def __call__(self, loading: Loading) -> None:
        """Says it, unless it did so just now."""
        if time.monotonic() - self._told >= self._every_s:
            self._told = time.monotonic()
            words.print(f"Redis is {loading}")


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
