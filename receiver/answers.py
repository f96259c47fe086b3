"""What the receiver says where it does not accept, and how it says it: always JSON, never a 500."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog
from aiohttp import web

from config.settings import Settings
from receiver.metrics import RECEIVED

SETTINGS = web.AppKey("settings", Settings)
LEAVING = web.AppKey("leaving", asyncio.Event)
"""Set when we were told to stop: each answer asks its client to go elsewhere with the next callback."""

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


async def answered(
    request: web.BaseRequest,
    *,
    app: web.Application,
    handler: Callable[..., Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Answers a request by the application, whatever happens; closes its connection once we are to stop."""
    answer = await _answer(request, app, handler)
    if app[LEAVING].is_set():
        answer.force_close()
    return answer


async def _answer(
    request: web.BaseRequest, app: web.Application, handler: Callable[..., Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if "Upgrade" in request.headers:  # aiohttp would take the rest of the connection for another protocol
        RECEIVED.labels("refused").inc()
        answer = json_answer(400, {"error": "upgrade_not_accepted"})
        answer.force_close()
        return answer
    try:
        return await handler(request)
    except Refused as refused:
        return _refusal(request, app[SETTINGS], refused)
    except web.HTTPException as error:
        RECEIVED.labels("not_found" if error.status == 404 else "refused").inc()
        _log.info("request_refused", status=error.status)
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return json_answer(error.status, {"error": error.reason.lower().replace(" ", "_")}, allowed)
    except ConnectionError:
        return json_answer(400, {"error": "connection_lost"})  # nobody is there to read it
    except Exception as error:  # noqa: BLE001 - logged with its traceback
        if isinstance(error, UnicodeEncodeError) and "Expect" in request.headers:
            # aiohttp repeats an unknown expectation in its answer, whether or not it can be written as UTF-8.
            return json_answer(417, {"error": "expectation_failed"})
        _log.exception("request_failed")
        RECEIVED.labels("failed").inc()
        return json_answer(503, {"error": "failed"}, {"Retry-After": str(RETRY_AFTER_S)})


def _refusal(request: web.BaseRequest, settings: Settings, refused: Refused) -> web.Response:
    RECEIVED.labels(refused.error).inc()
    app = settings.app(request.match_info["app"]) if isinstance(request, web.Request) else None
    of_app = {} if app is None else {"app": app.name}
    log = _log.error if refused.status >= 500 else _log.warning
    log("callback_refused", status=refused.status, reason=refused.error, **of_app, **refused.facts)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if refused.status == 503 else {}
    answer = json_answer(refused.status, {"error": refused.error}, headers)
    if not request.content.is_eof():
        answer.force_close()  # the rest of the body is not worth reading
    return answer


def json_answer(status: int, data: Mapping[str, object], headers: Mapping[str, str] = {}) -> web.Response:
    """An answer of the public port."""
    return web.Response(
        status=status, body=msgspec.json.encode(data), content_type="application/json", headers=headers
    )
