"""What the public port says, and how: always JSON, never a 500."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType

import msgspec
import structlog
from aiohttp import HttpVersion11, web

from receiver.metrics import RECEIVED

RETRY_AFTER_S = 5
"""What a sender is asked to wait after 503."""

_NONE: Mapping[str, str] = MappingProxyType({})
_log = structlog.get_logger()


class Refused(Exception):
    """The request is answered with an error; nothing was stored, or it is not known whether it was.

    `facts` are for the log: nothing that came without a signature is among them.
    """

    def __init__(self, status: int, error: str, /, **facts: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.facts = facts


class NoCallback(Refused):
    """So is what nobody who has a callback would send."""


class Answer(web.StreamResponse):
    """An answer of the public port: JSON, written at once with its head.

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


def head_of(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Gives the head of an answer as it goes over the wire, before its body."""
    more = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode() if headers else b""
    return b"%bContent-Length: %d\r\n%b\r\n" % (_begun(status, int(time.time())), len(body), more)


@lru_cache(64)
def _begun(status: int, second: int) -> bytes:
    """How all answers of one status in one second begin."""
    phrase, date = HTTPStatus(status).phrase, formatdate(second, usegmt=True)
    return f"HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\nDate: {date}\r\n".encode()


def answer_to(request: web.BaseRequest, error: Exception) -> Answer:
    """Gives the answer to a request that went wrong so."""
    match error:
        case Refused():
            return _refusal(request, error)
        case ConnectionError():
            return Answer(400, {"error": "connection_lost"})  # nobody is there to read it
        case _:
            _log.error("request_failed", exc_info=error)
            RECEIVED.labels("failed").inc()
            return Answer(503, {"error": "failed"}, {"Retry-After": str(RETRY_AFTER_S)})


def _refusal(request: web.BaseRequest, refused: Refused) -> Answer:
    if isinstance(refused, NoCallback):
        RECEIVED.labels("not_found" if refused.status == 404 else "refused").inc()
        _log.info("request_refused", status=refused.status)
    else:
        RECEIVED.labels(refused.error).inc()
        log = _log.error if refused.status >= 500 else _log.warning
        log("callback_refused", status=refused.status, reason=refused.error, **refused.facts)
    headers = {}
    if refused.status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if refused.status == 405:
        headers["Allow"] = "POST"
    answer = Answer(refused.status, {"error": refused.error}, headers)
    if not request.content.is_eof() or "Upgrade" in request.headers:
        answer.force_close()  # the rest of the body is not worth reading
    return answer
