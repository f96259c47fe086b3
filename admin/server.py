"""`GET /livez`, `/readyz` and `/metrics`, on a port of their own: never public by accident."""

from contextlib import suppress

from aiohttp import web
from prometheus_client import generate_latest
from redis.exceptions import RedisError

from admin.health import REDIS_WITHIN_S, Health
from admin.metrics import ACCOUNTS_CLOSED, DEAD_LETTERS, OPEN_PARTS, QUEUE_JOBS, REGISTRY
from bookings.accounts import Accounts
from bookings.patience import in_time
from bookings.store import Store

HEALTH = web.AppKey("health", Health)


def admin_app(health: Health) -> web.Application:
    """Gives the application of the admin port."""
    app = web.Application()
    app[HEALTH] = health
    app.router.add_get("/livez", _livez)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    return app


async def start_admin(health: Health, host: str, port: int) -> web.AppRunner:
    """Serves the admin port; `cleanup()` of what it gives ends it."""
    runner = web.AppRunner(admin_app(health), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


async def _livez(request: web.Request) -> web.Response:
    return _verdict(request.app[HEALTH].problems_alive())


async def _readyz(request: web.Request) -> web.Response:
    return _verdict(await request.app[HEALTH].problems_ready())


def _verdict(problems: list[str]) -> web.Response:
    return web.json_response(
        {"status": "failing" if problems else "ok", "problems": problems}, status=503 if problems else 200
    )


async def _metrics(request: web.Request) -> web.Response:
    with suppress(RedisError, OSError):  # the other figures are wanted all the more while Redis is away
        await in_time(_count(request.app[HEALTH].store), within_s=REDIS_WITHIN_S)
    return web.Response(
        body=generate_latest(REGISTRY), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


async def _count(store: Store) -> None:
    """Brings the figures that only Redis knows up to date."""
    counts = await store.counts()
    closed = await Accounts(store).closed()
    OPEN_PARTS.set(counts["open"])
    DEAD_LETTERS.set(counts["dead"])
    QUEUE_JOBS.set(counts["queue"])
    ACCOUNTS_CLOSED.clear()
    for each in closed:
        ACCOUNTS_CLOSED.labels(each.account, each.state).inc()
