"""Where the availability engine computes: in threads of its own, of which each app has a share."""

import asyncio
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor

from scheduler.availability import Answer, find_sequences
from scheduler.engine.effort import Effort
from scheduler.query import Query

_THREADS = 32
_SHARE = 8
"""Threads that the queries of one app take at most; they share what one long query takes of the processor."""


class Computing:
    """Lets queries be answered beside all else that a process does. To be closed by `stop`."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="availability")
        self._shares: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_SHARE))
        self._running: Counter[str] = Counter()
        self._efforts: set[Effort] = set()
        self._work: set[Future[Answer]] = set()
        self._stopped = False

    @property
    def is_busy(self) -> bool:
        """Whether something is computed, be it that nobody waits for it any more."""
        return any(not each.done() for each in self._work)

    async def find(self, query: Query, app: str, *, within_s: float) -> Answer:
        """Finds sequences for an app.

        Args:
            query: what is to be found.
            app: whose share it takes.
            within_s: how long it may take, from when it has a thread. What it has not found by then is
                missing, and the answer says so. One that is cancelled ends at once.
        """
        async with self._shares[app]:
            effort = Effort(within_s, lambda: self._running[app])
            if self._stopped:
                effort.stop()
            self._running[app] += 1
            self._efforts.add(effort)
            try:
                work = self._threads.submit(find_sequences, query, effort)
                self._work = {each for each in self._work if not each.done()} | {work}
                return await asyncio.wrap_future(work)
            finally:
                effort.stop()
                self._efforts.discard(effort)
                self._running[app] -= 1

    def stop(self) -> None:
        """Has all queries answered with what was found so far, these and those that may still come."""
        self._stopped = True
        for effort in self._efforts:
            effort.stop()
