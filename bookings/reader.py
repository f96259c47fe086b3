"""Looking at what is in Redis; nothing here changes it."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import msgspec

from bookings.clock import now_ms
from bookings.keys import Keys
from bookings.record import Booking, Part, Quarantined, StoredPart, Write

_PAGE = 200

WRITES = msgspec.json.Decoder(tuple[Write, ...])
PART = msgspec.json.Decoder(Part)


class Reader:
    """Reads bookings and dead letters. Every method may raise `redis.RedisError` or `OSError`."""

    def __init__(self, redis: Any, prefix: str) -> None:
        self.redis = redis  # redis-py 5 annotates its commands for both of its clients at once
        self.keys = Keys(prefix)

    async def booking(self, bid: str) -> Booking | None:
        """One booking with its parts and their writes."""
        record = await self.redis.hgetall(self.keys.booking(bid))
        if not record:
            return None
        ttl = await self.redis.pttl(self.keys.booking(bid))
        return _booking(bid, record, now_ms() + ttl if ttl > 0 else None)

    async def bookings(self) -> AsyncIterator[Booking]:
        """Bookings by the time of their newest delivery, newest first; read page by page."""
        start = 0
        while page := await self.redis.zrevrange(self.keys.index, start, start + _PAGE - 1):
            start += _PAGE
            for bid in page:
                found = await self.booking(bid.decode())
                if found is not None:
                    yield found

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
            body=record[b"body"],
            link=record[b"link"].decode() or None,
        )

    async def audit(self, *, limit: int) -> list[dict[str, Any]]:
        """The newest entries of the audit record."""
        return [
            msgspec.json.decode(entry) for entry in await self.redis.lrange(self.keys.audit, 0, limit - 1)
        ]

    async def counts(self) -> dict[Literal["open", "dead", "queue"], int]:
        """How many parts are open, how many dead letters there are, how many jobs wait."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.zcard(self.keys.open)
            pipe.zcard(self.keys.dead)
            pipe.zcard(self.keys.queue)
            opened, dead, queue = await pipe.execute()
        return {"open": opened, "dead": dead, "queue": queue}


def _booking(bid: str, record: Mapping[bytes, bytes], expires_at: int | None) -> Booking:
    def text(name: str) -> str:
        return record.get(name.encode(), b"").decode()

    listed = text("parts").split()
    known = [name[len(b"part:") :].decode() for name in record if name.startswith(b"part:")]
    order = listed + [pid for pid in known if pid not in listed]

    def stored(pid: str) -> StoredPart:
        writes: Any = record.get(f"writes:{pid}".encode())
        return StoredPart(
            id=pid,
            part=PART.decode(record[f"part:{pid}".encode()]),
            revision=int(text(f"rev:{pid}")),
            state=text(f"state:{pid}"),
            listed=pid in listed,
            writes=WRITES.decode(writes) if writes else (),
        )

    return Booking(
        id=bid,
        app=text("app"),
        event_id=text("event_id"),
        revision=int(text("revision")),
        accepted_at=int(text("accepted_at")),
        parts=tuple(stored(pid) for pid in order),
        link=text("link") or None,
        expires_at=expires_at,
    )
