"""Cronofy's API over HTTP, as far as it makes links: Real-Time Sequencing, Scheduling, scheduler requests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from sandbox import cronofy_errors as errors
from sandbox.answers import Refused, json_answer
from sandbox.cronofy_checks import check, check_message, check_request
from sandbox.cronofy_link import CronofyApp, CronofyLink, Kind
from sandbox.cronofy_store import CronofyStore
from sandbox.gate import Call, Gate

BASE = "/cronofy"
SEQUENCING = BASE + "/v1/real_time_sequencing"
SCHEDULING = BASE + "/v1/real_time_scheduling"
REQUESTS = BASE + "/v1/scheduler_requests"
IMPERSONATE = "Cronofy-Impersonate"


@dataclass(frozen=True, slots=True)
class CronofyCall:
    """A call of an application whose secret and plan are good. `body` is what it sent, read."""

    call: Call
    app: CronofyApp
    body: dict[str, Any]

    @property
    def store(self) -> CronofyStore:
        """The links."""
        return self.call.state.cronofy

    @property
    def origin(self) -> str:
        """Where the sandbox is, as the caller sees it."""
        return str(self.call.request.url.origin())

    @property
    def link_id(self) -> str:
        """The link that the path names."""
        return self.call.request.match_info["link"]


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the API."""
    gate = Gate("cronofy", refuse=refuse)
    routes: list[tuple[str, str, Callable[[CronofyCall], web.Response]]] = [
        ("POST", SEQUENCING, create_sequencing),
        ("POST", SEQUENCING + "/{link}/disable", disable_sequencing),
        ("POST", SCHEDULING, create_scheduling),
        ("POST", SCHEDULING + "/{link}/disable", disable_scheduling),
        ("GET", SCHEDULING, status_by_token),
        ("GET", SCHEDULING + "/{link}", status),
        ("POST", REQUESTS, create_request),
    ]
    for method, path, handle in routes:
        router.add_route(method, path, gate.around(authorized(handle)))


def authorized(handle: Callable[[CronofyCall], web.Response]) -> Callable[[Call], web.Response]:
    """The check of the client secret, which older SDKs send in the body, of the plan and of the body."""

    def checked(call: Call) -> web.Response:
        body = _object(call.body)
        if call.bearer:
            app = call.state.cronofy.app(call.bearer)
        else:
            sent = body or {}
            app = call.state.cronofy.app(sent.get("client_secret", ""), sent.get("client_id", ""))
        if not app.plan:
            raise errors.not_in_plan()
        if body is None:
            raise errors.unreadable()
        return handle(CronofyCall(call, app, body))

    return checked


def refuse(_call: Call, refused: Refused) -> web.Response:
    """A refusal as it goes over the wire: without a body where none is documented."""
    if refused.body:
        return refused.answer()
    return web.Response(status=refused.status, headers=refused.headers)


def create_sequencing(cronofy: CronofyCall) -> web.Response:
    """A Real-Time Sequencing link."""
    return _created(cronofy, Kind.SEQUENCING)


def create_scheduling(cronofy: CronofyCall) -> web.Response:
    """A Real-Time Scheduling link."""
    return _created(cronofy, Kind.SCHEDULING)


def create_request(cronofy: CronofyCall) -> web.Response:
    """A scheduler request."""
    impersonated = cronofy.call.request.headers.get(IMPERSONATE, "")
    host = check_request(cronofy.app, cronofy.body, impersonated)
    link = cronofy.store.add(cronofy.app, Kind.REQUEST, cronofy.body, cronofy.origin, host)
    recipients = [{**recipient, "select_url": link.url} for recipient in cronofy.body["recipients"]]
    return json_answer({Kind.REQUEST: {"scheduler_request_id": link.id, "recipients": recipients}})


def disable_sequencing(cronofy: CronofyCall) -> web.Response:
    """Take a Real-Time Sequencing link back."""
    return _disabled(cronofy, Kind.SEQUENCING)


def disable_scheduling(cronofy: CronofyCall) -> web.Response:
    """Take a Real-Time Scheduling link back."""
    return _disabled(cronofy, Kind.SCHEDULING)


def status(cronofy: CronofyCall) -> web.Response:
    """What has become of a Real-Time Scheduling link; there is no such endpoint for sequencing."""
    return _shown(cronofy.store.find(cronofy.app, Kind.SCHEDULING, cronofy.link_id))


def status_by_token(cronofy: CronofyCall) -> web.Response:
    """The same, by the last part of the link's address."""
    link = cronofy.store.by_token(cronofy.call.request.query.get("token", ""))
    return _shown(cronofy.store.find(cronofy.app, Kind.SCHEDULING, link.id if link else ""))


def _created(cronofy: CronofyCall, kind: Kind) -> web.Response:
    check(kind, cronofy.body, cronofy.store.clock())
    return _shown(cronofy.store.add(cronofy.app, kind, cronofy.body, cronofy.origin))


def _disabled(cronofy: CronofyCall, kind: Kind) -> web.Response:
    link = cronofy.store.find(cronofy.app, kind, cronofy.link_id)
    return _shown(cronofy.store.disable(link, check_message(cronofy.body)))


def _shown(link: CronofyLink) -> web.Response:
    fields = {f"{link.kind}_id": link.id, "url": link.url, "event": link.event, "status": link.status}
    return json_answer({link.kind: fields})


def _object(body: bytes) -> dict[str, Any] | None:
    """The body, which may be missing, or None where it is no JSON object."""
    try:
        found = msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None
