"""Finds strays.

Calendars are read first and the record after them: whatever workers write meanwhile, its booking is on record
by then.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence

import msgspec

from bookings.identity import write_id, write_key
from bookings.record import Booking, StoredPart, Write, WriteState
from bookings.store import Store
from config.settings import CalendarAddress, Settings
from workers.calendars.directory import Directory
from workers.calendars.port import Found
from workers.errors import CalendarError
from workers.own_events import is_there
from workers.strays.stray import Place, Standing, Stray, Strays

_CALENDARS_AT_ONCE = 8
_BURNT = 2
"""Ids that may have been burnt since the copy: a write's key is known in so many generations more."""


class _Sighting(msgspec.Struct, frozen=True):
    """An event that carries a key of ours."""

    calendar: str
    addresses: tuple[CalendarAddress, ...]
    """Those of its calendar that its key may have been made with."""
    found: Found
    ours: bool
    """Whether a create of ours made it."""

    def stray(self, standing: Standing, place: Place | None = None) -> Stray:
        return Stray(self.calendar, self.found, standing, place)


async def find_strays(
    store: Store, settings: Settings, directory: Directory, calendars: Sequence[str], start: int, end: int
) -> Strays:
    """Looks into calendars, given by their configured names, over a period in Unix seconds.

    The revisions of all bookings begin above those of strays from then on. Raises `redis.RedisError`,
    `OSError`, and `SealError`: a booking that cannot be read may be that of any event.
    """
    look = _Look(store, settings, directory)
    turns = asyncio.Semaphore(_CALENDARS_AT_ONCE)
    await asyncio.gather(*(look.read(name, start, end, turns) for name in calendars))
    strays = await look.recorded() + await look.by_key()
    ours = [each.found.revision for each in strays if each.standing is not Standing.COPY]
    if ours:
        await store.saw(max(ours))
    return Strays(sorted(strays, key=lambda each: (each.calendar, each.found.created)), look.unread)


class _Look:
    """One look; events that nothing has explained yet are `left`."""

    def __init__(self, store: Store, settings: Settings, directory: Directory) -> None:
        self._store = store
        self._settings = settings
        self._directory = directory
        self._read = set[CalendarAddress]()
        self.left: list[_Sighting] = []
        self.unread: dict[str, str] = {}

    async def read(self, name: str, start: int, end: int, turns: asyncio.Semaphore) -> None:
        """Looks for our mark in a calendar; only once in one that is configured twice."""
        configured = self._settings.calendar(name)
        assert configured is not None  # it was chosen among them
        calendar, address = self._directory.calendar(name), self._settings.address(configured)
        async with turns:
            try:
                identity = await self._directory.identity(address)
                if identity in self._read:
                    return
                self._read.add(identity)
                events = await calendar.marked(start, end)
            except CalendarError as error:
                self.unread[name] = error.code
                return
        addresses = tuple(dict.fromkeys((identity, address)))
        for found in events:
            ours = found.proof == calendar.proof(found.key)
            self.left.append(_Sighting(name, addresses, found, ours))

    async def recorded(self) -> list[Stray]:
        """Takes out the events that the record has; gives those that are newer than it."""
        by_id = {each.found.event_id: each for each in self.left}
        by_uid = {each.found.uid: each for each in self.left if each.found.uid}
        known, newer = set[str](), []
        async for booking, part in self._parts():
            for write in part.writes:
                sighting = by_id.get(write.event_id) or by_uid.get(write.uid)
                if sighting is None or write.address is None:
                    continue
                known.add(sighting.found.event_id)
                if sighting.found.revision > max(part.revision, write.written_revision):
                    place = _place(booking, part, write.address, write.generation)
                    newer.append(sighting.stray(Standing.NEWER, place))
        self.left = [each for each in self.left if each.found.event_id not in known]
        return newer

    async def by_key(self) -> list[Stray]:
        """Says of the others how they stand to the record, leaving out what needs nobody."""
        wanted = {each.found.key for each in self.left}
        addresses = {address for each in self.left for address in each.addresses}
        places: dict[str, Place] = {}
        if wanted:
            async for booking, part in self._parts():
                for address, generation in _candidates(part, addresses):
                    key = write_key(
                        booking.app, booking.event_id, part.part.sequence_text, address, generation
                    )
                    if key in wanted:
                        places[key] = _place(booking, part, address, generation)
        strays = []
        for each in self.left:
            place = places.get(each.found.key)
            try:
                standing = await self._standing(each, place)
            except CalendarError as error:
                self.unread[each.calendar] = error.code
                continue
            if standing is not None:
                strays.append(each.stray(standing, place))
        return strays

    async def _standing(self, sighting: _Sighting, place: Place | None) -> Standing | None:
        if place is None:
            return Standing.UNKNOWN if sighting.ours else Standing.COPY
        if not (place.at_rest and sighting.ours):
            return None  # somebody will look at it, or it is a copy of an event on record
        if place.recorded and await is_there(self._directory.calendar_at(place.address), place.recorded):
            return Standing.DOUBLE
        return Standing.UNRECORDED

    async def _parts(self) -> AsyncIterator[tuple[Booking, StoredPart]]:
        async for booking in self._store.every_booking():
            for part in booking.parts:
                yield booking, part


def _candidates(
    part: StoredPart, addresses: Collection[CalendarAddress]
) -> Iterator[tuple[CalendarAddress, int]]:
    """The addresses and generations that keys of a part may be made with."""
    writes = {write.address: write for write in part.writes if write.address is not None}
    for address in {*addresses, *writes}:
        known = writes[address].generation if address in writes else 0
        for generation in range(known + _BURNT + 1):
            yield address, generation


def _place(booking: Booking, part: StoredPart, address: CalendarAddress, generation: int) -> Place:
    write = next((each for each in part.writes if each.address == address), None)
    return Place(
        booking=booking.id,
        part=part.id,
        write=write_id(address),
        generation=generation,
        app=booking.app,
        event_id=booking.event_id,
        sequence_id=part.part.sequence_id,
        address=address,
        recorded=write.event_id if write else "",
        at_rest=part.state == "done" if write is None else part.state != "open" and _is_at_rest(write),
    )


def _is_at_rest(write: Write) -> bool:
    return not write.state.is_open and write.state is not WriteState.DEAD
