"""Looking at what is in Redis; nothing here changes it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, NamedTuple, TypedDict

import msgspec

from bookings.clock import now_ms
from bookings.identity import booking_id
from bookings.record import Booking, Quarantined, StoredPart
from bookings.scripted import Scripted
from bookings.seal import Seal
from bookings.stored import Stored
from config.sections import EncryptionSettings

_PAGE = 200
_AT_ONCE = 16


class Held(NamedTuple):
    """How much one app has of what is limited."""

    open: int
    dead: int


class Counts(TypedDict):
    """How much there is of what."""

    bookings: int
    """Bookings on record, and few that have left it just now."""
    open: int
    """Parts with something still to write."""
    dead: int
    queue: int
    """Parts that wait: those that are ready, and those that are deferred or stand in the line of a lane."""
    ready: int
    deferred: int
    oldest_ready_ms: int
    """For how long the oldest ready part has waited; 0 where none is ready."""
    of_apps: dict[str, "Held"]
    """What each app holds of its share."""


class Reader(Scripted):
    """Reads bookings and dead letters.

    Every method may raise `redis.RedisError` or `OSError`, and `SealError` where what it reads is encrypted
    and the key is missing.
    """

    def __init__(self, redis: Any, prefix: str, seal: Seal | None = None) -> None:
        super().__init__(redis, prefix)
        self.apps: tuple[str, ...] = ()
        """Those of the configuration."""
        self.seal = seal or Seal(EncryptionSettings())
        self.stored = Stored(self.seal)

    async def booking(self, bid: str) -> Booking | None:
        """One booking with its parts and their writes."""
        record = await self.redis.hgetall(self.keys.booking(bid))
        if not record:
            return None
        ttl = await self.redis.pttl(self.keys.booking(bid))
        return _booking(bid, record, now_ms() + ttl if ttl > 0 else None, self.stored)

    async def bookings(self) -> AsyncIterator[Booking]:
        """Bookings by the time of their newest delivery, newest first; read page by page."""
        start = 0
        while page := await self.redis.zrevrange(self.keys.index, start, start + _PAGE - 1):
            start += _PAGE
            for bid in page:
                found = await self.booking(bid.decode())
                if found is not None:
                    yield found

    async def bookings_of_state(self, state: str) -> AsyncIterator[Booking]:
        """Those that are `open`, `dead` or `done`, in the same order.

        Of the first two the record has an index of their parts, so that it need not be read whole.
        """
        index = {"open": self.keys.open, "dead": self.keys.dead}.get(state)
        if index is None:
            async for booking in self.bookings():
                if booking.state == state:
                    yield booking
            return
        ids = list({member.partition(b":")[0] for member in await self.redis.zrange(index, 0, -1)})
        accepted: list[tuple[float, bytes]] = []
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            scores = await self.redis.zmscore(self.keys.index, page)
            accepted += [(at, bid) for at, bid in zip(scores, page, strict=True) if at is not None]
        for _, bid in sorted(accepted, reverse=True):
            found = await self.booking(bid.decode())
            if found is not None and found.state == state:
                yield found

    async def every_booking(self) -> AsyncIterator[Booking]:
        """All bookings, in no order. None that is there all the while is missed, whatever comes and goes."""
        cursor = 0
        while True:
            cursor, page = await self.redis.zscan(self.keys.index, cursor, count=_AT_ONCE)
            for first in range(0, len(page), _AT_ONCE):
                ids = [bid.decode() for bid, _ in page[first : first + _AT_ONCE]]
                for found in await asyncio.gather(*map(self.booking, ids)):
                    if found is not None:
                        yield found
            if not cursor:
                return

    async def bookings_accepted(self, since: int, until: int, *, skip: int, limit: int) -> list[Booking]:
        """Bookings whose newest delivery came from `since` to before `until` (Unix ms), newest first."""
        ids = await self.redis.zrevrangebyscore(self.keys.index, f"({until}", since, start=skip, num=limit)
        found = [await self.booking(bid.decode()) for bid in ids]
        return [booking for booking in found if booking is not None]

    async def bookings_called(self, wanted: str, apps: Iterable[str]) -> list[Booking]:
        """The bookings with this id, or with this event_id in one of these apps."""
        ids = [wanted, *(booking_id(app, wanted) for app in apps)]
        return [booking for each in ids if (booking := await self.booking(each)) is not None]

    async def dead_letters(self, *, limit: int) -> list[tuple[str, int]]:
        """Ids of dead letters with the time they died (Unix ms), newest first."""
        page: list[tuple[bytes, float]] = await self.redis.zrevrange(
            self.keys.dead, 0, limit - 1, withscores=True
        )
        return [(member.decode(), int(score)) for member, score in page]

    async def quarantined(self, did: str) -> Quarantined | None:
        """One delivery that could not be read."""
        record = await self.redis.hgetall(self.keys.delivery(did))
        if not record:
            return None
        return Quarantined(
            id=did,
            app=record[b"app"].decode(),
            reason=record[b"reason"].decode(),
            at=int(record[b"at"]),
            body=self.stored.read_body(record.get(b"body"), record.get(b"sealed")),
            signature=self.stored.read_text(record.get(b"signature", b"")),
            link=record[b"link"].decode() or None,
        )

    async def audit(self, *, limit: int, skip: int = 0) -> list[dict[str, Any]]:
        """The newest entries of the audit record."""
        page = await self.redis.lrange(self.keys.audit, skip, skip + limit - 1)
        return [msgspec.json.decode(entry) for entry in page]

    async def counts(self) -> Counts:
        """How many parts are open, how many dead letters there are, how many parts wait and for how long."""
        now, keys = await self.now(), self.keys
        queues = [name.decode() for name in await self.redis.zrange(keys.turns, 0, -1)]
        new_work = [queue for queue in queues if not queue.startswith(keys.queue_of_lane(""))]
        lanes = [queue.removeprefix(keys.queue_of_lane("")) for queue in queues if queue not in new_work]
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.zcard(keys.index)
            pipe.zcard(keys.open)
            pipe.zcard(keys.dead)
            for app in self.apps:
                pipe.zcard(keys.open_of(app))
                pipe.zcard(keys.dead_of(app))
            for lane in lanes:
                pipe.zcard(keys.account(lane, "waiting"))
                pipe.zcard(keys.queue_of_lane(lane))
            for queue in new_work:
                pipe.zcount(queue, "-inf", now)
                pipe.zcount(queue, f"({now}", "+inf")
                pipe.zrange(queue, 0, 0, withscores=True)
            bookings, opened, dead, *more = await pipe.execute()
        of_apps, more = more[: 2 * len(self.apps)], more[2 * len(self.apps) :]
        of_lanes, of_queues = more[: 2 * len(lanes)], more[2 * len(lanes) :]
        ready, deferred = sum(of_queues[::3]), sum(of_queues[1::3]) + sum(of_lanes)
        return {
            "bookings": bookings,
            "open": opened,
            "dead": dead,
            "queue": ready + deferred,
            "ready": ready,
            "deferred": deferred,
            "oldest_ready_ms": max(0, *(now - int(first[0][1]) for first in of_queues[2::3] if first), 0),
            "of_apps": dict(zip(self.apps, map(Held, of_apps[::2], of_apps[1::2]), strict=True)),
        }

    async def now(self) -> int:
        """Redis' clock, which is the record's (Unix ms)."""
        seconds, micros = await self.command("TIME")
        return int(seconds) * 1000 + int(micros) // 1000


def _booking(bid: str, record: Mapping[bytes, bytes], expires_at: int | None, stored_as: Stored) -> Booking:
    def text(name: str) -> str:
        return record.get(name.encode(), b"").decode()

    listed = text("parts").split()
    known = [name[len(b"part:") :].decode() for name in record if name.startswith(b"part:")]
    order = listed + [pid for pid in known if pid not in listed]

    def stored(pid: str) -> StoredPart:
        return StoredPart(
            id=pid,
            part=stored_as.read_part(record[f"part:{pid}".encode()]),
            revision=int(text(f"rev:{pid}")),
            state=text(f"state:{pid}"),
            listed=pid in listed,
            writes=stored_as.read_writes(record.get(f"writes:{pid}".encode())),
        )

    return Booking(
        id=bid,
        app=text("app"),
        event_id=stored_as.read_text(record.get(b"event_id", b"")),
        revision=int(text("revision")),
        accepted_at=int(text("accepted_at")),
        parts=tuple(stored(pid) for pid in order),
        delivery=text("delivery"),
        link=text("link") or None,
        expires_at=expires_at,
    )
