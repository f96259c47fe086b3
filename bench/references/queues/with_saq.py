"""SAQ: `python -m saq bench.references.queues.with_saq.settings`."""

from typing import Any

from saq import Queue

from bench.references.queues.jobs import REDIS_URL, async_job, obey


async def job(_: dict[str, Any], *, enqueued: int, wait_s: float) -> None:
    await async_job(enqueued, wait_s)


queue = Queue.from_url(REDIS_URL)
settings = {"queue": queue, "functions": [job], "concurrency": 100}


async def enqueue() -> None:
    await queue.connect()
    await obey(lambda enqueued, wait_s: queue.enqueue("job", enqueued=enqueued, wait_s=wait_s))
