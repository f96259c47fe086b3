"""`GET /livez`, `/readyz` and `/metrics`, on a port of their own: never public by accident."""

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import generate_latest

from admin.figures import RedisPage, figures
from admin.health import REDIS_WITHIN_S, Health
from admin.listening import listen
from admin.metrics import READY, REGISTRY
from admin.ports.applications import limited, without_versions
from admin.ports.limits import Limits
from bookings.store import Store

HEALTH = web.AppKey("health", Health)
_LIMITS = Limits(connections=100, body=1 << 20)  # a form of the console may name a thousand dead letters


MakeConsole = Callable[[Store], web.Application]
"""Makes the console's application; whoever starts a process knows what that needs."""


def admin_app(health: Health, console: MakeConsole | None = None) -> web.Application:
    """Gives the application of the admin port."""
    app = web.Application()
    app.on_response_prepare.append(without_versions)
    if console is not None:
        for path in ("/", "/console"):
            app.router.add_get(path, _to_console)
        app.add_subapp("/console", console(health.store))
    app[HEALTH] = health
    app.router.add_get("/livez", _livez)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    return app


async def start_admin(
    health: Health, host: str, port: int, *, console: MakeConsole | None = None
) -> web.BaseRunner:
    """Serves the admin port; `cleanup()` of what it gives ends it."""
    runner = await limited(admin_app(health, console), _LIMITS, port="admin")
    await listen(runner, host, port)
    return runner


async def _to_console(request: web.Request) -> web.Response:
    del request
    raise web.HTTPSeeOther("/console/")


async def _livez(request: web.Request) -> web.Response:
    return _answer(request.app[HEALTH].problems_alive())


async def _readyz(request: web.Request) -> web.Response:
    verdict = await request.app[HEALTH].look()
    return _answer(verdict.problems, warnings=verdict.warnings)


def _answer(problems: list[str], **more: list[str]) -> web.Response:
    return web.json_response(
        {"status": "failing" if problems else "ok", "problems": problems, **more},
        status=503 if problems else 200,
    )


async def _metrics(request: web.Request) -> web.Response:
    health = request.app[HEALTH]
    verdict, counted = await asyncio.gather(health.look(), figures(health.store, within_s=REDIS_WITHIN_S))
    READY.set(not verdict.problems)
    of_redis = RedisPage(counted, safe=verdict.redis_safe)
    return web.Response(
        body=generate_latest(REGISTRY) + generate_latest(of_redis),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )
