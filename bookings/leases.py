"""What a worker changes in the record: it takes a part's lease, writes down what it does, and settles."""

from collections.abc import Mapping, Sequence
from itertools import chain

import msgspec

from bookings import part_writes, state
from bookings.delayed import as_indexed
from bookings.errors import LeaseLost, SealError
from bookings.lines import NOWHERE, Stands
from bookings.queue import Taken
from bookings.reader import Reader
from bookings.record import UNROUTED, Part, Write
from bookings.scripted import GRACE_MS, PAYLOAD_MS

SEALED_MS = 30_000
"""When a part that cannot be read for want of a key is looked at again."""
_HIGHEST_SEEN = 2**52
"""An event's mark can be changed by whoever may write to its calendar, and Lua counts up to 2**53."""

_TAKEN_AT_ONCE = 1000
"""However many places are free: a command in a script has no more than some thousands of arguments."""


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
    delivery: str = ""
    """The delivery that the part is as it is from."""
    trace: str = ""
    """The traceparent with which that was accepted, if there was one."""
    at: int = 0
    """When it was claimed, by Redis' clock (Unix ms)."""

    @property
    def is_first(self) -> bool:
        """Whether nothing has been tried yet of what the delivery asked for."""
        tried = any(write.revision >= self.revision for write in self.writes)
        return not (tried or self.asks or self.gone)


class Leases(Reader):
    """The worker's side of `Store`."""

    async def take(self, *, limit: int, held: Mapping[str, int] | None = None) -> tuple[list[Taken], bool]:
        """Takes parts that are due out of all queues, in turn; and whether something due was left there.

        `held` says how many parts are under way here of lanes that are crowded: only so many more are taken.
        """
        keys = self.keys
        left, *places = await self.run(
            "take",
            keys=[keys.turns, keys.open, keys.lanes],
            args=[
                keys.prefix,
                keys.bookings,
                min(limit, _TAKEN_AT_ONCE),
                GRACE_MS,
                *chain.from_iterable((lane, str(count)) for lane, count in (held or {}).items()),
            ],
        )
        taken = [
            Taken(bid, pid, lane.decode())
            for place, lane in zip(places[::2], places[1::2], strict=True)
            for bid, pid in (place.decode().split(":"),)
        ]
        return taken, left == b"1"

    async def bell(self, *, within_s: float) -> bool:
        """Waits until there may be jobs, so long at most. One worker hears of each."""
        return await self.redis.blpop([self.keys.bell], timeout=within_s) is not None

    async def ring(self) -> None:
        """Passes it on to another worker that there may be jobs."""
        await self.command("LPUSH", self.keys.bell, 1)

    async def claim(self, bid: str, pid: str, *, holder: str, lease_s: float) -> Claim | None:
        """Takes the lease of a part; None where there is nothing open or another worker holds it.

        Raises `SealError` where it cannot be read for want of a key; the lease then keeps others from trying.
        """
        answer = await self.run(
            "claim",
            keys=[self.keys.booking(bid), self.keys.open],
            args=[bid, pid, holder, int(lease_s * 1000), self.keys.prefix],
        )
        if answer[0] != b"claimed":
            return None
        _, fence, revision, app, event_id, link, desired, writes, asks, gone, origin, at = answer
        delivery, _, trace = origin.decode().partition(" ")
        try:
            part, known = self.stored.read_part(desired), self.stored.read_writes(writes)
            named = self.stored.read_text(event_id)
        except SealError:
            await self.run(
                "journal",
                keys=[self.keys.booking(bid), self.keys.open],
                args=[bid, pid, fence, SEALED_MS, b""],
            )
            raise
        return Claim(
            booking=bid,
            part=pid,
            fence=fence.decode(),
            revision=int(revision),
            app=app.decode(),
            event_id=named,
            link=link.decode() or None,
            desired=part,
            writes=known,
            asks=asks.decode(),
            gone=gone == b"gone",
            delivery=delivery,
            trace=trace,
            at=int(at),
        )

    async def journal(self, claim: Claim, writes: Sequence[Write] | None, *, lease_s: float) -> int:
        """Writes the writes down (None: only keeps the lease) and gives the part's newest revision.

        Raises `LeaseLost`.
        """
        answer = await self.run(
            "journal",
            keys=[self.keys.booking(claim.booking), self.keys.open],
            args=[
                claim.booking,
                claim.part,
                claim.fence,
                int(lease_s * 1000),
                b"" if writes is None else self.stored.writes(writes),
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
        stands: Stands = NOWHERE,
        ahead_ms: int = 0,
    ) -> Claim | None:
        """Writes the outcome down and gives the lease back; `ends_at` is the part's end in Unix ms.
        `stands` says which of its writes wait in the lines of their lanes, `ahead_ms` how far Redis' clock is
        ahead of the one by which writes are due.

        Gives the claim anew, still held, where a newer revision came in meanwhile. Raises `LeaseLost`.
        """
        keys = self.keys
        dead = [write.id for write in writes if write.state == "dead"]
        # The unrouted one may have gone from the writes in a journal of somebody who was killed then.
        alive = {UNROUTED, *(write.id for write in (*claim.writes, *writes))}.difference(dead)
        part_state, due_at = part_writes.part_state(writes, apart=stands.lines)
        lines = stands.text(writes) if part_state is part_writes.PartState.OPEN else ""
        known = {write.id: write for write in claim.writes}
        made = [write.id for write in writes if state.just_made(write, known.get(write.id))]
        delayed = as_indexed(writes)
        answer = await self.run(
            "settle",
            keys=[keys.booking(claim.booking), keys.open, keys.queue, keys.index, keys.dead, keys.delayed],
            args=[
                keys.prefix,
                claim.booking,
                claim.part,
                claim.fence,
                int(lease_s * 1000),
                GRACE_MS,
                PAYLOAD_MS,
                claim.revision,
                self.stored.writes(writes),
                part_state,
                due_at + ahead_ms if due_at else 0,
                ends_at,
                int(keep_s * 1000),
                int(keep_at_least_s * 1000),
                claim.asks,
                keys.bookings,
                " ".join(made),
                len(delayed) // 5,
                len(dead),
                lines,
                *delayed,
                *dead,
                *alive,
            ],
        )
        match answer[0]:
            case b"lost":
                raise LeaseLost
            case b"again":
                delivery, _, trace = answer[5].decode().partition(" ")
                return msgspec.structs.replace(
                    claim,
                    revision=int(answer[1]),
                    desired=self.stored.read_part(answer[2]),
                    writes=tuple(writes),
                    asks=answer[3].decode(),
                    gone=answer[4] == b"gone",
                    delivery=delivery,
                    trace=trace,
                )
        return None

    async def saw(self, revision: int) -> None:
        """Notes that an event of ours holds a revision that the record does not know: new ones begin above
        it.
        """
        if revision <= _HIGHEST_SEEN:
            await self.run("saw", keys=[self.keys.seen], args=[revision])

    async def release(self, claim: Claim) -> bool:
        """Gives the lease back with nothing settled: the part is due at once. False where it was lost."""
        keys = self.keys
        answer = await self.run(
            "release",
            keys=[keys.booking(claim.booking), keys.open, keys.queue],
            args=[keys.prefix, claim.booking, claim.part, claim.fence, GRACE_MS, PAYLOAD_MS],
        )
        return bool(answer[0] == b"released")
