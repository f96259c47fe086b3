"""What an operator changes in the record, from the command line or the console."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bookings.dead_letters import DeadLetter
from bookings.errors import Overtaken
from bookings.reader import Reader
from bookings.scripted import GRACE_MS, PAYLOAD_MS

_AUDIT_ENTRIES = 10_000
_WAKE_AT_ONCE = 500


class Remedies(Reader):
    """The operator's side of `Store`."""

    async def ask(
        self, bid: str, pid: str, what: str, *, dead_letter: str = "", revision: int | None = None
    ) -> bool:
        """Asks the next worker at a part for `replay WRITE`, `discard WRITE`, `retry WRITE` or `resync`.

        Args:
            bid: the booking.
            pid: the part.
            what: what is asked.
            dead_letter: the dead letter it is about, which leaves their list with it.
            revision: the revision that the dead letter is of.

        Gives False where there is nothing to ask for: no such part, or no such dead letter any more. Raises
        `Overtaken` where the part has a newer revision.
        """
        keys = self.keys
        answer = await self.run(
            "ask",
            keys=[keys.booking(bid), keys.open, keys.queue, keys.dead],
            args=[
                keys.prefix,
                bid,
                pid,
                what,
                dead_letter,
                "" if revision is None else revision,
                GRACE_MS,
                PAYLOAD_MS,
            ],
        )
        if answer[0] == b"overtaken":
            raise Overtaken(int(answer[1]))
        return bool(answer[0] == b"asked")

    async def cancel(self, bid: str) -> int | None:
        """Withdraws every part of a booking; gives how many there are, or None without such a booking."""
        keys = self.keys
        answer = await self.run(
            "cancel",
            keys=[keys.booking(bid), keys.open, keys.queue],
            args=[keys.prefix, bid, GRACE_MS, PAYLOAD_MS],
        )
        return int(answer[2]) if answer[0] == b"cancelled" else None

    async def wake_calendar(self, wid: str) -> int:
        """Has what is parked for a calendar tried now, since it was seen to work; gives how many at first.

        The others follow as those succeed. `wid` is the id of a write to it.
        """
        keys = self.keys
        [woken] = await self.run(
            "wake_calendar",
            keys=[keys.open, keys.queue, keys.delayed],
            args=[keys.prefix, keys.bookings, GRACE_MS, PAYLOAD_MS, wid, _WAKE_AT_ONCE],
        )
        return int(woken)

    async def drop_delivery(self, did: str) -> bool:
        """Lets go of a quarantined delivery; False where it is gone already."""
        app = (await self.redis.hget(self.keys.delivery(did), "app") or b"").decode()
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self.keys.dead, f"delivery:{did}")
            pipe.delete(self.keys.delivery(did))
            pipe.zrem(self.keys.dead_of(app), f"delivery:{did}")
            dropped, *_ = await pipe.execute()
        return bool(dropped)

    async def restore(self, letter: DeadLetter) -> str:
        """Puts an exported dead letter of a write back: `restored`, or `there` where the record has it.

        `busy` where its part is open, and so the workers' to change. Raises `Overtaken` where the part has a
        newer revision.
        """
        assert letter.part is not None  # it is of a write
        assert letter.write is not None
        bid, pid, wid = letter.place
        answer = await self.run(
            "restore",
            keys=[self.keys.booking(bid), self.keys.dead, self.keys.index],
            args=[
                bid,
                pid,
                letter.app,
                self.stored.text(letter.event_id),
                letter.link,
                letter.revision,
                self.stored.part(letter.part),
                wid,
                self.stored.write(letter.write),
                letter.died_at,
                "gone" if letter.gone else "",
            ],
        )
        if answer[0] == b"overtaken":
            raise Overtaken(int(answer[1]))
        return str(answer[0].decode())

    async def note(self, entry: Mapping[str, Any]) -> None:
        """Adds to the audit record: who did what, when, to how many. Kept: the newest 10,000 entries."""
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.lpush(self.keys.audit, msgspec.json.encode(dict(entry)))
            pipe.ltrim(self.keys.audit, 0, _AUDIT_ENTRIES - 1)
            await pipe.execute()
