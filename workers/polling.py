"""Takes jobs out of the queues: at once where the bell rings, at the next poll where nobody heard it."""

import asyncio
import time
from functools import partial
from itertools import count
from typing import Any, Protocol

import structlog
from arq.worker import Worker, func
from redis.exceptions import RedisError

from admin.metrics import REDIS_ERRORS
from admin.signals import told_to_stop
from bookings import queue
from bookings.refusals import named
from bookings.store import Store
from workers.places import Places

_JOB_TIMEOUT_S = 600
_AFTER_REDIS_TROUBLE_S = 1.0
_BELL_S = 2.0
"""How long one command waits for the bell; below what a connection waits for an answer."""
_TAKEN_TOGETHER_S = 0.005
"""How long a busy worker lets places get free before it takes parts for them: a round trip for several."""

_log = structlog.get_logger()


class Syncs(Protocol):
    """What the jobs are for."""

    async def part(self, bid: str, pid: str) -> None:
        """Does what there is to do for one part."""
        ...


class PollingWorker(Worker):
    """arq's worker, polled by ourselves, with one round trip for all the jobs that it takes.

    arq takes three for each job, and two more when it runs; what they are for (that nobody else runs the job,
    that it is run again if its worker dies) is in the part's lease and with the reconciler. arq ends its own
    loop by cancelling it, and a cancellation may be swallowed on the way (cpython issue 86296); and it stops
    polling for each job whose end Redis did not take.
    """

    def __init__(self, store: Store, places: Places, **options: Any) -> None:
        super().__init__(**options)
        self.last_poll = float("-inf")
        self.places = places
        self.may_be_more = False
        """Whether something due was left in the queues, for want of places."""
        self.again = False
        """Whether to look once more at once: there was more than was taken."""
        self._store = store
        self._numbers = count()

    async def poll(self) -> None:
        """Starts what is due. Raises `redis.RedisError` or `OSError`; it may be called again."""
        self.again = False
        self.places.freed.clear()  # what is freed from now on may be taken by the next poll alone
        if room := max(0, self.places.room):
            parts, self.may_be_more = await self._store.take(limit=room, held=self.places.crowded)
            self.again = self.may_be_more and bool(parts) and self.places.room > len(parts)
            for part in parts:
                self.places.take((part.booking, part.part), part.lane)
                # A part may be taken anew while it is still under way here: the record says who may write.
                name = f"{part.booking}:{part.part}:{next(self._numbers)}"
                self.tasks[name] = task = asyncio.create_task(self.run_job(name, 0))
                task.add_done_callback(partial(self._ended, name, part))
        self.last_poll = time.monotonic()

    async def run_job(self, job_id: str, score: int) -> None:
        """Runs a job; its id says which part is to be looked at."""
        del score
        bid, pid, _ = job_id.split(":")
        async with asyncio.timeout(self.job_timeout_s):
            await self.functions[queue.FUNCTION].coroutine({**self.ctx, "job_id": job_id}, bid, pid)

    def _ended(self, job: str, part: queue.Taken, task: asyncio.Task[None]) -> None:
        """Makes room; a part whose job failed stays open, and the reconciler has it done again."""
        del self.tasks[job]
        self.places.give_back((part.booking, part.part))
        if not task.cancelled() and (error := task.exception()):
            self.jobs_failed += 1
            _log.error("part_not_settled", booking=part.booking, part=part.part, exc_info=error)

    async def end(self) -> None:
        """Cancels what is still under way; its parts stay open and are done again."""
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def polling_worker(
    store: Store, sync: Syncs, *, concurrency: int, places: Places | None = None
) -> PollingWorker:
    """Takes parts out of the queues, so many at a time."""

    async def sync_part(context: dict[str, Any], bid: str, pid: str) -> None:
        del context
        await sync.part(bid, pid)

    return PollingWorker(
        store,
        places or Places(concurrency),
        functions=[func(sync_part, name=queue.FUNCTION)],  # type: ignore[arg-type]  # arq types its own context
        queue_name=store.keys.queue,
        redis_pool=store.redis,
        max_jobs=concurrency,
        job_timeout=_JOB_TIMEOUT_S,
        handle_signals=False,
    )


class Bell:
    """Rings when there may be jobs; without it they would be found only at the next poll."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listening: asyncio.Task[bool] | None = None

    def listen(self, *, anew: bool) -> set[asyncio.Task[bool]]:
        """Gives what is done when it has rung, or has not for a while; it begins to listen only `anew`."""
        if self._listening is None and anew:
            self._listening = asyncio.create_task(self._store.bell(within_s=_BELL_S))
        return set() if self._listening is None else {self._listening}

    async def heard(self, *, has_room: bool) -> None:
        """Takes note of it if it has rung; somebody who has no room leaves it to another worker.

        Raises `redis.RedisError` or `OSError`.
        """
        if self._listening is not None and self._listening.done():
            listened, self._listening = self._listening, None
            if listened.result() and not has_room:
                await self._store.ring()

    async def silence(self) -> None:
        """Listens no more."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)


async def poll_until_stopped(poller: PollingWorker, bell: Bell, *, poll_delay: float) -> None:
    """Polls until told to stop, through every trouble with Redis; jobs may be under way then."""
    stopped = asyncio.create_task(told_to_stop())
    while not stopped.done():
        try:
            await poller.poll()
            await _rest(poller, bell, stopped, poll_delay)
        except (RedisError, OSError) as error:
            REDIS_ERRORS.inc()
            _log.error("redis_trouble", error=named(error))
            poller.last_poll = time.monotonic()  # it does not stand still: Redis does
            await asyncio.wait({stopped}, timeout=_AFTER_REDIS_TROUBLE_S)
    await bell.silence()


async def _rest(poller: PollingWorker, bell: Bell, stopped: asyncio.Task[None], poll_delay: float) -> None:
    """Waits until the bell rings, a place that is wanted gets free, or `poll_delay` is over.

    Who has filled all places since it began to listen may still hear the bell, and passes it on at once.
    """
    if poller.again:
        return
    places = poller.places
    waiting: set[asyncio.Task[Any]] = {stopped, *bell.listen(anew=places.room > 0)}
    freed = asyncio.create_task(places.freed.wait()) if poller.may_be_more or places.room <= 0 else None
    if freed is not None:
        waiting.add(freed)
    await asyncio.wait(waiting, timeout=poll_delay, return_when=asyncio.FIRST_COMPLETED)
    if freed is not None:
        if freed.done():
            await asyncio.sleep(_TAKEN_TOGETHER_S)
        freed.cancel()
    await bell.heard(has_room=places.room > 0)
