"""RQ: `with_rq work` forks for each job, all imported before, as RQ advises; `with_rq simple` never forks."""

import sys
from functools import partial

from redis import Redis
from rq import Queue, SimpleWorker, Worker

from bench.references.queues.jobs import REDIS_URL, job, obey

queue = Queue(connection=Redis.from_url(REDIS_URL))


async def enqueue() -> None:
    await obey(partial(queue.enqueue, job))


if __name__ == "__main__":
    kind = {"work": Worker, "simple": SimpleWorker}[sys.argv[1]]
    kind([queue], connection=queue.connection).work(logging_level="WARNING")
