"""huey: `python -m huey.bin.huey_consumer bench.references.queues.with_huey.huey`."""

from huey import RedisHuey

from bench.references.queues import jobs

huey = RedisHuey("bench", url=jobs.REDIS_URL)


@huey.task(name="job")
def job(enqueued: int, wait_s: float) -> None:
    jobs.job(enqueued, wait_s)


async def enqueue() -> None:
    await jobs.obey(job)
