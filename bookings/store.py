"""The record in Redis. Every change of it is one of the scripts in `scripts/`: atomic, one round trip."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec
from redis.commands.core import AsyncScript

from bookings import state
from bookings.dead_letters import DeadLetter
from bookings.errors import DeadLettersFull, LeaseLost, Overtaken, QueueFull, UnknownLink
from bookings.identity import booking_id, link_id, part_id
from bookings.reader import PART, WRITES, Reader
from bookings.record import UNROUTED, Part, Write

GRACE_MS = 10_000
"""How long a queued job may take to be picked before the reconciler looks whether it is still there."""
STILL_QUEUED_MS = 60_000
"""When the reconciler looks again at a part that waits in a long queue."""
PAYLOAD_MS = 86_400_000
"""How long arq keeps a job's payload; a job that outlives it is queued again by the reconciler."""

_AUDIT_ENTRIES = 10_000

_encode = msgspec.json.Encoder().encode


class Accepted(msgspec.Struct, frozen=True):
    """Answer to a delivery: newly accepted, or a repeat of one that was accepted as `revision`."""

    revision: int
    duplicate: bool


class Claim(msgspec.Struct, frozen=True):
    """A part under lease: what is to be written, and what has been."""

    booking: str
    part: str
    fence: str
    revision: int
    app: str
    event_id: str
    link: str | None
    desired: Part
    writes: tuple[Write, ...]
    asks: str = ""
    """What operators ask for, a line each."""
    gone: bool = False
    """Whether the part was withdrawn: nothing of it is to stand in any calendar."""


class Store(Reader):
    """Bookings, links and dead letters in one Redis: what `Reader` reads, and every change.

    Every method may raise `redis.RedisError` or `OSError`. Of a change that raised one, it is not known
    whether it was made; every change may be repeated.
    """

    def __init__(self, redis: Any, prefix: str) -> None:
        super().__init__(redis, prefix)
        self._accept = self.script("accept")
        self._claim = self.script("claim")
        self._journal = self.script("journal")
        self._settle = self.script("settle")
        self._reconcile = self.script("reconcile")
        self._quarantine = self.script("quarantine")
        self._ask = self.script("ask")
        self._cancel = self.script("cancel")
        self._restore = self.script("restore")

    def script(self, name: str) -> AsyncScript:
        """One of the scripts in `scripts/`, ready to be called."""
        scripts = files("bookings") / "scripts"
        source = (scripts / "wake.lua").read_text() + (scripts / f"{name}.lua").read_text()
        script: AsyncScript = self.redis.register_script(source)
        return script

    # -- the receiver's side

    async def accept(
        self,
        *,
        app: str,
        event_id: str,
        delivery: str,
        parts: Sequence[Part],
        link: str | None,
        window_s: float,
        queue_limit: int,
        dead_letters_limit: int,
        prune: bool = False,
    ) -> Accepted:
        """Stores one delivery and queues its parts, or proves it a repeat. One round trip.

        Raises `UnknownLink`, `QueueFull` or `DeadLettersFull`; nothing is stored then.
        """
        keys = self.keys
        bid = booking_id(app, event_id)
        args: list[str | bytes | int] = [
            keys.prefix,
            bid,
            delivery,
            int(window_s * 1000),
            queue_limit,
            dead_letters_limit,
            GRACE_MS,
            PAYLOAD_MS,
            app,
            event_id,
            link or "",
            "prune" if prune else "",
            len(parts),
        ]
        for part in parts:
            args += (part_id(part.sequence_text), _encode(part))
        answer = await self._accept(
            keys=[
                keys.booking(bid),
                keys.open,
                keys.queue,
                keys.index,
                keys.dead,
                keys.link(link) if link else "",
            ],
            args=args,
        )
        _raise_refusal(answer[0])
        return Accepted(revision=int(answer[1]), duplicate=answer[0] == b"duplicate")

    async def quarantine(
        self,
        *,
        delivery: str,
        app: str,
        link: str | None,
        reason: str,
        body: bytes,
        dead_letters_limit: int,
    ) -> None:
        """Keeps a signed delivery that nobody can read. Raises `UnknownLink` or `DeadLettersFull`."""
        answer = await self._quarantine(
            keys=[self.keys.delivery(delivery), self.keys.dead, self.keys.link(link) if link else ""],
            args=[delivery, dead_letters_limit, app, link or "", reason, body],
        )
        _raise_refusal(answer[0])

    # -- the worker's side

    async def claim(self, bid: str, pid: str, *, holder: str, lease_s: float, job: str) -> Claim | None:
        """Takes the lease of a part; None where there is nothing open or another worker holds it."""
        answer = await self._claim(
            keys=[self.keys.booking(bid), self.keys.open],
            args=[bid, pid, holder, int(lease_s * 1000), job],
        )
        if answer[0] != b"claimed":
            return None
        _, fence, revision, app, event_id, link, desired, writes, asks, gone = answer
        return Claim(
            booking=bid,
            part=pid,
            fence=fence.decode(),
            revision=int(revision),
            app=app.decode(),
            event_id=event_id.decode(),
            link=link.decode() or None,
            desired=PART.decode(desired),
            writes=WRITES.decode(writes) if writes else (),
            asks=asks.decode(),
            gone=gone == b"gone",
        )

    async def journal(self, claim: Claim, writes: Sequence[Write] | None, *, lease_s: float) -> int:
        """Writes the writes down (None: only keeps the lease) and gives the part's newest revision.

        Raises `LeaseLost`.
        """
        answer = await self._journal(
            keys=[self.keys.booking(claim.booking), self.keys.open],
            args=[
                claim.booking,
                claim.part,
                claim.fence,
                int(lease_s * 1000),
                b"" if writes is None else _encode(writes),
            ],
        )
        if answer[0] == b"lost":
            raise LeaseLost
        return int(answer[1])

    async def settle(
        self,
        claim: Claim,
        writes: Sequence[Write],
        *,
        ends_at: int,
        lease_s: float,
        keep_s: float,
        keep_at_least_s: float,
    ) -> Claim | None:
        """Writes the outcome down and gives the lease back; `ends_at` is the part's end in Unix ms.

        Gives the claim anew, still held, where a newer revision came in meanwhile. Raises `LeaseLost`.
        """
        keys = self.keys
        dead = [write.id for write in writes if write.state == "dead"]
        # The unrouted one may have gone from the writes in a journal of somebody who was killed then.
        alive = {UNROUTED, *(write.id for write in (*claim.writes, *writes))}.difference(dead)
        part_state, due_at = state.part_state(writes)
        answer = await self._settle(
            keys=[keys.booking(claim.booking), keys.open, keys.queue, keys.index, keys.dead],
            args=[
                keys.prefix,
                claim.booking,
                claim.part,
                claim.fence,
                int(lease_s * 1000),
                GRACE_MS,
                PAYLOAD_MS,
                claim.revision,
                _encode(writes),
                part_state,
                due_at,
                ends_at,
                int(keep_s * 1000),
                int(keep_at_least_s * 1000),
                claim.asks,
                len(dead),
                *dead,
                *alive,
            ],
        )
        match answer[0]:
            case b"lost":
                raise LeaseLost
            case b"again":
                return msgspec.structs.replace(
                    claim,
                    revision=int(answer[1]),
                    desired=PART.decode(answer[2]),
                    writes=tuple(writes),
                    asks=answer[3].decode(),
                    gone=answer[4] == b"gone",
                )
        return None

    async def reconcile(self, *, limit: int = 200) -> tuple[int, int]:
        """Queues open parts again that no job looks after any more; gives (looked at, queued again)."""
        looked, queued = await self._reconcile(
            keys=[self.keys.open, self.keys.queue],
            args=[self.keys.prefix, self.keys.bookings, GRACE_MS, PAYLOAD_MS, limit, STILL_QUEUED_MS],
        )
        return int(looked), int(queued)

    # -- the operator's side

    async def ask(
        self, bid: str, pid: str, what: str, *, dead_letter: str = "", revision: int | None = None
    ) -> bool:
        """Asks the next worker at a part for `replay WRITE`, `discard WRITE` or `resync`.

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
        answer = await self._ask(
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
        answer = await self._cancel(
            keys=[keys.booking(bid), keys.open, keys.queue], args=[keys.prefix, bid, GRACE_MS, PAYLOAD_MS]
        )
        return int(answer[2]) if answer[0] == b"cancelled" else None

    async def drop_delivery(self, did: str) -> bool:
        """Lets go of a quarantined delivery; False where it is gone already."""
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self.keys.dead, f"delivery:{did}")
            pipe.delete(self.keys.delivery(did))
            dropped, _ = await pipe.execute()
        return bool(dropped)

    async def restore(self, letter: DeadLetter) -> str:
        """Puts an exported dead letter of a write back: `restored`, or `there` where the record has it.

        Raises `Overtaken` where the part has a newer revision.
        """
        assert letter.part is not None  # it is of a write
        bid, pid, wid = letter.place
        answer = await self._restore(
            keys=[self.keys.booking(bid), self.keys.dead, self.keys.index],
            args=[
                bid,
                pid,
                letter.app,
                letter.event_id,
                letter.link,
                letter.revision,
                _encode(letter.part),
                wid,
                _encode(letter.write),
                letter.died_at,
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

    # -- the fleet

    async def elect(self, office: str, holder: str, *, for_s: float) -> bool:
        """Takes an office that one process of the fleet holds at a time; False while another one does."""
        key = f"{self.keys.prefix}:office:{office}"
        return bool(await self.redis.set(key, holder, nx=True, px=int(for_s * 1000)))

    async def prune_index(self, cursor: int, *, count: int = 200) -> int:
        """Looks at some of the index of bookings and drops those whose record has expired.

        Begin with cursor 0, go on with the one it gives; 0 again means that all were looked at.
        """
        cursor, page = await self.redis.zscan(self.keys.index, cursor, count=count)
        async with self.redis.pipeline(transaction=False) as pipe:
            for bid, _ in page:
                pipe.exists(self.keys.booking(bid.decode()))
            there = await pipe.execute()
        expired = [bid for (bid, _), exists in zip(page, there, strict=True) if not exists]
        if expired:
            await self.redis.zrem(self.keys.index, *expired)
        return int(cursor)

    # -- links

    async def register_link(
        self, app: str, token: str, calendars: Mapping[str, Sequence[str]], *, keep_s: float
    ) -> str:
        """Records which of our calendars each `sequence_id` of a link goes to; gives the link's id."""
        lid = link_id(app, token)
        key = self.keys.link(lid)
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, "calendars", msgspec.json.encode({k: list(v) for k, v in calendars.items()}))
            pipe.expire(key, int(keep_s))
            await pipe.execute()
        return lid

    async def link_calendars(self, lid: str) -> dict[str, list[str]]:
        """The calendars of each `sequence_id` of a link; empty where the link is gone."""
        value = await self.redis.hget(self.keys.link(lid), "calendars")
        return msgspec.json.decode(value, type=dict[str, list[str]]) if value else {}


def _raise_refusal(answer: bytes) -> None:
    match answer:
        case b"unknown_link":
            raise UnknownLink
        case b"queue_full":
            raise QueueFull
        case b"dead_letters_full":
            raise DeadLettersFull
