"""Limits that aiohttp has none of: what heads, bodies, chunks, connections and deaf peers may cost.

aiohttp is handed one request of a connection after the other, and the next one when it has answered the one
before; so it never holds more than one, and what goes on is known without a look into it.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from aiohttp import web

from admin.ports.answers import Answer, headers_of, last_word
from admin.ports.framing import MOST_HEAD, Framing, Unacceptable
from admin.ports.limits import HEAD_COUNTS, Limits, Room

_LINGER_S = 1.0  # closed at once, a connection with bytes that nobody has read would lose the answer
_MOST_UNREAD = 16_384
"""Bytes of answers kept here for a peer that does not read them; the kernel keeps some four times as many."""

_log = structlog.get_logger()


class Connections(web.Server):
    """The connections of one port.

    Args:
        handler: answers a request.
        limits: of the port.
        refused: is told the error of each request or connection that is refused before the handler sees it,
            or is given up while the handler waits for its body.
        request_factory: makes what the handler is given; as aiohttp's.
        options: those of aiohttp's server.
    """

    def __init__(
        self,
        handler: Callable[[Any], Awaitable[web.StreamResponse]],
        *,
        limits: Limits,
        refused: Callable[[int, str], None],
        request_factory: Callable[..., web.BaseRequest],
        **options: Any,
    ) -> None:
        super().__init__(handler, request_factory=self._request)
        self.room = Room(limits)
        self.refused = refused
        self._make = request_factory
        self._options = {"access_log": None, "lingering_time": _LINGER_S, **options}
        self._turned_away = 0
        self._behind: deque[Connection] = deque()

    def follow(self, limits: Limits) -> None:
        """Goes by these limits from now on; connections that are there stay."""
        self.room.limits = limits

    def __call__(self) -> web.RequestHandler:
        """Makes what speaks HTTP on one new connection."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        cast("Connection", protocol).begins()
        return self._make(message, payload, protocol, writer, task)

    def turn_away(self, transport: asyncio.Transport) -> None:
        """Says that there are too many, and closes; where a crowd is told so already, without a word."""
        self.refused(503, "too_many_connections")
        if self._turned_away >= self.room.limits.connections:
            transport.abort()
            return
        self._turned_away += 1
        asyncio.get_running_loop().call_later(_LINGER_S, self._forget_one)
        _end(transport, 503, "too_many_connections")

    def _forget_one(self) -> None:
        self._turned_away -= 1

    def queue(self, connection: "Connection") -> None:
        """Lets a connection go on that sent its next request too soon: one of them in each turn of the loop.

        So those who wait for their answers do not wait for all that others have sent ahead.
        """
        self._behind.append(connection)
        if len(self._behind) == 1:
            asyncio.get_running_loop().call_soon(self._let_one_go_on)

    def _let_one_go_on(self) -> None:
        connection = self._behind.popleft()
        if self._behind:
            asyncio.get_running_loop().call_soon(self._let_one_go_on)
        connection.read_on()


class Connection(web.RequestHandler):
    """One connection. What it is kept waiting for has its time; the rest is up to the room of its port."""

    __slots__ = (
        "_answered",
        "_begun",
        "_deadline",
        "_framing",
        "_inside",
        "_port",
        "_rest",
        "_stays",
        "_to_drop",
        "_unread",
        "gave_up",
        "held",
    )

    def __init__(self, port: Connections, **options: Any) -> None:
        super().__init__(port, **options)
        self._port = port
        self._framing = Framing(port.room.limits.body)
        self._rest = b""  # what came behind the request that is being answered
        self._begun = self._answered = False
        self._stays = True
        self._to_drop = port.room.limits.body
        self._inside = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.held = 0
        self.gave_up = False
        """Whether nothing more of it is looked at: it is over, for a reason that was counted."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins, or refuses to."""
        transport = cast("asyncio.Transport", transport)  # uvloop's is one, and does not say so
        if not self._port.room.enter(self):
            self.gave_up = True
            self._port.turn_away(transport)
            return
        self._inside = True
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_MOST_UNREAD)
        if (own := transport.get_extra_info("socket")) is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _MOST_UNREAD)
        self._expect_by(self._port.room.limits.head_s)

    def data_received(self, data: bytes) -> None:
        """Reads on, as far as the request goes that is next."""
        if self.gave_up:
            self._drop(data)
            return
        if not data:  # aiohttp goes on with what it has
            super().data_received(data)
            return
        size = len(data)
        if self._framing.in_head:
            size += (HEAD_COUNTS - 1) * min(size, MOST_HEAD)
        if not self._answered and not self._port.room.hold(self, size):
            self._refuse(503, "too_much_at_once")
        elif self._framing.is_whole or self._rest:
            self._keep(self._rest + data)
        else:
            self._read(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Ends."""
        self.gave_up = True
        self._leave()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Nobody reads what we say: not for long."""
        super().pause_writing()
        self._unread = asyncio.get_running_loop().call_later(
            self._port.room.limits.write_s, self._give_up_writing
        )
        if self._inside:
            self._port.room.keeps_us(self)

    def resume_writing(self) -> None:
        """It is read again."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        if self._framing.is_whole and not self._rest and not self.gave_up:
            self._port.room.works(self)

    def begins(self) -> None:
        """The handler has the request from now on, at least its head."""
        self._begun = True
        self._expect_by(None if self._framing.is_whole else self._port.room.limits.body_s)

    async def finish_response(self, request: web.BaseRequest, resp: Any, *more: Any) -> Any:
        """Answers a request; then its room is free, and the next one's turn."""
        finished = await super().finish_response(request, resp, *more)
        self._answered = True
        self._stays = bool(resp.keep_alive)
        if not self.gave_up:
            self._port.room.free(self, but=len(self._rest))
            if self._framing.is_whole:
                self._go_on()
        return finished

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what is no HTTP, and what no handler should leave to us; repeats nothing of either."""
        del message
        self.gave_up = True
        if request.writer.output_size:
            raise ConnectionError("the answer has begun already")
        if status < 500:
            self._port.refused(status, "malformed")
            return _last_answer(status, "malformed")
        _log.error("request_failed", exc_info=exc)
        return _last_answer(503, "failed")

    def read_on(self) -> None:
        """Goes on with what it sent too soon."""
        rest, self._rest = self._rest, b""
        if self.gave_up or self.transport is None:
            return
        self.transport.resume_reading()
        self._read(rest)

    def give_way(self) -> None:
        """Ends at once, so that others can be served; with a word where one is waited for."""
        transport = self.transport
        if self._framing.has_begun and not self._answered and not self.gave_up:
            self._port.refused(503, "too_many_connections")
            if transport is not None and not self.writing_paused:
                transport.write(last_word(503, "too_many_connections"))
        self.gave_up = True
        self._leave()
        if transport is not None and self.writing_paused:
            transport.abort()
        self.force_close()

    def _read(self, data: bytes, at: int = 0) -> None:
        framing = self._framing
        try:
            end = framing.take(data, at)
        except Unacceptable as why:
            self._refuse(why.status, why.error)
            return
        if not framing.is_whole:
            self._port.room.keeps_us(self)
            if self._deadline is None and not self._answered:
                self._expect_by(self._port.room.limits.head_s)
        else:
            if end == len(data):
                self._port.room.works(self)
            if self._begun:
                self._expect_by(None)
        super().data_received(data if end - at == len(data) else data[at:end])
        if end < len(data):
            self._keep(data[end:])
        if framing.is_whole and self._answered and not self.gave_up:
            self._go_on()

    def _keep(self, rest: bytes) -> None:
        """Keeps what is not its turn yet, and reads no further until it is."""
        self._rest = rest
        self._port.room.keeps_us(self)
        if self.transport is not None:
            self.transport.pause_reading()

    def _go_on(self) -> None:
        """Goes on to the next request, if there is to be one."""
        room = self._port.room
        if not self._stays:
            self.gave_up = True
            room.rests(self)
            return
        self._framing.renew(room.limits.body)
        self._begun = self._answered = False
        if self._rest:
            self._port.queue(self)
        else:
            room.rests(self)

    def _refuse(self, status: int, error: str) -> None:
        """Answers without the handler, once, and ends when the peer had time to read it."""
        self._port.refused(status, error)
        self.gave_up = True
        self._port.room.rests(self)
        self._expect_by(None)
        if self.transport is None:
            return
        _end(self.transport, status, error, silent=self._answered)
        self.close()

    def _drop(self, data: bytes) -> None:
        """Reads on for a while: nobody hears an answer who is not done with sending."""
        self._to_drop -= len(data)
        if self._to_drop < 0 and self.transport is not None:
            self.transport.pause_reading()

    def _expect_by(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._is_late)

    def _is_late(self) -> None:
        self._deadline = None
        if self.gave_up or self._answered or not self._framing.has_begun:
            self.gave_up = True
            self.force_close()
        else:
            self._refuse(408, "head_too_slow" if self._framing.in_head else "body_too_slow")

    def _give_up_writing(self) -> None:
        self._unread = None
        self._port.refused(408, "answer_not_read")
        self.gave_up = True
        if self.transport is not None:
            self.transport.abort()

    def _leave(self) -> None:
        for timer in (self._deadline, self._unread):
            if timer is not None:
                timer.cancel()
        self._deadline = self._unread = None
        self._rest = b""
        if self._inside:
            self._inside = False
            self._port.room.leave(self)


def _last_answer(status: int, error: str) -> Answer:
    answer = Answer(status, {"error": error}, headers_of(status, Connection="close"))
    answer.force_close()
    return answer


def _end(transport: asyncio.Transport, status: int, error: str, *, silent: bool = False) -> None:
    """Answers without a request to answer, and ends the connection."""
    if not silent:
        transport.write(last_word(status, error))
    if transport.can_write_eof():
        transport.write_eof()
    asyncio.get_running_loop().call_later(_LINGER_S, transport.abort)
