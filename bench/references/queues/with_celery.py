"""Celery: `python -m celery --app bench.references.queues.with_celery worker --pool threads`."""

from celery import Celery

from bench.references.queues import jobs

app = Celery("bench", broker=jobs.REDIS_URL)


@app.task(name="job")
def job(enqueued: int, wait_s: float) -> None:
    jobs.job(enqueued, wait_s)


async def enqueue() -> None:
    await jobs.obey(job.delay)
