"""An HTTP proxy on the loopback: CONNECT for https, whole addresses for http, with or without a login.

It knows names that nobody else does, as a company's does, and reaches nothing but what it has a name for.
"""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

_HEAD = b"\r\n\r\n"


class ForwardProxy:
    """A proxy; an async context manager.

    Args:
        names: where it leads each `host:port`, as a port of this machine.
        login: user and password that it wants, if any.
        tls: what it speaks TLS by to those who ask it, if it does.
    """

    def __init__(
        self,
        names: Mapping[str, int],
        login: tuple[str, str] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.names = dict(names)
        self.login = login
        self._tls = tls
        self.port = 0
        self.asked: list[str] = []
        """What it was asked for, refused or not: `CONNECT host:port`, `POST http://…`."""
        self.drops_after: int | None = None
        """Cuts every conversation after so many bytes from the client beyond the head, if set."""
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listens, on the port it had if it had one."""
        self._server = await asyncio.start_server(self._begun, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listens no more, and ends all conversations."""
        assert self._server is not None
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _begun(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        assert conversation is not None
        self._conversations.add(conversation)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            await _closed(writer)
            self._conversations.discard(conversation)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_HEAD)
        line, _, rest = head.partition(b"\r\n")
        method, target, _ = line.decode().split(" ")
        self.asked.append(f"{method} {target}")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (each.partition(":") for each in rest.decode().split("\r\n") if each)
        }
        if self.login is not None and headers.get("proxy-authorization") != _basic(self.login):
            await _answer(writer, "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="p"')
            return
        port = self.names.get(target if method == "CONNECT" else _authority(target))
        if port is None:
            await _answer(writer, "403 Forbidden")
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                kept = [
                    each
                    for each in rest.decode().split("\r\n")
                    if each and not each.lower().startswith(("proxy-", "connection:"))
                ]
                path = target.partition("://")[2].partition("/")[2]
                lines = [f"{method} /{path} HTTP/1.1", *kept, "Connection: close"]
                far_writer.write("\r\n".join(lines).encode() + _HEAD)
            there = asyncio.create_task(_pass_on(reader, far_writer, self.drops_after))
            back = asyncio.create_task(_pass_on(far_reader, writer, None))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in (there, back):
                    each.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        finally:
            await _closed(far_writer)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at_most: int | None) -> None:
    passed = 0
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
        passed += len(data)
        if at_most is not None and passed >= at_most:
            return


async def _answer(writer: asyncio.StreamWriter, status: str, *headers: str) -> None:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "Connection: close"]
    writer.write("\r\n".join(lines).encode() + _HEAD)
    await writer.drain()


def _authority(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc if parts.port else f"{parts.netloc}:80"


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()
