"""A TCP proxy in front of a Redis that can cut a conversation after any byte, or swallow what comes after it."""

import asyncio
import contextlib
from typing import NamedTuple, Self


class Trouble(NamedTuple):
    """Where a conversation breaks: after so many bytes of requests or of replies, or at a word in a request.

    `swallow` goes silent there instead of cutting the connection.
    """

    requests: int | None = None
    replies: int | None = None
    word: bytes | None = None
    swallow: bool = False


NONE = Trouble()


class Proxy:
    """Counts from `arm()` on, over all connections. Every break but one at a word happens once."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.port = 0
        self.requests = 0
        self.replies = 0
        self.broken = 0
        """How often a conversation was cut or fell silent."""
        self._trouble = NONE
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def arm(self, trouble: Trouble = NONE) -> None:
        """Sets the next trouble, or none, and counts from 0."""
        self.requests = self.replies = 0
        self._trouble = trouble

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._between(reader, writer)
        finally:
            writer.close()
            self._conversations.discard(task)

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        silent = asyncio.Event()
        ways = [
            asyncio.create_task(self._requests(reader, up_writer, silent)),
            asyncio.create_task(self._replies(up_reader, writer, silent)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            up_writer.close()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            left = None if self._trouble.requests is None else self._trouble.requests - self.requests
            if self._trouble.word is not None and self._trouble.word in data:
                left = data.index(self._trouble.word)
            self.requests += len(data)
            if await self._pass_on(data, left, writer, silent):
                return

    async def _replies(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            left = None if self._trouble.replies is None else self._trouble.replies - self.replies
            self.replies += len(data)
            if await self._pass_on(data, left, writer, silent):
                return

    async def _pass_on(
        self, data: bytes, left: int | None, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> bool:
        """Passes on what is left to pass on; tells whether to cut both sides after that."""
        if silent.is_set():
            return False
        writer.write(data if left is None else data[:left])
        await writer.drain()
        if left is None or left > len(data):
            return False
        self.broken += 1
        if self._trouble.swallow:
            silent.set()
        if self._trouble.word is None:
            self._trouble = NONE
        return not silent.is_set()
