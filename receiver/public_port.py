"""The public port: a request walks signature -> callback -> record and is answered. Nothing else is done."""

import re
from time import perf_counter
from typing import NamedTuple, cast
from urllib.parse import unquote

import structlog
from aiohttp import HttpVersion11, web
from redis.exceptions import RedisError

from admin.metrics import REDIS_ERRORS
from admin.ports.answers import Answer
from admin.ports.connections import Connection
from admin.tracing import Kind, span
from bookings.errors import DeadLettersFull, QueueFull, SealError, UnknownLink, Unreadable
from bookings.identity import booking_id, delivery_id, link_id
from bookings.record import UNKNOWN_LINK, UNREADABLE, Forward
from bookings.refusals import named
from bookings.store import Store
from config.apps import App
from config.errors import ConfigError
from config.settings import Settings
from receiver.answers import NoCallback, Refused, answer_to, unsigned
from receiver.callback import Callback, Notification, read_callback
from receiver.metrics import ACCEPT_SECONDS, QUARANTINED, RECEIVED, SIGNATURE_FAILURES
from receiver.signature import header, is_valid, presented

_TARGET = re.compile(r"/callbacks/([^/]+)(?:/([^/]+))?/*")  # a slash at the end means nothing
_STORED_WITHIN_S = 3.0
"""For all that Redis is waited for: a free connection, connecting, the script. How long Cronofy waits is not
documented; for its other callbacks it is five seconds."""

_NO_LINK = "the record knows no link by this address; add a route, or bring the link back, then replay"
_TAKEN = {result: RECEIVED.labels(result) for result in ("accepted", "duplicate")}


class _Delivery(NamedTuple):
    """What came with a good signature, which is kept to be passed on."""

    app: App
    link: str | None
    body: bytes
    signature: str
    id: str

    @property
    def known(self) -> dict[str, str]:
        """What every log line about it says."""
        return {"app": self.app.name, "delivery": self.id}  # a logger bound to them takes longer


class PublicPort:
    """Answers whoever asks there."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._limits = settings.receiver
        self._store = store
        self._log = structlog.get_logger().bind()  # what stands for a logger looks it up for each line
        self._traces = settings.telemetry.otlp_endpoint is not None
        self.leaving = False
        """Whether we were told to stop: each answer asks its client to go elsewhere from now on."""
        self.draining = False
        """Whether nothing more is taken."""

    async def answer(self, request: web.BaseRequest) -> Answer:
        """Answers a request, whatever happens."""
        try:
            answer = await self._answer(request)
        except Exception as error:  # noqa: BLE001 - it is logged
            answer = answer_to(request, error)
        if self.leaving:
            answer.force_close()
        return answer

    async def _answer(self, request: web.BaseRequest) -> Answer:
        if "Upgrade" in request.headers:  # aiohttp would take the rest of the connection for another protocol
            raise NoCallback(400, "upgrade_not_accepted")
        if "Expect" in request.headers and not _waits_to_be_asked(request):
            raise NoCallback(417, "expectation_failed")
        target = _TARGET.fullmatch(request.rel_url.raw_path)
        if target is None:
            raise NoCallback(404, "not_found")
        if request.method != "POST":
            raise NoCallback(405, "method_not_allowed")
        app, token = target.groups()
        take = self._traced if self._traces else self._take
        return await take(request, unquote(app), None if token is None else unquote(token))

    async def _traced(self, request: web.BaseRequest, name: str, token: str | None) -> Answer:
        """Begins a trace of our own with each callback: whoever sends one has no say in what we keep."""
        route = "/callbacks/{app}" if token is None else "/callbacks/{app}/{link_token}"
        facts = {"http.request.method": request.method, "http.route": route}
        refused: Refused | None = None
        with span(f"{request.method} {route}", Kind.SERVER, facts) as serving:
            try:
                answer = await self._take(request, name, token)
                status = answer.status
            except Refused as refusal:
                refused, status = refusal, refusal.status
            serving.note({"http.response.status_code": status})
            if status >= 500:
                serving.fail(str(status))
        if refused is not None:
            raise refused
        return answer

    async def _take(self, request: web.BaseRequest, name: str, token: str | None) -> Answer:
        app = self._settings.app(name)
        if app is None:
            raise Refused(404, "unknown_app")
        try:
            delivery = await self._delivery(request, app, token)
            return await self._keep(delivery)
        except Refused as refused:
            refused.facts["app"] = app.name
            raise

    async def _delivery(self, request: web.BaseRequest, app: App, token: str | None) -> _Delivery:
        if self.draining:
            raise Refused(503, "draining")
        if "Content-Encoding" in request.headers:
            raise Refused(415, "content_encoding_not_accepted")
        body = await self._read_body(request)
        signature = header(request.headers)
        self._verify(signature, body, app)
        link = None if token is None else link_id(app.name, token)
        return _Delivery(app, link, body, signature.decode("latin-1"), delivery_id(app.name, link, body))

    async def _read_body(self, request: web.BaseRequest) -> bytes:
        """Reads a body. How long it is, and how long it takes, is for the connection to see to."""
        content = request.content
        try:
            if content.is_eof():  # it came along with the head: there is nothing to wait for
                return content.read_nowait()
            if "Expect" in request.headers:
                await _ask_for_body(request)
            return await content.read()
        except (ConnectionError, web.RequestPayloadError):
            if cast("Connection", request.protocol).gave_up:
                raise ConnectionError from None  # it was answered, and counted
            raise Refused(400, "body_incomplete") from None

    def _verify(self, signature: bytes, body: bytes, app: App) -> None:
        values = presented(signature)
        try:
            secrets = [secret.value() for secret in app.client_secrets]
        except ConfigError:
            unsigned.log("exception", "client_secret_unreadable", app=app.name)
            raise Refused(503, "secret_unavailable") from None
        if not is_valid(body, values=values, secrets=secrets):
            SIGNATURE_FAILURES.labels("wrong" if values else "missing").inc()
            raise Refused(401, "invalid_signature")

    async def _keep(self, delivery: _Delivery) -> Answer:
        try:
            callback = read_callback(delivery.body, scheduler_requests=delivery.app.scheduler_requests)
        except Unreadable as unreadable:
            return await self._quarantine(delivery, UNREADABLE, str(unreadable))
        if isinstance(callback, Notification):
            RECEIVED.labels("ignored").inc()
            self._log.info("callback_ignored", **delivery.known, type=callback.kind)
            return Answer(200, {"status": "ignored", "type": callback.type})
        return await self._accept(delivery, callback)

    async def _accept(self, delivery: _Delivery, callback: Callback) -> Answer:
        app, event_id = delivery.app, str(callback.event_id)
        bid = booking_id(app.name, event_id)
        forward = None
        if app.forward_to or delivery.link is not None:
            forward = Forward(delivery.body, delivery.signature)
        facts = {
            "sequence_sync.app": app.name,
            "sequence_sync.delivery": delivery.id,
            "sequence_sync.booking": bid,
        }
        began = perf_counter()
        try:
            with span("accept", Kind.PRODUCER, facts) as accepting:
                accepted = await self._store.accept(
                    app=app.name,
                    event_id=event_id,
                    delivery=delivery.id,
                    parts=callback.parts,
                    link=delivery.link,
                    forward=forward,
                    forward_always=bool(app.forward_to),
                    window_s=self._limits.redelivery_window,
                    queue_limit=self._settings.share(self._limits.queue_limit),
                    dead_letters_limit=self._settings.share(self._limits.dead_letters_limit),
                    prune=self._settings.worker.prune_missing_parts,
                    trace=accepting.traceparent,
                    within_s=_STORED_WITHIN_S,
                )
        except UnknownLink:
            return await self._quarantine(delivery, UNKNOWN_LINK, _NO_LINK, event_id)
        except (QueueFull, DeadLettersFull, SealError, RedisError, OSError) as error:
            raise _not_stored(error, delivery) from None
        finally:
            ACCEPT_SECONDS.observe(perf_counter() - began)  # a `Timer` takes as long again
        result = "duplicate" if accepted.duplicate else "accepted"
        _TAKEN[result].inc()
        self._log.info(
            "callback_duplicate" if accepted.duplicate else "callback_accepted",
            **delivery.known,
            booking=bid,
            revision=accepted.revision,
            parts=len(callback.parts),
        )
        return Answer(
            200 if accepted.duplicate else 202,
            {
                "status": result,
                "event_id": callback.event_id,
                "revision": accepted.revision,
                "parts": len(callback.parts),
            },
        )

    async def _quarantine(self, delivery: _Delivery, kind: str, reason: str, event_id: str = "") -> Answer:
        """Keeps what is signed and cannot be taken: nobody else has it, but for Cronofy, and not for long."""
        try:
            await self._store.quarantine(
                delivery=delivery.id,
                app=delivery.app.name,
                link=delivery.link,
                reason=reason,
                body=delivery.body,
                signature=delivery.signature,
                kind=kind,
                event_id=event_id,
                dead_letters_limit=self._settings.share(self._limits.dead_letters_limit),
                within_s=_STORED_WITHIN_S,
            )
        except (DeadLettersFull, SealError, RedisError, OSError) as error:
            raise _not_stored(error, delivery) from None
        RECEIVED.labels("quarantined").inc()
        QUARANTINED.labels(kind).inc()
        self._log.warning("callback_quarantined", **delivery.known, kind=kind, reason=reason)
        return Answer(202, {"status": "quarantined", "reason": reason, "delivery": delivery.id})


def _waits_to_be_asked(request: web.BaseRequest) -> bool:
    """Whether all it expects is to be asked for its body before it sends it (RFC 9110, 10.1.1)."""
    return request.version < HttpVersion11 or request.headers["Expect"].lower() == "100-continue"


async def _ask_for_body(request: web.BaseRequest) -> None:
    if request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # of the answer, nothing was sent


def _not_stored(error: Exception, delivery: _Delivery) -> Refused:
    """The answer where a delivery was not stored, or it is not known whether it was."""
    match error:
        case QueueFull():
            return Refused(503, "queue_full", delivery=delivery.id)
        case DeadLettersFull():
            return Refused(503, "dead_letters_full", delivery=delivery.id)
        case SealError():  # never in plain for want of a key
            return Refused(503, "secret_unavailable", delivery=delivery.id, problem=str(error))
        case _:
            REDIS_ERRORS.inc()
            return Refused(503, "redis_unavailable", delivery=delivery.id, error=named(error))
