"""HTTP as bytes, for what no client sends."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

from receiver.signature import signature
from tests.conftest import FIRST_SECRET
from tests.waiting import comes


def head(*lines: str, target: str = "/callbacks/hiring", method: str = "POST") -> bytes:
    """A request without a body."""
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: x", *lines, "", "")).encode()


def signed(body: bytes, *lines: str, secret: str = FIRST_SECRET) -> bytes:
    """A proper request, with other header lines beside."""
    value = signature(body, secret=secret).decode()
    return head(f"Cronofy-HMAC-SHA256: {value}", f"Content-Length: {len(body)}", *lines) + body


def chunked(body: bytes, *lines: str, size: int = 100) -> bytes:
    """The same, in chunks."""
    value = signature(body, secret=FIRST_SECRET).decode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    encoded = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return (
        head(f"Cronofy-HMAC-SHA256: {value}", "Transfer-Encoding: chunked", *lines) + encoded + b"0\r\n\r\n"
    )


def statuses(answers: bytes) -> list[int]:
    """The statuses of all that came back on one connection."""
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]


class Line:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """Reads one answer; gives its status."""
        answer = await comes(self.reader.readuntil(b"\r\n\r\n"))
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await self.reader.readexactly(int(length.split(b":")[1]))
        return int(answer[9:12])

    async def rest(self) -> bytes:
        """All that comes until the receiver closes."""
        return await comes(self.reader.read())


@contextlib.asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """Connects."""
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield line
    finally:
        line.writer.close()
        with contextlib.suppress(ConnectionError):
            await line.writer.wait_closed()


async def exchange(port: int, request: bytes) -> bytes:
    """Sends one thing; gives all that comes back until the receiver closes."""
    async with line_to(port) as line:
        await line.send(request)
        return await line.rest()
