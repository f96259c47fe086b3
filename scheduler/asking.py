"""Answers a sequenced availability query: reads the calendars it is about, then asks the engine."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from msgspec.structs import replace

from bookings.identity import booking_id
from bookings.store import Store
from config.apps import App
from config.settings import Settings
from scheduler.api.sequenced_request import read_request
from scheduler.computing import Computing
from scheduler.metrics import AVAILABILITY_INCOMPLETE, CALENDARS_UNREADABLE
from scheduler.reading import Unreadable, read
from scheduler.sequenced import (
    SequencedRequest,
    answer_of,
    calendars_of,
    period_to_read,
    query_of,
    unavailable,
)
from workers.calendars.directory import Directory

_log = structlog.get_logger()


class Availability(NamedTuple):
    """What is answered."""

    body: dict[str, Any]
    unavailable: tuple[str, ...]
    """People who count as not available since one of their calendars could not be read."""
    unreadable: dict[str, str]
    """Those calendars, by our names, with the reason."""
    whole: bool
    """False where sequences may be missing, since there was no time left to look for them."""


class Asker:
    """Answers queries over the calendars of a configuration. `store` knows which events there are ours."""

    def __init__(self, settings: Settings, store: Store, directory: Directory, computing: Computing) -> None:
        for app in settings.apps:
            AVAILABILITY_INCOMPLETE.labels(app.name)
        for name in {name for person in settings.people for name in person.calendars}:
            CALENDARS_UNREADABLE.labels(name)  # from 0: nobody can see a counter rise that begins with 1
        self._settings = settings
        self._store = store
        self._directory = directory
        self._computing = computing

    async def sequenced(self, data: object, app: App | None) -> Availability:
        """Finds times for a sequence.

        Args:
            data: the query.
            app: who asks, for its people and its share of the time to compute; `excluded_events` may name its
                bookings by their `event_id`. None is an operator, who may name anybody's.

        Raises:
            Invalid: the query is wrong.
        """
        settings, now = self._settings, datetime.now(UTC)
        leave = None if app is None else settings.leave(app.name)
        request = read_request(data, settings, now, leave=leave)
        request = await self._with_ours_excluded(request, settings.apps if app is None else [app])
        found = await read(
            self._directory,
            calendars_of(request),
            period_to_read(request),
            within_s=self._settings.api.read_timeout,
        )
        for calendar, each in found.items():
            if isinstance(each, Unreadable):
                CALENDARS_UNREADABLE.labels(calendar).inc()
        events = {name: None if isinstance(each, Unreadable) else each for name, each in found.items()}
        name = "" if app is None else app.name
        sequences, whole = await self._computing.find(
            query_of(request, events), name, within_s=self._settings.api.compute_timeout
        )
        if not whole:
            AVAILABILITY_INCOMPLETE.labels(name).inc()
            _log.warning("availability_incomplete", app=name, sequences=len(sequences))
        return Availability(
            answer_of(sequences),
            unavailable(request, events),
            {name: each.code for name, each in found.items() if isinstance(each, Unreadable)},
            whole,
        )

    async def _with_ours_excluded(self, request: SequencedRequest, apps: Collection[App]) -> SequencedRequest:
        """Adds what providers call the events that we wrote for the bookings that are excluded."""
        excluded = request.excluded
        if not excluded.event_ids:
            return request
        ids = [booking_id(app.name, event_id) for app in apps for event_id in sorted(excluded.event_ids)]
        bookings = [await self._store.booking(each) for each in ids]
        ours = {
            write.event_id
            for booking in bookings
            if booking is not None
            for part in booking.parts
            for write in part.writes
            if write.event_id
        }
        return replace(request, excluded=replace(excluded, event_uids=excluded.event_uids | ours))
