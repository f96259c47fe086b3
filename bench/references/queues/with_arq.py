"""arq: `python -m arq bench.references.queues.with_arq.Defaults`. Runs where we do: it needs redis-py < 6."""

from typing import Any

from arq import create_pool
from arq.connections import RedisSettings

from bench.references.queues.jobs import REDIS_URL, async_job, obey


async def job(_: dict[str, Any], enqueued: int, wait_s: float) -> None:
    await async_job(enqueued, wait_s)


class Defaults:
    """A poll every half second, ten jobs at once."""

    functions = (job,)
    redis_settings = RedisSettings.from_dsn(REDIS_URL)


class Tuned:
    """As quick as its settings make it. No subclass: arq looks at no base class."""

    functions = (job,)
    redis_settings = RedisSettings.from_dsn(REDIS_URL)
    poll_delay = 0.005
    max_jobs = 100
    keep_result = 0


QUIET = {"version": 1, "disable_existing_loggers": False}
"""For `--custom-log-dict`: no two lines for each job."""


async def enqueue() -> None:
    redis = await create_pool(Defaults.redis_settings)
    await obey(lambda enqueued, wait_s: redis.enqueue_job("job", enqueued, wait_s))
