"""A front before a plain port: it ends TLS, or takes its time, as the test wishes."""

import asyncio
import contextlib
import re
import ssl
from typing import Self

import trustme

_TIME = re.compile(rb"\*2\r\n\$10\r\n(\d{10})\r\n\$")
"""The beginning of Redis' answer to TIME."""


class Front:
    """Passes what comes to a port of its own on to another port of this machine.

    With an authority it ends TLS: the redis-server that the tests bring along is built without it. Whatever comes
    back waits for `delay_s` first. Redis' answers to TIME are `clock_ahead_s` ahead of what it said.
    """

    def __init__(self, upstream_port: int, authority: trustme.CA | None = None) -> None:
        self._upstream_port = upstream_port
        self._context: ssl.SSLContext | None = None
        if authority is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(self._context)
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self.port = 0
        self.delay_s = 0.0
        self.clock_ahead_s = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError:
            writer.transport.abort()
            return
        ways = [
            asyncio.create_task(self._pass_on(reader, up_writer, back=False)),
            asyncio.create_task(self._pass_on(up_reader, writer, back=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in (up_writer, writer):
                each.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if back and self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(_TIME.sub(self._later, data) if back and self.clock_ahead_s else data)
                await writer.drain()

    def _later(self, time: re.Match[bytes]) -> bytes:
        return b"*2\r\n$10\r\n%d\r\n$" % (int(time[1]) + self.clock_ahead_s)
