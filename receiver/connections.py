"""Limits that aiohttp has none of: how many connections there are, how long a request's head may take."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import msgspec
from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from yarl import URL

from config.sections import ReceiverSettings
from receiver.answers import RETRY_AFTER_S, head_of
from receiver.metrics import RECEIVED

_LINGER_S = 1.0  # closed at once, a connection with bytes that nobody has read would lose the answer


class Connections(web.Server):
    """The connections of the public port."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        limits: ReceiverSettings,
        **options: Any,
    ) -> None:
        super().__init__(handler, request_factory=self._request, **options)
        self._refused = 0
        self.follow(limits)

    def follow(self, limits: ReceiverSettings) -> None:
        """Goes by these limits from now on; connections that are there stay."""
        self.head_timeout = limits.head_timeout
        self._most = limits.max_connections

    def __call__(self) -> web.RequestHandler:
        """Makes what speaks HTTP on one new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)

    def _request(
        self, message: RawRequestMessage, payload: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        if message.url is None:  # a CONNECT with nothing after it, which aiohttp 3.14 would never answer
            message = message._replace(path="", url=URL())
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop)

    def has_room(self) -> bool:
        """Whether one more can be taken; where there are too many, one that rests makes way."""
        if len(self._connections) < self._most:
            return True
        resting = next(
            (each for each in self._connections if isinstance(each, _Connection) and each.rests), None
        )
        if resting is not None:
            resting.force_close()
        return resting is not None

    def refuse(self, transport: asyncio.Transport) -> None:
        """Says that there are too many, and closes; where a crowd is told so already, without a word."""
        RECEIVED.labels("too_many_connections").inc()
        if self._refused >= self._most:
            transport.abort()
            return
        self._refused += 1
        self._loop.call_later(_LINGER_S, self._forget_refused)
        last_word(transport, 503, "too_many_connections", {"Retry-After": str(RETRY_AFTER_S)})

    def _forget_refused(self) -> None:
        self._refused -= 1


class _Connection(web.RequestHandler):
    """One connection. A request's head has `head_timeout` to arrive.

    That is from connecting, or from the first byte after the request before; in between, a connection may
    rest for as long as the keep-alive lasts and nobody else needs its place.
    """

    __slots__ = ("_connections", "_head_began", "_head_timer")

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(connections, **options)
        self._connections = connections
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_began = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins, or refuses to."""
        transport = cast("asyncio.Transport", transport)  # uvloop's is one, and does not say so
        if not self._connections.has_room():
            self._force_close = True  # nothing of what it sends is looked at
            self._connections.refuse(transport)
            return
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Reads on; sees where heads begin and end."""
        heads = self._request_count
        super().data_received(data)
        if self._request_count > heads:
            self._no_head_due()
        elif self._awaits_head:
            self._head_began = True
            self._wait_for_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Ends."""
        self._no_head_due()
        super().connection_lost(exc)

    @property
    def rests(self) -> bool:
        """Whether it was answered and has sent nothing since."""
        return self._request_count > 0 and self._awaits_head and not self._head_began

    @property
    def _awaits_head(self) -> bool:
        """Whether what comes next belongs to a head, and not to the body of a request under way."""
        return self._request_count == 0 or (self._waiter is not None and not self._waiter.done())

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(self._connections.head_timeout, self._head_is_late)

    def _no_head_due(self) -> None:
        self._head_began = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if not self._awaits_head or self.transport is None:
            return
        if self._head_began:
            RECEIVED.labels("head_too_slow").inc()
            last_word(self.transport, 408, "head_too_slow")
            self.close()  # nothing more of what it sends is looked at
        else:
            self.force_close()


def last_word(transport: asyncio.Transport, status: int, error: str, headers: Mapping[str, str] = {}) -> None:
    """Answers without a request to answer, and ends the connection."""
    body = msgspec.json.encode({"error": error})
    transport.write(head_of(status, body, {**headers, "Connection": "close"}) + body)
    if transport.can_write_eof():
        transport.write_eof()
    asyncio.get_running_loop().call_later(_LINGER_S, transport.abort)
