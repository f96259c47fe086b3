"""The part of the control API that arranges Cronofy: its applications, its links, and who picks a time."""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from sandbox.answers import json_answer
from sandbox.control_body import body, explained
from sandbox.control_specs import Body
from sandbox.cronofy_choice import ChoiceError, Subs
from sandbox.cronofy_courier import COURIER, Courier
from sandbox.cronofy_link import PAUSES, CronofyApp, CronofyLink
from sandbox.cronofy_store import CronofyStore, NotOpenError
from sandbox.state import STATE

BASE = "/_sandbox/cronofy"


class AppSpec(Body, frozen=True):
    """An application to make or change; the fields are those of CronofyApp."""

    client_id: str = "sandbox"
    secret: str | tuple[str, ...] = "secret"  # noqa: S105 - a stand-in's
    plan: bool = True
    impersonate: frozenset[str] = frozenset()
    group_rules: frozenset[str] = frozenset()
    callback_url: str = ""
    notified_times: bool = True
    pauses: tuple[float, ...] = PAUSES

    def app(self) -> CronofyApp:
        """The application."""
        secrets = (self.secret,) if isinstance(self.secret, str) else self.secret
        return CronofyApp(secrets=secrets, **self.given("secret"))


class PickSpec(Body, frozen=True):
    """Which time is picked, by default the first; who takes part in which part, by default as listed."""

    start: str | None = None
    subs: Subs = msgspec.field(default_factory=dict)


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve this part."""
    routes: list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]] = [
        ("POST", "/apps", put_app),
        ("GET", "/links", links),
        ("POST", "/links/{link}/pick", pick),
    ]
    for method, path, handle in routes:
        router.add_route(method, BASE + path, explained(handle))


async def put_app(request: web.Request) -> web.Response:
    """Make an application known, or change it."""
    spec = await body(request, AppSpec)
    request.app[STATE].cronofy.register(spec.app())
    return json_answer({"client_id": spec.client_id}, 201)


async def links(request: web.Request) -> web.Response:
    """All links and scheduler requests, oldest first."""
    return json_answer(list(request.app[STATE].cronofy.links.values()))


async def pick(request: web.Request) -> web.Response:
    """Pick a time; the answer comes when the callback was taken, or given up."""
    spec, store = await body(request, PickSpec), request.app[STATE].cronofy
    link_id = request.match_info["link"]
    try:
        return json_answer(await picked(store, request.app[COURIER], link_id, spec.start, spec.subs))
    except ChoiceError as error:
        return json_answer({"error": str(error)}, 409 if isinstance(error, NotOpenError) else 400)


async def picked(
    store: CronofyStore, courier: Courier, link_id: str, start: str | None, subs: Subs | None
) -> CronofyLink:
    """Completes a link and waits until its callback was taken, or given up."""
    link = store.complete(link_id, start, subs)
    await courier.send(link)
    return store.links.get(link_id, link)
