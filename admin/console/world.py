"""What the console's pages work with."""

from typing import NamedTuple

from aiohttp import web

from admin.configuration import Configuration
from bookings.operating import Redeliver, accounts_of
from bookings.store import Store
from config.settings import Settings


class World(NamedTuple):
    """`redeliver` reads a delivery once more."""

    store: Store
    configuration: Configuration
    redeliver: Redeliver

    @property
    def settings(self) -> Settings:
        """The configuration in force."""
        return self.configuration.settings

    @property
    def accounts(self) -> dict[str, str]:
        """The account of each calendar."""
        return accounts_of(self.settings)


WORLD = web.AppKey("world", World)
