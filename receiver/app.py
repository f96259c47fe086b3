"""The receiver: a request walks signature -> callback -> record and is answered. Nothing else is done."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TypeVar

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from redis.exceptions import RedisError

from admin.metrics import REDIS_ERRORS
from admin.tracing import Kind, Span, span
from bookings.errors import DeadLettersFull, QueueFull, SealError, UnknownLink, Unreadable
from bookings.identity import booking_id, delivery_id, link_id
from bookings.record import Forward
from bookings.store import Store
from config.apps import App
from config.errors import ConfigError
from config.settings import Settings
from receiver.answers import LEAVING, SETTINGS, Refused, json_answer
from receiver.callback import Callback, Notification, read_callback
from receiver.metrics import ACCEPT_SECONDS, RECEIVED, SIGNATURE_FAILURES
from receiver.signature import header, is_valid, presented

Body = TypeVar("Body", bytes, bytearray)

STORE = web.AppKey("store", Store)
DRAINING = web.AppKey("draining", asyncio.Event)
"""Set when nothing more is taken."""

_STORED_WITHIN_S = 3.0
"""For all that Redis is waited for: a free connection, connecting, the script. How long Cronofy waits is not
documented; for its other callbacks it is five seconds."""

_TAKEN = {result: RECEIVED.labels(result) for result in ("accepted", "duplicate")}
_log = structlog.get_logger()


def receiver_app(settings: Settings, store: Store) -> web.Application:
    """Gives the application of the public port; what it refuses it raises, for `answered` to say."""
    app = web.Application(middlewares=[_traced] if settings.telemetry.otlp_endpoint else [])
    app[SETTINGS] = settings
    app[STORE] = store
    app[LEAVING] = asyncio.Event()
    app[DRAINING] = asyncio.Event()
    app.router.add_post("/callbacks/{app}", _callback)
    app.router.add_post("/callbacks/{app}/{link_token}", _callback)
    return app


@web.middleware
async def _traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Begins a trace of our own with each callback: whoever sends one has no say in what we keep."""
    resource = request.match_info.route.resource
    if resource is None:
        return await handler(request)
    route = resource.canonical
    facts = {"http.request.method": request.method, "http.route": route}
    refused: Refused | None = None
    with span(f"{request.method} {route}", Kind.SERVER, facts) as serving:
        try:
            answer = await handler(request)
            status = answer.status
        except Refused as refusal:
            refused, status = refusal, refusal.status
        serving.note({"http.response.status_code": status})
        if status >= 500:
            serving.fail(str(status))
    if refused is not None:
        raise refused
    return answer


async def _callback(request: web.Request) -> web.Response:
    ours = request.app
    settings, store = ours[SETTINGS], ours[STORE]
    app = settings.app(request.match_info["app"])
    if app is None:
        raise Refused(404, "unknown_app")
    if ours[DRAINING].is_set():
        raise Refused(503, "draining")
    if "Content-Encoding" in request.headers:
        raise Refused(415, "content_encoding_not_accepted")
    body = await _read_body(request, settings)
    _verify(request, body, app)

    token = request.match_info.get("link_token")
    link = None if token is None else link_id(app.name, token)
    delivery = delivery_id(app.name, link, body)
    known = {"app": app.name, "delivery": delivery}  # for the log: a logger bound to them takes longer
    try:
        callback = read_callback(body, scheduler_requests=app.scheduler_requests)
    except Unreadable as unreadable:
        return await _quarantine(
            store,
            settings,
            app=app.name,
            delivery=delivery,
            link=link,
            reason=str(unreadable),
            body=body,
            signature=_signature(request),
            known=known,
        )
    if isinstance(callback, Notification):
        RECEIVED.labels("ignored").inc()
        _log.info("callback_ignored", **known, type=callback.type[:64])
        return json_answer(200, {"status": "ignored", "type": callback.type})
    forward = None
    if app.forward_to or link is not None:
        forward = Forward(body, _signature(request))
    return await _accept(
        store, settings, callback, app=app, delivery=delivery, link=link, forward=forward, known=known
    )


async def _read_body(request: web.Request, settings: Settings) -> bytes:
    limit = settings.receiver.max_body_bytes
    if request.content_length is not None and request.content_length > limit:
        raise Refused(413, "body_too_large")
    try:
        if request.content.is_eof():  # it came along with the head: there is nothing to wait for
            return _no_longer_than(limit, request.content.read_nowait())
        body = bytearray()
        async with asyncio.timeout(settings.receiver.body_timeout):
            while chunk := await request.content.readany():
                body += chunk
                _no_longer_than(limit, body)
    except TimeoutError:
        raise Refused(408, "body_too_slow") from None
    except (ConnectionError, web.RequestPayloadError):
        raise Refused(400, "body_incomplete") from None
    return bytes(body)


def _no_longer_than(limit: int, body: Body) -> Body:
    if len(body) > limit:
        raise Refused(413, "body_too_large")
    return body


def _verify(request: web.Request, body: bytes, app: App) -> None:
    values = presented(request.raw_headers)
    try:
        secrets = [secret.value() for secret in app.client_secrets]
    except ConfigError:
        _log.exception("client_secret_unreadable", app=app.name)
        raise Refused(503, "secret_unavailable") from None
    if not is_valid(body, values=values, secrets=secrets):
        SIGNATURE_FAILURES.labels("wrong" if values else "missing").inc()
        raise Refused(401, "invalid_signature")


def _signature(request: web.Request) -> str:
    """The header as it came, to be passed on."""
    return header(request.raw_headers).decode("latin-1")


async def _accept(
    store: Store,
    settings: Settings,
    callback: Callback,
    *,
    app: App,
    delivery: str,
    link: str | None,
    forward: Forward | None,
    known: Mapping[str, str],
) -> web.Response:
    event_id = str(callback.event_id)
    bid = booking_id(app.name, event_id)
    try:
        with ACCEPT_SECONDS.time(), _accepting(app.name, delivery, bid) as accepting:
            accepted = await store.accept(
                app=app.name,
                event_id=event_id,
                delivery=delivery,
                parts=callback.parts,
                link=link,
                forward=forward,
                forward_always=bool(app.forward_to),
                window_s=settings.receiver.redelivery_window,
                queue_limit=settings.receiver.queue_limit,
                dead_letters_limit=settings.receiver.dead_letters_limit,
                prune=settings.worker.prune_missing_parts,
                trace=accepting.traceparent,
                within_s=_STORED_WITHIN_S,
            )
    except (UnknownLink, QueueFull, DeadLettersFull, SealError, RedisError, OSError) as error:
        raise _not_stored(error, delivery) from None
    result = "duplicate" if accepted.duplicate else "accepted"
    _TAKEN[result].inc()
    _log.info(
        "callback_duplicate" if accepted.duplicate else "callback_accepted",
        **known,
        booking=bid,
        revision=accepted.revision,
        parts=len(callback.parts),
    )
    return json_answer(
        200 if accepted.duplicate else 202,
        {
            "status": result,
            "event_id": callback.event_id,
            "revision": accepted.revision,
            "parts": len(callback.parts),
        },
    )


def _accepting(app: str, delivery: str, bid: str) -> AbstractContextManager[Span]:
    facts = {"sequence_sync.app": app, "sequence_sync.delivery": delivery, "sequence_sync.booking": bid}
    return span("accept", Kind.PRODUCER, facts)


async def _quarantine(
    store: Store,
    settings: Settings,
    *,
    app: str,
    delivery: str,
    link: str | None,
    reason: str,
    body: bytes,
    signature: str,
    known: Mapping[str, str],
) -> web.Response:
    try:
        await store.quarantine(
            delivery=delivery,
            app=app,
            link=link,
            reason=reason,
            body=body,
            signature=signature,
            dead_letters_limit=settings.receiver.dead_letters_limit,
            within_s=_STORED_WITHIN_S,
        )
    except (UnknownLink, DeadLettersFull, SealError, RedisError, OSError) as error:
        raise _not_stored(error, delivery) from None
    RECEIVED.labels("quarantined").inc()
    _log.warning("callback_quarantined", **known, reason=reason)
    return json_answer(202, {"status": "quarantined", "reason": reason, "delivery": delivery})


def _not_stored(error: Exception, delivery: str) -> Refused:
    """The answer where a delivery was not stored, or it is not known whether it was."""
    match error:
        case UnknownLink():
            return Refused(404, "unknown_link", delivery=delivery)
        case QueueFull():
            return Refused(503, "queue_full", delivery=delivery)
        case DeadLettersFull():
            return Refused(503, "dead_letters_full", delivery=delivery)
        case SealError():  # never in plain for want of a key
            return Refused(503, "secret_unavailable", delivery=delivery, problem=str(error))
        case _:
            REDIS_ERRORS.inc()
            return Refused(503, "redis_unavailable", delivery=delivery, error=type(error).__name__)
