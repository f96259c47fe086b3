"""The console of a process, where the configuration asks for one."""

from functools import partial

from aiohttp import web

from admin.server import MakeConsole
from bookings.store import Store
from config.settings import Settings


def console_of(settings: Settings) -> MakeConsole | None:
    """Gives what makes the console; None without a password. It is imported only where there is one."""
    if settings.console.password is None:
        return None
    from admin.console.app import console_app
    from receiver.replay import replay_delivery

    def make(store: Store) -> web.Application:
        return console_app(settings, store, partial(replay_delivery, store, settings))

    return make
