"""Which processes run, which version, and by which configuration: each says so itself, every few seconds.

What a process said expires after ten seconds, by Redis' own clock: one that was killed is not listed for
long, and nobody has to clean up after it.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import NamedTuple

import msgspec

from bookings.clock import moment
from bookings.store import Store

_LISTED_FOR_MS = 10_000

VERSION = version("sequence-sync")
"""The version that runs here."""


class Difference(NamedTuple):
    """How a process differs from what it should be, and what to do."""

    words: str
    remedy: str


class Process(msgspec.Struct, frozen=True, omit_defaults=True):
    """One process, as it tells of itself."""

    id: str
    """One of its own at each start."""
    kind: str
    """`receiver`, `worker` or `api`."""
    name: str
    """Its host and process id."""
    version: str
    digest: str
    """Of the configuration that it has read: `Settings.digest`."""
    read_at: int
    """When it read it, in Unix milliseconds."""
    restart: tuple[str, ...] = ()
    """Keys of that configuration that it will only take up when it is started anew."""

    def differences(self, digest: str) -> list[Difference]:
        """How it differs from a configuration file, by its digest, and from the version that runs here."""
        found = []
        if self.digest != digest:
            words = f"works by another configuration than the file's, read at {moment(self.read_at)}"
            found.append(
                Difference(words, "send it SIGHUP or restart it; its log says why, should it refuse")
            )
        if self.restart:
            found.append(Difference(f"has not taken up {', '.join(self.restart)}", "restart it"))
        if self.version != VERSION:
            words = f"runs version {self.version}, not {VERSION}"
            found.append(Difference(words, "finish the upgrade"))
        return found


_DECODER = msgspec.json.Decoder(Process)


class Fleet:
    """The processes at one Redis. Every method may raise `redis.RedisError` or `OSError`."""

    def __init__(self, store: Store) -> None:
        self._redis = store.redis
        self._keys = store.keys

    async def beat(self, process: Process) -> None:
        """Tells of a process, for ten seconds from now."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.sadd(self._keys.fleet, process.id)
            pipe.set(self._keys.process(process.id), msgspec.json.encode(process), px=_LISTED_FOR_MS)
            await pipe.execute()

    async def leave(self, process: Process) -> None:
        """Takes a process off the list as it ends."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.srem(self._keys.fleet, process.id)
            pipe.delete(self._keys.process(process.id))
            await pipe.execute()

    async def processes(self) -> list[Process]:
        """Those that run, by kind and name; drops those that were not heard of any more."""
        ids = [member.decode() for member in await self._redis.smembers(self._keys.fleet)]
        async with self._redis.pipeline(transaction=False) as pipe:
            for each in ids:
                pipe.get(self._keys.process(each))
            told = await pipe.execute()
        silent = [each for each, said in zip(ids, told, strict=True) if said is None]
        if silent:
            await self._redis.srem(self._keys.fleet, *silent)
        found = [_DECODER.decode(said) for said in told if said is not None]
        return sorted(found, key=lambda process: (process.kind, process.name))


def headcount(processes: Iterable[Process]) -> str:
    """How many there are of each kind: `2 receivers, 3 workers`."""
    kinds = [process.kind for process in processes]
    names = {"receiver": "receivers", "worker": "workers", "api": "APIs"}
    return ", ".join(
        f"{kinds.count(kind)} {kind if kinds.count(kind) == 1 else many}"
        for kind, many in names.items()
        if kind in kinds
    )
