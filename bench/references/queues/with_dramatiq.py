"""dramatiq: `python -m dramatiq bench.references.queues.with_dramatiq`."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.references.queues import jobs

dramatiq.set_broker(RedisBroker(url=jobs.REDIS_URL))


@dramatiq.actor
def job(enqueued: int, wait_s: float) -> None:
    jobs.job(enqueued, wait_s)


async def enqueue() -> None:
    await jobs.obey(job.send)
