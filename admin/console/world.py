"""What the console's pages work with."""

from typing import NamedTuple

from aiohttp import web

from bookings.operating import Redeliver
from bookings.store import Store
from config.settings import Settings


class World(NamedTuple):
    """`redeliver` reads a delivery once more; `accounts` gives the account of each calendar."""

    store: Store
    settings: Settings
    redeliver: Redeliver
    accounts: dict[str, str]


WORLD = web.AppKey("world", World)
