"""What the receiver says where it does not accept, and how it says it: always JSON, never a 500."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog
from aiohttp import web

from receiver.metrics import RECEIVED

RETRY_AFTER_S = 5
"""What a sender is asked to wait after 503."""

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


async def answered(
    request: web.BaseRequest, answer: Callable[[web.BaseRequest], Awaitable[web.Response]]
) -> web.Response:
    """Answers a request, whatever happens."""
    try:
        return await answer(request)
    except Refused as refused:
        return _refusal(request, refused)
    except ConnectionError:
        return json_answer(400, {"error": "connection_lost"})  # nobody is there to read it
    except Exception:  # noqa: BLE001 - logged with its traceback
        _log.exception("request_failed")
        RECEIVED.labels("failed").inc()
        return json_answer(503, {"error": "failed"}, {"Retry-After": str(RETRY_AFTER_S)})


def _refusal(request: web.BaseRequest, refused: Refused) -> web.Response:
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
    answer = json_answer(refused.status, {"error": refused.error}, headers)
    if not request.content.is_eof() or "Upgrade" in request.headers:
        answer.force_close()  # the rest of the body is not worth reading
    return answer


def json_answer(status: int, data: Mapping[str, object], headers: Mapping[str, str] = {}) -> web.Response:
    """An answer of the public port."""
    return web.Response(
        status=status, body=msgspec.json.encode(data), headers={"Content-Type": "application/json", **headers}
    )
