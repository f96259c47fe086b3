"""The record, opened for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from bookings.connection import connect
from bookings.refusals import named
from bookings.store import Store
from cli.options import CommandError
from config.redis_url import RedisKind
from config.settings import Settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """Gives the record of the configuration's Redis. Raises `CommandError` where it does not answer."""
    redis = connect(settings.redis)
    try:
        await redis.ping()
        yield Store.of(settings, redis)
    except (RedisError, OSError) as error:
        if settings.redis.url.kind is RedisKind.EMBEDDED:
            hint = f"no embedded Redis runs in {settings.redis.data_dir}; start `sequence-sync up`"
        else:
            hint = f"Redis at {settings.redis.url} does not answer ({named(error)}); see redis.url"
        raise CommandError(hint) from None
    finally:
        await redis.aclose()
