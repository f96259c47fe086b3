"""What a worker changes in the record: it takes a part's lease, writes down what it does, and settles."""

from collections.abc import Sequence

import msgspec

from bookings import part_writes, state
from bookings.delayed import as_indexed
from bookings.errors import LeaseLost, SealError
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

    @property
    def is_first(self) -> bool:
        """Whether nothing has been tried yet of what the delivery asked for."""
        tried = any(write.revision >= self.revision for write in self.writes)
        return not (tried or self.asks or self.gone)


class Leases(Reader):
    """The worker's side of `Store`."""

    async def take(self, queue: str, *, limit: int) -> list[str]:
        """Takes jobs out of a queue, those first that have been due the longest; gives their ids."""
        jobs = await self.run("take", keys=[queue], args=[self.keys.prefix, min(limit, _TAKEN_AT_ONCE)])
        return [job.decode() for job in jobs]

    async def bell(self, *, within_s: float) -> bool:
        """Waits until there may be jobs, so long at most. One worker hears of each."""
        return await self.redis.blpop([self.keys.bell], timeout=within_s) is not None

    async def ring(self) -> None:
        """Passes it on to another worker that there may be jobs."""
        await self.command("LPUSH", self.keys.bell, 1)

    async def claim(self, bid: str, pid: str, *, holder: str, lease_s: float, job: str) -> Claim | None:
        """Takes the lease of a part; None where there is nothing open or another worker holds it.

        Raises `SealError` where it cannot be read for want of a key; the lease then keeps others from trying.
        """
        answer = await self.run(
            "claim",
            keys=[self.keys.booking(bid), self.keys.open],
            args=[bid, pid, holder, int(lease_s * 1000), job],
        )
        if answer[0] != b"claimed":
            return None
        _, fence, revision, app, event_id, link, desired, writes, asks, gone, origin = answer
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
    ) -> Claim | None:
        """Writes the outcome down and gives the lease back; `ends_at` is the part's end in Unix ms.

        Gives the claim anew, still held, where a newer revision came in meanwhile. Raises `LeaseLost`.
        """
        keys = self.keys
        dead = [write.id for write in writes if write.state == "dead"]
        # The unrouted one may have gone from the writes in a journal of somebody who was killed then.
        alive = {UNROUTED, *(write.id for write in (*claim.writes, *writes))}.difference(dead)
        part_state, due_at = part_writes.part_state(writes)
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
                due_at,
                ends_at,
                int(keep_s * 1000),
                int(keep_at_least_s * 1000),
                claim.asks,
                keys.bookings,
                " ".join(made),
                len(delayed) // 5,
                len(dead),
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
