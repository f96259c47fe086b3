"""A proxy that accepts connections and has no Redis behind it closes them at once."""

import asyncio
from contextlib import aclosing, suppress

import uvloop
from redis.exceptions import RedisError

from bookings.connection import connect
from config.redis_url import parse_redis_url
from config.sections import RedisSettings

ASKED = 200


async def _closes(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _all_that_is_raised() -> set[type[Exception]]:
    server = await asyncio.start_server(_closes, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    raised = set()
    async with server, aclosing(connect(RedisSettings(url=parse_redis_url(url)))) as client:

        async def ask() -> None:
            with suppress(RedisError, OSError):
                try:
                    await client.ping()
                except Exception as error:
                    raised.add(type(error))
                    raise

        for _ in range(ASKED // 10):
            await asyncio.gather(*(ask() for _ in range(10)))
    return raised


def test_it_is_redis_that_is_away_whatever_the_event_loop_makes_of_it() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raised = runner.run(_all_that_is_raised())
    assert raised
    assert all(issubclass(kind, (RedisError, OSError)) for kind in raised), raised
