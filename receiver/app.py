"""The receiver: a request walks signature -> callback -> record and is answered. Nothing else is done."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from redis.exceptions import RedisError

from admin.metrics import ACCEPT_SECONDS, RECEIVED, SIGNATURE_FAILURES
from bookings.errors import DeadLettersFull, QueueFull, UnknownLink
from bookings.identity import booking_id, delivery_id, link_id
from bookings.patience import in_time
from bookings.store import Store
from config.errors import ConfigError
from config.settings import App, Settings
from receiver.callback import Callback, Notification, Unreadable, read_callback
from receiver.signature import is_valid, presented

SETTINGS = web.AppKey("settings", Settings)
STORE = web.AppKey("store", Store)
DRAINING = web.AppKey("draining", asyncio.Event)

_STORED_WITHIN_S = 3.0
"""For all that Redis is waited for: a free connection, connecting, the script. How long Cronofy waits is not
documented; for its other callbacks it is five seconds."""

RETRY_AFTER_S = 5
"""What a sender is asked to wait after 503."""

_log = structlog.get_logger()


class _Refused(Exception):
    """The request is answered with an error; nothing was stored."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = headers


def receiver_app(settings: Settings, store: Store) -> web.Application:
    """Gives the application of the public port."""
    app = web.Application(middlewares=[_json_errors])
    app[SETTINGS] = settings
    app[STORE] = store
    app[DRAINING] = asyncio.Event()
    app.router.add_post("/callbacks/{app}", _callback)
    app.router.add_post("/callbacks/{app}/{link_token}", _callback)
    return app


@web.middleware
async def _json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except _Refused as refused:
        RECEIVED.labels(refused.error).inc()
        answer = _answer(refused.status, {"error": refused.error}, refused.headers)
        if not request.content.is_eof():
            answer.force_close()  # the rest of the body is not worth reading
        return answer
    except web.HTTPException as error:
        RECEIVED.labels("not_found" if error.status == 404 else "refused").inc()
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _answer(error.status, {"error": error.reason.lower().replace(" ", "_")}, allowed)


async def answered(
    request: web.BaseRequest, handler: Callable[..., Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answers a request by the application; in place of aiohttp's 500, so that the sender repeats."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except ConnectionError:
        return _answer(400, {"error": "connection_lost"})  # nobody is there to read it
    except Exception as error:  # noqa: BLE001 - logged with its traceback
        if isinstance(error, UnicodeEncodeError) and "Expect" in request.headers:
            # aiohttp repeats an unknown expectation in its answer, whether or not it can be written as UTF-8.
            return _answer(417, {"error": "expectation_failed"})
        _log.exception("request_failed")
        RECEIVED.labels("failed").inc()
        return _answer(503, {"error": "failed"}, {"Retry-After": str(RETRY_AFTER_S)})


def _answer(status: int, data: Mapping[str, object], headers: Mapping[str, str] = {}) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(data).encode(), content_type="application/json", headers=headers
    )


def _unavailable(error: str) -> _Refused:
    return _Refused(503, error, **{"Retry-After": str(RETRY_AFTER_S)})


async def _callback(request: web.Request) -> web.Response:
    settings, store = request.app[SETTINGS], request.app[STORE]
    app = settings.app(request.match_info["app"])
    if app is None:
        raise _Refused(404, "unknown_app")
    if request.app[DRAINING].is_set():
        raise _unavailable("draining")
    if "Content-Encoding" in request.headers:
        raise _Refused(415, "content_encoding_not_accepted")
    body = await _read_body(request, settings)
    _verify(request, body, app)

    token = request.match_info.get("link_token")
    link = None if token is None else link_id(app.name, token)
    delivery = delivery_id(app.name, link, body)
    log = _log.bind(app=app.name, delivery=delivery)
    try:
        callback = read_callback(body)
    except Unreadable as unreadable:
        return await _quarantine(
            store,
            settings,
            app=app.name,
            delivery=delivery,
            link=link,
            reason=str(unreadable),
            body=body,
            log=log,
        )
    if isinstance(callback, Notification):
        RECEIVED.labels("ignored").inc()
        log.info("callback_ignored", type=callback.type[:64])
        return _answer(200, {"status": "ignored", "type": callback.type})
    return await _accept(store, settings, callback, app=app.name, delivery=delivery, link=link, log=log)


async def _read_body(request: web.Request, settings: Settings) -> bytes:
    limit = settings.receiver.max_body_bytes
    if request.content_length is not None and request.content_length > limit:
        raise _Refused(413, "body_too_large")
    body = bytearray()
    try:
        async with asyncio.timeout(settings.receiver.body_timeout):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > limit:
                    raise _Refused(413, "body_too_large")
    except TimeoutError:
        raise _Refused(408, "body_too_slow") from None
    except (ConnectionError, web.RequestPayloadError):
        raise _Refused(400, "body_incomplete") from None
    return bytes(body)


def _verify(request: web.Request, body: bytes, app: App) -> None:
    values = presented(request.raw_headers)
    try:
        secrets = [secret.value() for secret in app.client_secrets]
    except ConfigError:
        _log.exception("client_secret_unreadable", app=app.name)
        raise _unavailable("secret_unavailable") from None
    if not is_valid(body, values=values, secrets=secrets):
        SIGNATURE_FAILURES.labels("wrong" if values else "missing").inc()
        raise _Refused(401, "invalid_signature")


async def _accept(
    store: Store,
    settings: Settings,
    callback: Callback,
    *,
    app: str,
    delivery: str,
    link: str | None,
    log: structlog.typing.FilteringBoundLogger,
) -> web.Response:
    event_id = str(callback.event_id)
    try:
        with ACCEPT_SECONDS.time():
            accepted = await in_time(
                store.accept(
                    app=app,
                    event_id=event_id,
                    delivery=delivery,
                    parts=callback.parts,
                    link=link,
                    window_s=settings.receiver.redelivery_window,
                    queue_limit=settings.receiver.queue_limit,
                    dead_letters_limit=settings.receiver.dead_letters_limit,
                    prune=settings.worker.prune_missing_parts,
                ),
                within_s=_STORED_WITHIN_S,
            )
    except (UnknownLink, QueueFull, DeadLettersFull, RedisError, OSError) as error:
        raise _not_stored(error, log) from None
    result = "duplicate" if accepted.duplicate else "accepted"
    RECEIVED.labels(result).inc()
    log.info(
        "callback_duplicate" if accepted.duplicate else "callback_accepted",
        booking=booking_id(app, event_id),
        revision=accepted.revision,
        parts=len(callback.parts),
    )
    return _answer(
        200 if accepted.duplicate else 202,
        {
            "status": result,
            "event_id": callback.event_id,
            "revision": accepted.revision,
            "parts": len(callback.parts),
        },
    )


async def _quarantine(
    store: Store,
    settings: Settings,
    *,
    app: str,
    delivery: str,
    link: str | None,
    reason: str,
    body: bytes,
    log: structlog.typing.FilteringBoundLogger,
) -> web.Response:
    try:
        await in_time(
            store.quarantine(
                delivery=delivery,
                app=app,
                link=link,
                reason=reason,
                body=body,
                dead_letters_limit=settings.receiver.dead_letters_limit,
            ),
            within_s=_STORED_WITHIN_S,
        )
    except (UnknownLink, DeadLettersFull, RedisError, OSError) as error:
        raise _not_stored(error, log) from None
    RECEIVED.labels("quarantined").inc()
    log.warning("callback_quarantined", reason=reason)
    return _answer(202, {"status": "quarantined", "reason": reason, "delivery": delivery})


def _not_stored(error: Exception, log: structlog.typing.FilteringBoundLogger) -> _Refused:
    """The answer where a delivery was not stored, or it is not known whether it was."""
    match error:
        case UnknownLink():
            return _Refused(404, "unknown_link")
        case QueueFull():
            refused = _unavailable("queue_full")
        case DeadLettersFull():
            refused = _unavailable("dead_letters_full")
        case _:
            refused = _unavailable("redis_unavailable")
    log.error("callback_not_stored", reason=refused.error, error=type(error).__name__)
    return refused
