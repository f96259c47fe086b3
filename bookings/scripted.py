"""Redis, and the scripts in `scripts/`: each is one change, atomic and one round trip.

A script reads, tries what it is going to write with, and then writes: Redis takes nothing back
(docs/decisions/012).
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from bookings.keys import Keys

GRACE_MS = 10_000
"""How long a queued job may take to be picked before the reconciler looks whether it is still there."""
PAYLOAD_MS = 86_400_000
"""How long arq keeps a job's payload; a job that outlives it is queued again by the reconciler."""

_SHARED = ("clock", "share", "wake", "lines", "delayed")
"""What scripts share; each may use what stands before it."""
_FUNCTION = re.compile(rb"^local function (\w+)", re.MULTILINE)


class Scripted:
    """Runs the scripts on the keys under a prefix. Every method may raise `redis.RedisError` or `OSError`.

    Args:
        redis: a client made by `bookings.connection.connect`.
        prefix: what the names of all keys begin with.
    """

    def __init__(self, redis: Any, prefix: str) -> None:
        from bookings.round_trips import RoundTrips  # noqa: PLC0415 - redis-py is for whoever connects to import

        self.redis = redis  # redis-py 5 annotates its commands for both of its clients at once
        self.keys = Keys(prefix)
        self._round_trips = RoundTrips(redis)

    async def run(
        self,
        name: str,
        *,
        keys: Sequence[str],
        args: Sequence[str | bytes | float],
        within_s: float | None = None,
    ) -> Any:
        """Runs one of the scripts; what others run at the same time may share its round trip.

        Raises `TimeoutError` where there is no answer within so many seconds; by default connections have
        their own limits.
        """
        from redis.exceptions import NoScriptError  # noqa: PLC0415

        by = None if within_s is None else self._round_trips.deadline(within_s)
        of_name = script(name)
        command = ("EVALSHA", of_name.sha, len(keys), *keys, *args)
        try:
            return await self._round_trips.send(*command, by=by)
        except NoScriptError:  # a Redis that was started anew
            await self._round_trips.send("SCRIPT", "LOAD", of_name.text, by=by)
            return await self._round_trips.send(*command, by=by)

    async def command(self, *command: str | bytes | float) -> Any:
        """Gives the answer to one plain command, on the same terms."""
        return await self._round_trips.send(*command)


class Script(NamedTuple):
    """A script, and the name by which Redis knows it."""

    text: bytes
    sha: str


@cache
def script(name: str) -> Script:
    """Gives one of the scripts, what it shares with others put before it."""
    text = _read(name)
    for shared in map(_read, reversed(_SHARED)):
        if _is_used(shared, text):
            text = shared + text
    return Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest())


def _read(name: str) -> bytes:
    return (files("bookings") / "scripts" / f"{name}.lua").read_bytes()


def _is_used(shared: bytes, text: bytes) -> bool:
    """Whether a script calls one of the shared functions: Redis makes all that it is given, each time."""
    return any(name + b"(" in text for name in _FUNCTION.findall(shared))
