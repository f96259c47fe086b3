"""The record in Redis. Every change of it is one of the scripts in `scripts/`: atomic, one round trip."""

from collections.abc import Callable
from typing import Any, Self

from bookings.intake import Intake
from bookings.leases import Leases
from bookings.links import Links
from bookings.remedies import Remedies
from bookings.scripted import GRACE_MS, PAYLOAD_MS
from bookings.seal import Seal
from bookings.stored import Stored
from config.settings import Settings

STILL_QUEUED_MS = 60_000
"""When the reconciler looks again at a part that waits in a long queue."""
IN_LINE_MS = 600_000
"""And at one that stands in the line of a lane."""
_HEALED_OF_EACH = 20
_HEALED_SHARES = 500


class Store(Intake, Leases, Links, Remedies):
    """Bookings, links and dead letters in one Redis: what `Reader` reads, and every change.

    Every method may raise `redis.RedisError` or `OSError`. Of a change that raised one, it is not known
    whether it was made; every change may be repeated.
    """

    @classmethod
    def of(cls, settings: Settings, redis: Any) -> Self:
        """The record as a configuration has it."""
        store = cls(redis, settings.redis.key_prefix)
        store.follow(settings)
        return store

    def follow(self, settings: Settings) -> None:
        """Goes by a configuration from now on: what is encrypted."""
        self.seal = Seal(settings.encryption)
        self.stored = Stored(self.seal)
        self.apps = tuple(app.name for app in settings.apps)

    async def reconcile(self, *, limit: int = 200) -> tuple[int, int]:
        """Queues open parts again that no job looks after any more; gives (looked at, queued again)."""
        looked, queued = await self.run(
            "reconcile",
            keys=[self.keys.open, self.keys.queue],
            args=[
                self.keys.prefix,
                self.keys.bookings,
                GRACE_MS,
                PAYLOAD_MS,
                limit,
                STILL_QUEUED_MS,
                IN_LINE_MS,
            ],
        )
        return int(looked), int(queued)

    async def heal_delayed(self, cursor: int) -> int:
        """Looks at some calendars in the index of delayed writes and drops what is not delayed any more.

        Begin with cursor 0, go on with the one it gives; 0 again means that all were looked at.
        """
        cursor, _ = await self.run(
            "heal_delayed", keys=[self.keys.delayed], args=[self.keys.bookings, cursor, _HEALED_OF_EACH]
        )
        return int(cursor)

    async def heal_shares(self, turn: int, cursor: int) -> tuple[int, int]:
        """Looks at some of what apps hold, and brings it up to what there is.

        Begin with (0, 0), go on with what it gives: the turns go through all that there is, then through what
        each app holds, and begin anew.
        """
        turns = [(all_of, app) for all_of in (self.keys.open, self.keys.dead) for app in ("", *self.apps)]
        all_of, app = turns[turn % len(turns)]
        cursor, _ = await self.run(
            "heal_shares",
            keys=[all_of],
            args=[self.keys.bookings, self.keys.delivery(""), app, cursor, _HEALED_SHARES],
        )
        return (turn % len(turns), int(cursor)) if int(cursor) else ((turn + 1) % len(turns), 0)

    async def elect(self, office: str, holder: str, *, for_s: float) -> bool:
        """Takes an office that one process of the fleet holds at a time; False while another one does."""
        return bool(await self.redis.set(self.keys.office(office), holder, nx=True, px=int(for_s * 1000)))

    async def resign(self, office: str, holder: str) -> None:
        """Gives an office back before its time, if it is still held."""
        await self.run("resign", keys=[self.keys.office(office)], args=[holder])

    async def prune_index(self, cursor: int, *, count: int = 200) -> int:
        """Looks at some of the index of bookings and drops those whose record has expired.

        Begin with cursor 0, go on with the one it gives; 0 again means that all were looked at.
        """
        return await self._prune(self.keys.index, self.keys.booking, cursor, count)

    async def prune_links(self, cursor: int, *, count: int = 200) -> int:
        """The same for the index of links."""
        return await self._prune(self.keys.links, self.keys.link, cursor, count)

    async def _prune(self, index: str, key: Callable[[str], str], cursor: int, count: int) -> int:
        cursor, page = await self.redis.zscan(index, cursor, count=count)
        async with self.redis.pipeline(transaction=False) as pipe:
            for each, _ in page:
                pipe.exists(key(each.decode()))
            there = await pipe.execute()
        expired = [each for (each, _), exists in zip(page, there, strict=True) if not exists]
        if expired:
            await self.redis.zrem(index, *expired)
        return int(cursor)
