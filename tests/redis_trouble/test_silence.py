"""A Redis that takes commands and never answers, on both of the event loops that we run on."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop
from redis.exceptions import TimeoutError as RedisTimeoutError

from bookings.connection import TcpConnection


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        pass
    writer.close()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_silence_is_told_from_a_lost_connection(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def each_is_late() -> None:
        server = await asyncio.start_server(_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            for number in range(20):  # clocks and timers count differently
                within_s = 0.02 + 0.0013 * number
                connection = TcpConnection(
                    host="127.0.0.1", port=port, socket_timeout=within_s, lib_name="", lib_version=""
                )
                with pytest.raises(RedisTimeoutError, match="no answer in time"):
                    await connection.exchange(b"*1\r\n$4\r\nPING\r\n", 1)
                assert not connection.is_connected
        finally:
            server.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(each_is_late())
