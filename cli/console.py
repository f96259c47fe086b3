"""The console of a process, where the configuration asks for one."""

from aiohttp import web

from admin.configuration import Configuration
from admin.server import MakeConsole
from bookings.dead_letters import DeadLetter
from bookings.store import Store


def console_of(configuration: Configuration) -> MakeConsole | None:
    """Gives what makes the console; None without a password. It is imported only where there is one."""
    if configuration.settings.console.password is None:
        return None
    from admin.console.app import console_app
    from receiver.replay import replay_delivery

    def make(store: Store) -> web.Application:
        async def redeliver(letter: DeadLetter) -> object:
            return await replay_delivery(store, configuration.settings, letter)

        return console_app(configuration, store, redeliver)

    return make
