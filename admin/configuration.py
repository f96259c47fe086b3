"""The configuration that a service works by: read at its start, and again at SIGHUP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from admin.metrics import CONFIG_INFO, CONFIG_TAKEN_UP
from admin.signals import Hangups
from bookings.clock import now_ms
from config.changes import taken_up
from config.errors import ConfigError
from config.settings import Settings

TakeUp = Callable[[Settings], None]
"""Puts a configuration in force for whatever of a process works by it."""

_log = structlog.get_logger()


class Configuration:
    """What a service works by.

    Read again, it is taken up as a whole or not at all: a file with something wrong in it changes nothing.
    Keys that need a restart keep their values, and the log names them.

    Args:
        read: reads it, as `config.load.load` does. Raises `ConfigError`.
        kind: what the process is, and which section is its own: `receiver`, `worker` or `api`.

    Raises:
        ConfigError: it cannot be used to begin with.
    """

    def __init__(self, read: Callable[[], Settings], *, kind: str) -> None:
        self.kind = kind
        self.settings = read()
        self.changed = asyncio.Event()
        """Set whenever it was read anew."""
        self._read = read
        self._note(self.settings, ())

    def _note(self, read: Settings, restart: tuple[str, ...]) -> None:
        self.digest = read.digest
        """Of what was read last and could be used."""
        self.read_at = now_ms()
        """When that was, in Unix milliseconds."""
        self.restart = restart
        """The keys that it holds otherwise than they are in force."""
        CONFIG_INFO.clear()
        CONFIG_INFO.labels(self.digest).set(1)
        CONFIG_TAKEN_UP.set(1)
        self.changed.set()

    async def digest_of_file(self) -> str | None:
        """The digest of what is there to be read now; None where it cannot be used."""
        with contextlib.suppress(ConfigError):
            return (await asyncio.to_thread(self._read)).digest
        return None

    @asynccontextmanager
    async def followed(self, hangups: Hangups, take_up: TakeUp) -> AsyncIterator[None]:
        """Reads it again at each SIGHUP, as long as it is entered."""
        following = asyncio.create_task(self._follow(hangups, take_up))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self, hangups: Hangups, take_up: TakeUp) -> None:
        while True:
            await hangups.told_to_reread()
            await self.reread(take_up)

    async def reread(self, take_up: TakeUp) -> None:
        """Reads it again and has it taken up, if there is nothing wrong with it."""
        try:
            read = await asyncio.to_thread(self._read)
            settings, restart = taken_up(self.settings, read, kind=self.kind)
            take_up(settings)
        except ConfigError as error:
            CONFIG_TAKEN_UP.set(0)
            _log.error("configuration_refused", file=error.source, problems=error.problems)
            return
        except Exception:  # noqa: BLE001 - logged with its traceback
            CONFIG_TAKEN_UP.set(0)
            _log.exception("configuration_refused")
            return
        before, self.settings = self.digest, settings
        self._note(read, restart)
        if restart:
            _log.warning("configuration_needs_restart", keys=restart)
        _log.info("configuration_taken_up", digest=self.digest, changed=self.digest != before)
