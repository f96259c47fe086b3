"""Delayed writes: what is retrying or parked, at which calendar and since when.

`settle.lua` keeps an index of them in the step that changes the record, so that they are counted and found
without reading bookings. Where the two differ, the record is right: `find` reads it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bookings.reader import Reader
from bookings.record import Booking, Write, WriteState
from config.settings import CalendarAddress

_PAGE = 500


class Delayed(msgspec.Struct, frozen=True):
    """How many writes of one state there are at one calendar."""

    id: str
    """The id of a write to this calendar, the same in every part."""
    provider: str
    calendar: str
    """Our name of it; of an address that callbacks are passed on to, the host."""
    state: WriteState
    count: int
    since: int
    """Since when the oldest of them is delayed, in Unix milliseconds."""
    why: str
    """What was wrong with the last of them that failed or waited."""


class DelayedWrite(msgspec.Struct, frozen=True):
    """One of them."""

    booking: str
    part: str
    app: str
    event_id: str
    sequence_id: str | int | None
    account: str
    """The account of its calendar; empty where the configuration names the calendar no longer."""
    write: Write

    @property
    def lane(self) -> str:
        """What requests for it go through."""
        return lane_of(self.account, self.write.address)


def lane_of(account: str, address: CalendarAddress | None) -> str:
    """The lane of a calendar: a mailbox of a Microsoft account, or all of a Google account."""
    mailbox = address.owner if address is not None and address.provider == "microsoft" else ""
    return f"{account}/{mailbox}" if mailbox else account


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which delayed writes are meant; what is None matches any."""

    app: str | None = None
    calendar: str | None = None
    account: str | None = None
    state: WriteState | None = None
    event_id: str | None = None

    def matches(self, found: DelayedWrite) -> bool:
        """Whether a write is meant."""
        given = {
            "app": found.app,
            "calendar": found.write.calendar,
            "account": found.account,
            "state": found.write.state,
            "event_id": found.event_id,
        }
        return all(getattr(self, name) in (None, value) for name, value in given.items())


# -- the index


class _Shown(msgspec.Struct, frozen=True, array_like=True):
    """What the index says of those of one state at one calendar."""

    provider: str
    calendar: str
    why: str


_DECODER = msgspec.json.Decoder(_Shown)


def as_indexed(writes: Iterable[Write]) -> list[str | int | bytes]:
    """What `settle.lua` is told of each: id, state, since when, whether it waits on its own, what to show."""
    told: list[str | int | bytes] = []
    for write in writes:
        if write.is_delayed:
            own = "own" if write.state is WriteState.PARKED and not write.waiting else ""
            told += (write.id, write.state, write.failing_since, own, _shown(write))
    return told


def _shown(write: Write) -> bytes:
    provider = write.address.provider if write.address is not None else ""
    return msgspec.json.encode(_Shown(provider, write.calendar, write.detail or write.reason))


async def counted(reader: Reader) -> list[Delayed]:
    """How many there are at each calendar, by state."""
    prefix = reader.keys.delayed
    hashed: Mapping[bytes, bytes] = await reader.redis.hgetall(prefix)
    if not hashed:
        return []
    places = sorted(place.decode() for place in hashed)
    async with reader.redis.pipeline(transaction=False) as pipe:
        for place in places:
            pipe.zcard(f"{prefix}:{place}")
            pipe.zrange(f"{prefix}:{place}", 0, 0, withscores=True)
        answers: Sequence[Any] = await pipe.execute()
    found = []
    for place, count, oldest in zip(places, answers[::2], answers[1::2], strict=True):
        if count and oldest:  # else it was the last, and was written in between
            (state, _, wid), shown = place.partition(":"), _DECODER.decode(hashed[place.encode()])
            since = int(oldest[0][1])
            found.append(
                Delayed(wid, shown.provider, shown.calendar, WriteState(state), count, since, shown.why)
            )
    return sorted(found, key=lambda each: (each.calendar, each.id, each.state))


# -- the writes themselves


async def find(reader: Reader, wanted: Filter, accounts: Mapping[str, str]) -> AsyncIterator[DelayedWrite]:
    """Gives the delayed writes that a filter means, calendar by calendar, the oldest first.

    They are read page by page, and may be written meanwhile. `accounts` gives the account of each calendar.
    """
    for delayed in await counted(reader):
        if wanted.state not in (None, delayed.state):
            continue
        name = reader.keys.delayed_at(delayed.id, delayed.state)
        members: Sequence[bytes] = await reader.redis.zrange(name, 0, -1)
        for start in range(0, len(members), _PAGE):
            for found in await _load(reader, members[start : start + _PAGE], delayed.id, accounts):
                if wanted.matches(found):
                    yield found


def of_booking(booking: Booking, accounts: Mapping[str, str]) -> list[DelayedWrite]:
    """The delayed writes of one booking."""
    return [
        DelayedWrite(
            booking=booking.id,
            part=part.id,
            app=booking.app,
            event_id=booking.event_id,
            sequence_id=part.part.sequence_id,
            account=accounts.get(write.calendar, ""),
            write=write,
        )
        for part in booking.parts
        for write in part.writes
        if write.is_delayed
    ]


async def _load(
    reader: Reader, members: Sequence[bytes], wid: str, accounts: Mapping[str, str]
) -> list[DelayedWrite]:
    """Reads the writes to one calendar of some parts; what is not delayed any more is left out."""
    places = [member.decode().split(":") for member in members]
    async with reader.redis.pipeline(transaction=False) as pipe:
        for bid, pid in places:
            pipe.hmget(reader.keys.booking(bid), "app", "event_id", f"part:{pid}", f"writes:{pid}")
        records: Sequence[Any] = await pipe.execute()
    found = []
    for (bid, pid), (app, event_id, part, writes) in zip(places, records, strict=True):
        write = next((each for each in reader.stored.read_writes(writes) if each.id == wid), None)
        if write is not None and write.is_delayed:
            found.append(
                DelayedWrite(
                    booking=bid,
                    part=pid,
                    app=app.decode(),
                    event_id=reader.stored.read_text(event_id),
                    sequence_id=reader.stored.read_part(part).sequence_id,
                    account=accounts.get(write.calendar, ""),
                    write=write,
                )
            )
    return found
