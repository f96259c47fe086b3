"""The lane of a calendar: one Microsoft mailbox, or a Google account. It is asked before each request."""

import asyncio
import math
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from redis.exceptions import RedisError

from bookings.accounts import Accounts, Leave, Limits
from workers.errors import AccountWaits, CalendarError, ErrorClass

_MOST_WAITING = 25
_PATIENCE_S = 5.0
_AGAIN_S = 1.0
_MOST_PARTS = 50
_FEW_PARTS = 4
_PARTS_A_SECOND = 1.5
"""A part takes two requests or so: of so many, none waits for longer than `_PATIENCE_S`."""

THROTTLED_FOR_S = 5.0
"""How long a lane waits at first where the provider does not say."""
PARKED_FOR_S = 60.0
"""How long refused credentials are left alone at first, before one request tries them again."""


class Lane:
    """One lane, shared by the fleet through Redis.

    Args:
        accounts: the clocks.
        account: the account's name.
        name: the lane's own; the account's where it has only one.
        limits: what the provider bears.
        cap_s: the longest that it is closed at a time, unless the provider asks for longer.
        seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        accounts: Accounts,
        account: str,
        name: str,
        limits: Limits,
        *,
        cap_s: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.name = name
        self._accounts = accounts
        self._limits = limits
        self._cap_s = cap_s
        self._seconds = seconds
        self._here = asyncio.Semaphore(limits.at_a_time) if limits.at_a_time else None
        self._given_back_later: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._turn = asyncio.Lock()
        self.most = _most_parts(limits)
        """How many parts of it a worker has under way at a time: as many as keep it at its full pace."""

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator["Admission"]:
        """Waits for leave to make one request. Raises `AccountWaits` where that is not to be had soon.

        Only so many wait here, and not for long: parts that wait for one account must not take the places of
        all others.
        """
        holder = uuid.uuid4().hex
        if self._here is not None:
            with self._in_line():
                await self._here.acquire()  # first come first served, within this process
        try:
            leave = await self._leave(holder)
            try:
                yield Admission(self if leave.told else None)
            finally:
                if self._limits.at_a_time:
                    await self._give_back(holder)
        finally:
            if self._here is not None:
                self._here.release()

    async def _leave(self, holder: str) -> Leave:
        """Only the first in line asks again and again: the others would but ask in vain, and out of turn."""
        patience = self._seconds() + _PATIENCE_S
        if not self._turn.locked() and (leave := await self._asked(holder)).go:
            return leave
        with self._in_line():
            async with self._turn:
                while not (leave := await self._asked(holder)).go:
                    if self._seconds() + leave.wait_s > patience:
                        raise _busy()
                    await asyncio.sleep(leave.wait_s * (0.5 + random.random()))  # noqa: S311 - it only spreads
        return leave

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        if self._waiting >= max(_MOST_WAITING, self.most):
            raise _busy()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _give_back(self, holder: str) -> None:
        """Gives a slot back; now or, where Redis is in trouble, as soon as it is not."""
        try:
            await self._accounts.leave(self.name, holder)
        except (RedisError, OSError):
            later = asyncio.create_task(self._give_back_later(holder))
            self._given_back_later.add(later)
            later.add_done_callback(self._given_back_later.discard)

    async def _give_back_later(self, holder: str) -> None:
        until = time.monotonic() + self._limits.slot_s  # then it has run out
        while time.monotonic() < until:
            await asyncio.sleep(_AGAIN_S)
            with suppress(RedisError, OSError):
                await self._accounts.leave(self.name, holder)
                return

    async def _asked(self, holder: str) -> Leave:
        """Asks for leave; where the answer is lost, gives back the slot that may have been granted.

        Raises `AccountWaits` where the lane is closed.
        """
        try:
            leave = await self._accounts.admit(self.account, self.name, holder, self._limits)
        except (RedisError, OSError, asyncio.CancelledError):
            if self._limits.at_a_time:
                await self._give_back(holder)
            raise
        if leave.closed_until:
            raise AccountWaits(leave.reason, until=leave.closed_until, parked=leave.state == "parked")
        return leave

    async def went_well(self) -> None:
        """The account works again: whatever waits for it goes on."""
        await self._accounts.reopen(self.account, self.name)

    async def close(self, error: CalendarError) -> int:
        """Makes the lane (or its account) wait after throttling or a refusal; gives until when (Unix ms)."""
        parked = error.error_class is ErrorClass.AUTH
        least_s = min(PARKED_FOR_S if parked else THROTTLED_FOR_S, self._cap_s)
        if error.retry_after is not None:
            least_s = max(error.retry_after, 1.0)
        return await self._accounts.close(
            self.account if error.whole_account else self.name,
            least_s=least_s,
            most_s=self._cap_s,
            state="parked" if parked else "paused",
            reason=error.code,
        )


def _busy() -> AccountWaits:
    return AccountWaits("busy", until=0, busy=True)


def _most_parts(limits: Limits) -> int:
    if limits.at_a_time:
        return 2 * limits.at_a_time  # while one prepares its request, another one has the slot
    if limits.a_second:
        return max(_FEW_PARTS, math.ceil(_PARTS_A_SECOND * limits.a_second))
    return _MOST_PARTS


class FreeLane:
    """A lane without limits or clocks, for looking whether something works."""

    name = ""
    most = 0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator["Admission"]:
        """Leave at once."""
        yield Admission(None)

    async def close(self, error: CalendarError) -> int:
        """Nobody else is told."""
        del error
        return 0


class Admission:
    """Leave for one request; `lane` wants to know whether it went well."""

    def __init__(self, lane: Lane | None) -> None:
        self._lane = lane

    async def went_well(self) -> None:
        """Takes note of an answer which means that the account works."""
        if self._lane is not None:
            await self._lane.went_well()
