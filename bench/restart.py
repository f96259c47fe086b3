"""How long the embedded server takes to load its data again after a life of a million bookings."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from bench import filling, stored
from bench.figures import Bar, Figures, Findings, Row
from bench.world import world
from bookings import redis_socket
from bookings.clock import now_ms
from bookings.connection import connect
from bookings.embedded import REWRITTEN_AT, EmbeddedRedis, socket_path
from bookings.queue import Taken
from bookings.record import Write
from bookings.store import Store
from config.redis_url import parse_redis_url
from config.sections import RedisSettings

TITLE = "Restart"
_STORED = 1_000_000
_DEAD = _STORED // 10
_AT_ONCE = 64
_LEASE_S, _KEEP_S = 60.0, 90 * 86_400.0
_MIB = 2**20
_CASE = f"{_STORED:,} bookings"
_SHORT, _LONG = "right after its file was rewritten", "right before that, at its longest"
_NOTES = (
    "The bookings are the documented callback as a worker left it; one of ten has a dead letter.",
    "At its longest: bookings were accepted, claimed and settled until the next rewrite was near.",
    "The server is killed, and started as `sequence-sync up` starts it.",
)


async def run(rounds: int) -> Findings:
    """Measures."""
    async with world(appendfsync="no") as here:
        written, dead = await stored.written_and_dead(here)
        life = _Life(here.folder / "embedded", written.writes)
        async with life.running() as store:
            await written.copy(store, range(_STORED - _DEAD))
            await dead.copy(store, range(_DEAD))
            await life.rewritten()
        short = [await life.restart() for _ in range(rounds)]
        async with life.running() as store:
            await life.rewritten()
            await life.live_on(store)
        long = await life.restart()
    rows = [_row(_SHORT, short), _row(_LONG, [long])]
    bars = [Bar(f"file, {_LONG}", long["x data"], 1 + 1.5 * REWRITTEN_AT / 100, at_least=False, unit="x")]
    return Findings(rows, bars, _NOTES)


class _Life:
    """An embedded server with data, started and killed again and again."""

    def __init__(self, folder: Path, writes: Mapping[str, Sequence[Write]]) -> None:
        self._folder = folder
        self._writes = writes
        self._rewritten = 0
        self._lives = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Store]:
        """Runs the server; ends it as a crash does."""
        redis = EmbeddedRedis(self._folder)
        await redis.start()
        url = parse_redis_url(f"unix://{socket_path(self._folder)}")
        store = Store(connect(RedisSettings(url=url)), "sequence-sync")
        async with aclosing(store.redis):
            yield store
        assert redis.process is not None
        redis.process.kill()
        await redis.ended()

    async def rewritten(self) -> None:
        """Has the file rewritten, and waits for it."""
        path = socket_path(self._folder)
        while (info := await redis_socket.info(path)) is None or info["aof_rewrite_in_progress"] == "1":
            await asyncio.sleep(0.1)
        await redis_socket.ask(path, b"BGREWRITEAOF")
        await asyncio.sleep(0.5)
        while (info := await redis_socket.info(path)) is None or info["aof_rewrite_in_progress"] == "1":
            await asyncio.sleep(0.1)
        self._rewritten = int(info["aof_current_size"])

    async def live_on(self, store: Store) -> None:
        """Accepts and writes bookings until the file is nearly as long as it gets."""
        longest = self._rewritten * (1 + (REWRITTEN_AT - 1) / 100)
        while int((await store.redis.info("persistence"))["aof_current_size"]) < longest:
            self._lives += 1
            bodies = filling.bookings(1000, prefix=f"life-{self._lives}")
            await filling.accept_all(store, bodies, at_a_time=_AT_ONCE)
            while parts := (await store.take(limit=_AT_ONCE))[0]:
                await asyncio.gather(*(self._write(store, part) for part in parts))

    async def _write(self, store: Store, part: Taken) -> None:
        claim = await store.claim(part.booking, part.part, holder="bench", lease_s=_LEASE_S)
        if claim is None:
            return
        writes = self._writes[part.part]
        await store.journal(claim, writes, lease_s=_LEASE_S)
        await store.settle(
            claim,
            writes,
            ends_at=now_ms(),
            lease_s=_LEASE_S,
            keep_s=_KEEP_S,
            keep_at_least_s=_KEEP_S,
        )

    async def restart(self) -> Figures:
        """How long a start takes, and what there is to load."""
        begun = time.monotonic()
        async with self.running() as store:
            seconds = time.monotonic() - begun
            info = await store.redis.info()
            bookings = await store.redis.zcard(store.keys.index)
        if bookings < _STORED:
            raise RuntimeError(f"only {bookings} bookings came back")
        size = int(info["aof_current_size"])
        return {
            "s": seconds,
            "file, MiB": size / _MIB,
            "x data": size / self._rewritten,
            "bookings": bookings,
        }


def _row(contender: str, found: Sequence[Figures]) -> Row:
    return Row(_CASE, contender, {name: [each[name] for each in found] for name in found[0]})
