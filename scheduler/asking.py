"""Answers a sequenced availability query: reads the calendars it is about, then asks the engine."""

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

from config.settings import Settings
from scheduler.api.sequenced_request import read_request
from scheduler.availability import find_sequences
from scheduler.reading import Unreadable, read
from scheduler.sequenced import answer_of, calendars_of, period_to_read, query_of, unavailable
from workers.calendars.directory import Directory


class Availability(NamedTuple):
    """What is answered."""

    body: dict[str, Any]
    unavailable: tuple[str, ...]
    """People who count as not available since one of their calendars could not be read."""
    unreadable: dict[str, str]
    """Those calendars, by our names, with the reason."""


class Asker:
    """Answers queries over the calendars of a configuration."""

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._settings = settings
        self._directory = directory

    async def sequenced(self, data: object) -> Availability:
        """Finds times for a sequence. Raises `scheduler.api.problems.Invalid`."""
        request = read_request(data, self._settings, datetime.now(UTC))
        found = await read(
            self._directory,
            calendars_of(request),
            period_to_read(request),
            within_s=self._settings.api.read_timeout,
        )
        events = {name: None if isinstance(each, Unreadable) else each for name, each in found.items()}
        # A thread: while one query takes tens of milliseconds, which few do, others are answered.
        sequences = await asyncio.to_thread(find_sequences, query_of(request, events))
        return Availability(
            answer_of(sequences),
            unavailable(request, events),
            {name: each.code for name, each in found.items() if isinstance(each, Unreadable)},
        )
