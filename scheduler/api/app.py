"""The Cronofy-compatible API: its paths, and Cronofy's shapes of what is answered, errors included."""

import asyncio
from collections.abc import Coroutine, Mapping
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from redis.exceptions import RedisError

from admin.in_force import InForce
from admin.ports.applications import without_versions
from admin.sampling import Sampled
from bookings.links import LinkKind
from bookings.refusals import named
from config.apps import App
from config.errors import ConfigError
from config.settings import Settings
from scheduler.api.auth import app_of, presented_secrets
from scheduler.api.problems import Invalid
from scheduler.api.values import from_json
from scheduler.asking import Asker
from scheduler.cronofy import CronofyAnswer, CronofyUnreachable
from scheduler.links import LinkMaker
from scheduler.metrics import API_SECONDS


class Service(NamedTuple):
    """What requests are answered with."""

    settings: Settings
    maker: LinkMaker
    asker: Asker


IN_FORCE = web.AppKey("in_force", InForce[Service])
_SERVICE = web.RequestKey("service", Service)

MOST_BYTES = 1 << 19
RETRY_AFTER_S = 5
_BRING_ONE = "send a client secret of the app"
_BRING_EITHER = (
    "send a client secret of the app, or one of its access_tokens: pycronofy and cronofy for Node send the "
    "access token they were made with"
)
_LOOK_S = 0.05
_CLIENT_LEFT = 499
"""nginx's: nobody reads it but the metric."""

T = TypeVar("T")

_log = structlog.get_logger()
_unsigned = Sampled(_log)


def api_app(in_force: InForce[Service]) -> web.Application:
    """Gives the application of the API port. A request is answered with what is in force when it comes."""
    app = web.Application(middlewares=[_answered], client_max_size=MOST_BYTES)
    app.on_response_prepare.append(without_versions)
    app[IN_FORCE] = in_force
    for kind in LinkKind:
        app.router.add_post(f"/v1/{kind}", _create)
        app.router.add_post(f"/v1/{kind}/{{id}}/disable", _disable)
    app.router.add_get(f"/v1/{LinkKind.SCHEDULING}", _status)
    app.router.add_get(f"/v1/{LinkKind.SCHEDULING}/{{id}}", _status)
    app.router.add_post("/v1/scheduler_requests", _request_scheduler)
    app.router.add_post("/v1/sequenced_availability", _sequenced_availability)
    return app


class _Refused(Exception):
    def __init__(self, status: int, body: Mapping[str, Any] | None = None, **headers: str) -> None:
        super().__init__(str(status))
        self.status = status
        self.body = body
        self.headers = headers


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever happens is answered as JSON, and measured."""
    began = perf_counter()
    answer = await _answer(request, handler)
    route = request.match_info.route.resource
    path = route.canonical if route is not None else "other"
    API_SECONDS.labels(path, str(answer.status)).observe(perf_counter() - began)
    return answer


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What we cannot do now is answered 503 or 502, and nothing 500."""
    try:
        with request.app[IN_FORCE].held() as service:
            request[_SERVICE] = service
            return await handler(request)
    except _Refused as refused:
        return _json(refused.status, refused.body, refused.headers)
    except Invalid as invalid:
        return _json(422, {"errors": invalid.errors})
    except CronofyUnreachable as error:
        _log.warning("cronofy_unreachable", error=str(error), unknown=error.unknown)
        return _json(502, {"error": "cronofy_unreachable", "outcome_unknown": error.unknown})
    except web.HTTPRequestEntityTooLarge:
        return _json(413, {"error": "body_too_large"})
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _json(error.status, {"error": error.reason.lower().replace(" ", "_")}, headers)
    except (RedisError, OSError) as error:
        _log.warning("api_waits_for_redis", error=named(error))
        return _json(503, {"error": "redis_unavailable"}, {"Retry-After": str(RETRY_AFTER_S)})
    except ConfigError:
        _log.exception("secret_unreadable")
        return _json(503, {"error": "secret_unavailable"}, {"Retry-After": str(RETRY_AFTER_S)})
    except Exception:  # noqa: BLE001 - logged with its traceback
        _log.exception("request_failed")
        return _json(503, {"error": "failed"}, {"Retry-After": str(RETRY_AFTER_S)})


def _service(request: web.Request) -> Service:
    return request[_SERVICE]


class _Asked(NamedTuple):
    """A request by somebody we know."""

    app: App
    data: Any


async def _asked(request: web.Request, *, by_token: bool = False) -> _Asked:
    """Reads a request. Who is not known learns nothing of what is wrong with it.

    The body is read first, since older libraries have the secret in it.
    """
    raw = await _body(request)
    unreadable: Invalid | None = None
    data: Any = {}
    try:
        data = from_json(raw) if raw else {}
    except Invalid as error:
        unreadable = error
    secrets = presented_secrets(request.headers.get("Authorization", ""), data)
    app = app_of(secrets, _service(request).settings, by_token=by_token)
    if app is None:
        hint = _BRING_EITHER if by_token else _BRING_ONE
        _unsigned.log("warning", "api_refused", status=401, hint=hint)
        raise _Refused(401, None, **{"WWW-Authenticate": "Bearer"})
    if unreadable is not None:
        raise unreadable
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if name not in ("client_id", "client_secret")}
    return _Asked(app, data)


async def _body(request: web.Request) -> bytes:
    if "Content-Encoding" in request.headers:  # nothing is opened for somebody whom we do not know
        raise _Refused(415, {"error": "content_encoding_not_accepted"})
    try:
        return await request.read()
    except (ConnectionError, web.RequestPayloadError):
        raise _Refused(400, {"error": "body_incomplete"}) from None


async def _create(request: web.Request) -> web.Response:
    asked = await _asked(request)
    kind = LinkKind(request.path.rpartition("/")[2])
    return _passed_on(await _service(request).maker.create(asked.app, kind, asked.data))


async def _disable(request: web.Request) -> web.Response:
    asked = await _asked(request)
    kind = LinkKind(request.path.split("/")[2])
    cronofy_id = _safe(request.match_info["id"])
    return _passed_on(await _service(request).maker.disable(asked.app, kind, cronofy_id, asked.data))


async def _status(request: web.Request) -> web.Response:
    asked = await _asked(request)
    cronofy_id = request.match_info.get("id")
    query = "" if cronofy_id else f"?token={_safe(request.query.get('token', ''))}"
    path = f"/v1/{LinkKind.SCHEDULING}" + (f"/{_safe(cronofy_id)}" if cronofy_id else query)
    return _passed_on(await _service(request).maker.status(asked.app, path))


async def _request_scheduler(request: web.Request) -> web.Response:
    asked = await _asked(request)
    impersonate = request.headers.get("Cronofy-Impersonate", "").strip()
    return _passed_on(
        await _service(request).maker.request_scheduler(asked.app, asked.data, impersonate=impersonate)
    )


async def _sequenced_availability(request: web.Request) -> web.Response:
    asked = await _asked(request, by_token=True)
    if not asked.app.availability:
        raise _Refused(402)
    answer = await _while_there(request, _service(request).asker.sequenced(asked.data, asked.app))
    _log.info(
        "availability_answered",
        app=asked.app.name,
        sequences=len(answer.body["sequences"]),
        unavailable=len(answer.unavailable),
        whole=answer.whole,
    )
    headers = {}
    if answer.unavailable:
        headers["X-Unavailable-Accounts"] = ",".join(answer.unavailable)
    if not answer.whole:
        headers["X-Incomplete"] = "true"
    return _json(200, answer.body, headers)


async def _while_there(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """Does what only somebody who waits for it needs: when they leave, it ends."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            if request.transport is None or request.transport.is_closing():
                task.cancel()
            await asyncio.wait({task}, timeout=_LOOK_S)
        if task.cancelled():
            raise _Refused(_CLIENT_LEFT)
        return task.result()
    finally:
        task.cancel()


def _safe(text: str) -> str:
    """An id or a token as part of an address; anything else is nobody's."""
    if not text or not all(each.isascii() and (each.isalnum() or each in "-_.") for each in text):
        raise _Refused(404)
    return text


def _passed_on(answer: CronofyAnswer) -> web.Response:
    headers = {} if answer.retry_after is None else {"Retry-After": f"{answer.retry_after:.0f}"}
    return web.Response(
        status=answer.status, body=answer.body, content_type="application/json", headers=headers
    )


def _json(status: int, data: Mapping[str, Any] | None, headers: Mapping[str, str] = {}) -> web.Response:
    body = b"" if data is None else msgspec.json.encode(data)
    return web.Response(
        status=status, body=body, content_type="application/json", charset="utf-8", headers=headers
    )
