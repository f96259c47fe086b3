"""The console's application, to be hung under `/console` of an admin port."""

from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from admin.configuration import Configuration
from admin.console.accounts import show_accounts, show_audit
from admin.console.bookings import reveal_booking, show_booking, show_bookings
from admin.console.dead_letters import change, confirm, reveal_letter, show_letter, show_letters
from admin.console.guard import (
    SESSIONS,
    posted,
    with_headers,
    with_known_host,
    with_session,
    with_words,
)
from admin.console.login import (
    DOORKEEPER,
    WRONG_PASSWORD_S,
    Doorkeeper,
    show_login,
    sign_in,
    sign_out,
)
from admin.console.overview import show_overview
from admin.console.rendering import STATIC
from admin.console.sessions import Sessions
from admin.console.waiting import retry, show_waiting
from admin.console.world import WORLD, World
from bookings.operating import Redeliver
from bookings.store import Store
from config.settings import Settings


def console_app(
    configuration: Configuration,
    store: Store,
    redeliver: Redeliver,
    *,
    pause_s: float = WRONG_PASSWORD_S,
) -> web.Application:
    """Gives the console.

    Args:
        configuration: of the process, with a `console.password`.
        store: the record.
        redeliver: reads a delivery once more that nobody could read.
        pause_s: for how long nobody at the same address is let in after a wrong password.
    """
    console = configuration.settings.console
    assert console.password is not None  # without one there is no console
    sessions = Sessions(console.password, store, lasts_s=console.session)
    known_host = with_known_host(lambda: _names(configuration.settings))
    app = web.Application(middlewares=[with_headers, with_words, known_host, with_session])
    app[WORLD] = World(store, configuration, redeliver)
    app[SESSIONS] = sessions
    app[DOORKEEPER] = Doorkeeper(sessions.is_password, pause_s=pause_s)
    app.add_routes(
        [
            web.get("/", show_overview),
            web.get("/login", show_login),
            web.post("/login", sign_in),
            web.post("/logout", posted(sign_out)),
            web.get("/bookings", show_bookings),
            web.get("/bookings/{booking}", show_booking),
            web.post("/bookings/{booking}", posted(reveal_booking)),
            web.get("/dead-letters", show_letters),
            web.post("/dead-letters/confirm", posted(confirm)),
            web.post("/dead-letters/change", posted(change)),
            web.get("/dead-letters/{letter}", show_letter),
            web.post("/dead-letters/{letter}", posted(reveal_letter)),
            web.get("/waiting", show_waiting),
            web.post("/waiting/retry", posted(retry)),
            web.get("/accounts", show_accounts),
            web.get("/audit", show_audit),
            web.get("/style.css", _file("style.css")),
            web.get("/icon.svg", _file("icon.svg")),
        ]
    )
    return app


def _names(settings: Settings) -> frozenset[str]:
    """What the console is called, as far as the configuration says."""
    public = urlsplit(settings.receiver.public_url or "").hostname
    return frozenset(name.lower() for name in (*settings.console.hosts, public) if name)


def _file(name: str) -> Handler:
    path: Path = STATIC / name
    kind = {".css": "text/css", ".svg": "image/svg+xml"}[path.suffix]
    body = path.read_bytes()

    async def show(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return show
