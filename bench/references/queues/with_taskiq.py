"""taskiq: `python -m taskiq worker bench.references.queues.with_taskiq:broker`. A stream: lists lose jobs."""

from taskiq_redis import RedisStreamBroker

from bench.references.queues.jobs import REDIS_URL, async_job, obey

broker = RedisStreamBroker(REDIS_URL)


@broker.task(task_name="job")
async def job(enqueued: int, wait_s: float) -> None:
    await async_job(enqueued, wait_s)


async def enqueue() -> None:
    await broker.startup()
    await obey(job.kiq)
