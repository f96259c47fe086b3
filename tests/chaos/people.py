"""What people do meanwhile: they copy events, stop sharing a calendar for a while, and have what waits tried again."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from itertools import cycle

from bookings.delayed import Filter, find
from bookings.operating import accounts_of
from bookings.retry import Chosen, try_now
from bookings.store import Store
from sandbox.inspection import SeenEvent
from sandbox.person import NoSuchEventError, Person
from tests.chaos.world import CALENDARS, World

_COPIES_EVERY_S = (0.1, 0.8)
_UNSHARED_S = (1.0, 2.0)
_SHARED_S = (0.5, 1.0)

Identity = tuple[str, str, str]


def identity(event: SeenEvent) -> Identity:
    """Which event it is: the provider, the calendar and the id."""
    return event.provider, event.calendar, event.id


class People:
    """They act until they are cancelled. `copies` are the events that they made, as they made them."""

    def __init__(self, world: World, seed: int) -> None:
        self.copies: dict[Identity, SeenEvent] = {}
        self.done: Counter[str] = Counter()
        self._world = world
        self._person = Person(world.sandbox.state)
        self._random = random.Random(f"{seed} people")  # noqa: S311 - repeatable chance

    async def run(self) -> None:
        """Each goes about their business."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._copy())
            group.create_task(self._share())

    async def _copy(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*_COPIES_EVERY_S))
            events = self._world.sandbox.events()
            ours = [event for event in events if event.live and identity(event) not in self.copies]
            if ours:
                provider, calendar, event_id = identity(self._random.choice(ours))
                with suppress(NoSuchEventError):
                    self._note(provider, calendar, self._person.copies(provider, calendar, event_id))

    def _note(self, provider: str, calendar: str, event_id: str) -> None:
        made = (provider, calendar, event_id)
        [copy] = [event for event in self._world.sandbox.events(provider) if identity(event) == made]
        self.copies[made] = copy
        self.done[f"copied at {provider}"] += 1

    async def _share(self) -> None:
        for provider, address in cycle(CALENDARS):
            unshared = self._world.weather.unshare(provider, address)
            self.done["calendars not shared for a while"] += 1
            await asyncio.sleep(self._random.uniform(*_UNSHARED_S))
            self._world.weather.end(unshared)
            await asyncio.sleep(self._random.uniform(*_SHARED_S))

    async def try_again(self, store: Store) -> None:
        """Has all that still waits tried now, as `bookings retry --all` does. Raises `RedisError`, `OSError`."""
        found = [each async for each in find(store, Filter(), accounts_of(self._world.settings))]
        plans = await try_now(store, Chosen(everything=True), found, who="chaos")
        self.done["tried again by hand"] += sum(plan.done for plan in plans)
