"""The clocks of accounts in Redis, shared by the whole fleet: who waits, until when, and for what.

An account is one set of credentials; a lane is one mailbox of a Microsoft account, or a Google account
itself. Throttling closes a lane, refused credentials close the account.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from bookings.store import Store

_PROBE_MS = 60_000

State = Literal["paused", "parked"]


class Limits(msgspec.Struct, frozen=True):
    """How many requests of a lane the whole fleet has under way at a time, and how many it makes a second.

    0 means any number; `burst` is how many may come at once after a rest.
    """

    at_a_time: int = 0
    slot_s: float = 60
    """How long a slot lasts that is not given back, because its holder was killed."""
    a_second: float = 0
    burst: int = 0


class Leave(msgspec.Struct, frozen=True):
    """What a request is told: go, wait a little (seconds), or not before `closed_until` (Unix ms)."""

    go: bool = False
    told: bool = False
    """Whether it is to say so if it goes well: its account is only just tried again."""
    wait_s: float = 0
    closed_until: int = 0
    state: State = "paused"
    reason: str = ""


class ClosedAccount(msgspec.Struct, frozen=True):
    """An account or lane that waits, or did until just now. Times in Unix milliseconds."""

    name: str
    state: State
    reason: str
    since: int
    until: int
    waiting: int
    """How many parts stand in its line, or in those of the account's lanes."""

    @property
    def account(self) -> str:
        """The account, whose name a mailbox's lane begins with."""
        return self.name.partition("/")[0]


class Accounts:
    """Every method may raise `redis.RedisError` or `OSError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def admit(self, account: str, lane: str, holder: str, limits: Limits) -> Leave:
        """Asks leave for one request."""
        keys = self._keys
        answer = await self._store.run(
            "admit",
            keys=[
                keys.account(account),
                keys.account(lane),
                keys.account(lane, "slots"),
                keys.account(lane, "bucket"),
            ],
            args=[
                holder,
                limits.at_a_time,
                int(limits.slot_s * 1000),
                limits.a_second,
                limits.burst,
                _PROBE_MS,
            ],
        )
        match answer[0]:
            case b"wait":
                return Leave(wait_s=int(answer[1]) / 1000)
            case b"closed":
                state: State = "parked" if answer[2] == b"parked" else "paused"
                return Leave(closed_until=int(answer[1]), state=state, reason=answer[3].decode())
        return Leave(go=True, told=answer[0] == b"told")

    async def leave(self, lane: str, holder: str) -> None:
        """Gives a slot back."""
        await self._store.command("ZREM", self._keys.account(lane, "slots"), holder)

    async def close(self, name: str, *, least_s: float, most_s: float, state: State, reason: str) -> int:
        """Makes an account or lane wait, twice as long each time in a row; gives until when (Unix ms)."""
        [until] = await self._store.run(
            "close",
            keys=[self._keys.account(name), self._keys.accounts],
            args=[int(least_s * 1000), int(most_s * 1000), state, reason, name],
        )
        return int(until)

    async def reopen(self, account: str, lane: str) -> None:
        """Ends the waiting for a lane that was just seen to work; of its account, too, where that was closed.

        What stands in their lines goes on as it can be written.
        """
        keys = self._keys
        await self._store.run(
            "reopen",
            keys=[keys.account(account), keys.account(lane), keys.accounts],
            args=[keys.prefix, account, lane],
        )

    async def try_now(self, account: str, lane: str) -> bool:
        """Ends the waiting of a parked account, so that one request tries it; True where it was parked.

        One that is only paused stays so: its provider asked for a rest.
        """
        keys = self._keys
        [tried] = await self._store.run(
            "try_account",
            keys=[keys.account(account), keys.account(lane)],
            args=[keys.prefix, account],
        )
        return bool(tried == b"tried")

    async def closed(self) -> list[ClosedAccount]:
        """The accounts and lanes that are not known to work."""
        redis, keys = self._store.redis, self._keys
        names = sorted(name.decode() for name in await redis.smembers(keys.accounts))
        lanes = [lane.decode() for lane in await redis.hkeys(keys.lanes)] if names else []
        async with redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hmget(keys.account(name), "state", "reason", "since", "until")
            for lane in lanes:
                pipe.zcard(keys.account(lane, "waiting"))
            answers: Sequence[Any] = await pipe.execute()
        in_line = dict(zip(lanes, answers[len(names) :], strict=True))
        found = zip(names, answers, strict=False)
        return [
            ClosedAccount(
                name=name,
                state="parked" if clock[0] == b"parked" else "paused",
                reason=clock[1].decode(),
                since=int(clock[2]),
                until=int(clock[3]),
                waiting=sum(
                    count for lane, count in in_line.items() if lane == name or lane.startswith(f"{name}/")
                ),
            )
            for name, clock in found
            if clock[0] is not None
        ]
