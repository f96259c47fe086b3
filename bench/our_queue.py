"""Our own queue as a contender: `python -m bench.our_queue work`, and `enqueue`.

What is enqueued is a whole booking of one part, accepted as the receiver does it; the job claims it, does
what every contender's job does, and settles it. Nothing that keeps a part from being lost is left out.
"""

import sys
import time
import uuid

import msgspec
import uvloop
from redis.asyncio import ConnectionPool, Redis
from yarl import URL

from bench.filling import NO_LIMIT
from bench.references.queues.jobs import REDIS_URL, async_job, obey
from bookings.connection import TcpConnection
from bookings.record import Part, Write, WriteState
from bookings.store import Store
from workers.polling import Bell, PollingWorker, poll_until_stopped, polling_worker

_APP = "bench"
_EVENT = msgspec.Raw(b"{}")


def _store() -> Store:
    pool = ConnectionPool(TcpConnection, port=URL(REDIS_URL).port, max_connections=16)
    return Store(Redis.from_pool(pool), "bench")


class _Job:
    """In the place of `workers.sync.Sync`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def part(self, bid: str, pid: str) -> None:
        claim = await self._store.claim(bid, pid, holder=uuid.uuid4().hex, lease_s=30)
        if claim is None:
            return
        enqueued, wait_s = claim.event_id.split()
        await async_job(int(enqueued), float(wait_s))
        written = Write(id="w", calendar="c", address=None, state=WriteState.WRITTEN, revision=claim.revision)
        ends_at = int(time.time() * 1000)
        await self._store.settle(claim, [written], ends_at=ends_at, lease_s=30, keep_s=60, keep_at_least_s=60)


async def enqueue() -> None:
    """Enqueues as ordered."""
    store = _store()

    async def accept(enqueued: int, wait_s: float) -> None:
        await store.accept(
            app=_APP,
            event_id=f"{enqueued} {wait_s}",
            delivery=str(enqueued),
            parts=[Part(sequence_id=None, event=_EVENT)],
            link=None,
            window_s=60,
            queue_limit=NO_LIMIT,
            dead_letters_limit=NO_LIMIT,
        )

    await obey(accept)


async def work() -> None:
    """Works, a hundred jobs at once, until it is told to stop."""
    store = _store()
    poller: PollingWorker = polling_worker(store, _Job(store), concurrency=100)
    await poll_until_stopped(poller, Bell(store), poll_delay=0.05)


if __name__ == "__main__":
    uvloop.run({"work": work, "enqueue": enqueue}[sys.argv[1]]())
