"""Answers that are JSON and written at once, head and all; none says what serves here."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType

import msgspec
from aiohttp import HttpVersion11, web

RETRY_AFTER_S = 5
"""What a sender is asked to wait after 503."""

_NONE: Mapping[str, str] = MappingProxyType({})


class Answer(web.StreamResponse):
    """An answer of a port: JSON, written at once with its head.

    It has what aiohttp's server asks of an answer and nothing more: aiohttp's own puts its head together, one
    header after the other, which takes longer than to read a callback.
    """

    def __init__(self, status: int, data: Mapping[str, object], headers: Mapping[str, str] = _NONE) -> None:
        super().__init__(status=status)
        self._json = msgspec.json.encode(data)
        self._extra = headers
        self._last = False
        self._stays: bool | None = None

    @property
    def keep_alive(self) -> bool | None:
        """Whether its connection stays; None until it is written."""
        return self._stays

    def force_close(self) -> None:
        """Has the connection end with it."""
        self._last = True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Writes all of it. Raises `ConnectionError` where nobody is there to read it."""
        self._stays = request.keep_alive and not self._last
        headers = self._extra
        if self._stays != (request.version >= HttpVersion11):  # else it is as the version has it
            headers = {**headers, "Connection": "keep-alive" if self._stays else "close"}
        head = head_of(self.status, self._json, headers)
        await request.writer.write(head if request.method == "HEAD" else head + self._json)
        await request.writer.drain()

    async def write_eof(self, data: bytes = b"") -> None:
        """Writes nothing more."""


def last_word(status: int, error: str) -> bytes:
    """Gives the answer to what is no request that could be answered, as it goes over the wire."""
    body = msgspec.json.encode({"error": error})
    return head_of(status, body, headers_of(status, Connection="close")) + body


def headers_of(status: int, **more: str) -> dict[str, str]:
    """Gives the headers that every answer of a status has."""
    return {**more, "Retry-After": str(RETRY_AFTER_S)} if status == 503 else more


def head_of(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Gives the head of an answer as it goes over the wire, before its body."""
    more = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode() if headers else b""
    return b"%bContent-Length: %d\r\n%b\r\n" % (_begun(status, int(time.time())), len(body), more)


@lru_cache(64)
def _begun(status: int, second: int) -> bytes:
    """How all answers of one status in one second begin."""
    phrase, date = HTTPStatus(status).phrase, formatdate(second, usegmt=True)
    return f"HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\nDate: {date}\r\n".encode()
