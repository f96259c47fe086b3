"""Tells the fleet that this process runs, and by which configuration."""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from admin.configuration import Configuration
from bookings.fleet import VERSION, Fleet, Process
from bookings.patience import in_time
from bookings.store import Store

_EVERY_S = 3.0
_WITHIN_S = 2.0


def process_name() -> str:
    """What this process is called in logs and lists: its host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


@asynccontextmanager
async def heartbeat(store: Store, configuration: Configuration) -> AsyncIterator[None]:
    """Beats as long as it is entered: every few seconds, and at once when the configuration was read anew."""
    fleet, own_id = Fleet(store), uuid.uuid4().hex
    beating = asyncio.create_task(_beat(fleet, own_id, configuration))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        with suppress(Exception):  # then it is forgotten some seconds later
            await in_time(fleet.leave(_process(own_id, configuration)), within_s=_WITHIN_S)


async def _beat(fleet: Fleet, own_id: str, configuration: Configuration) -> None:
    while True:
        configuration.changed.clear()
        with suppress(Exception):  # whatever it was: the pulse tells of it, and the next beat makes up for it
            await in_time(fleet.beat(_process(own_id, configuration)), within_s=_WITHIN_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_S):
                await configuration.changed.wait()


def _process(own_id: str, configuration: Configuration) -> Process:
    return Process(
        id=own_id,
        kind=configuration.kind,
        name=process_name(),
        version=VERSION,
        digest=configuration.digest,
        read_at=configuration.read_at,
        restart=configuration.restart,
    )
