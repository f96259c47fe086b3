"""What a worker works with."""

from collections.abc import Callable
from typing import NamedTuple

from bookings.store import Store
from config.settings import Settings
from workers.backoff import Policy
from workers.calendars.directory import Directory
from workers.endpoints import Endpoints
from workers.places import Places


class Means(NamedTuple):
    """What every part of a worker's is written with.

    `worker` is the name of its process, kept with each failed attempt; `clock` gives Unix milliseconds,
    `jitter` random numbers from 0 to 1.
    """

    store: Store
    settings: Settings
    directory: Directory
    endpoints: Endpoints
    worker: str
    policy: Policy
    clock: Callable[[], int]
    jitter: Callable[[], float]
    places: Places
