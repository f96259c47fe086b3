"""Blocking requests for tokens: one at a time for each account, in a thread that is the account's own.

The pool of `asyncio.to_thread` is everybody's. A handful of accounts whose token endpoints hang would take
all of it, and every other account, and all else that needs a thread, would wait for them. A pool for each
provider only moves that: its accounts would still wait for one another. Single flight keeps the number of
threads to that of the accounts.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from network.refusals import Refusal
from workers.errors import CalendarError, ErrorClass

LONGEST_S = 10.0
"""How long one request for a token may take at most. They are small, and everything of the account waits for
them.
"""
_GRACE_S = 1.0
"""So much later than a request's own limit is the whole given up: its own says more precisely what happened.
"""

T = TypeVar("T")


class OwnThread:
    """The thread of one account.

    Args:
        within_s: how long one request may take. No call is waited for any longer: the resolver
            of names, for one, knows no limit.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s + _GRACE_S
        self._under_way: asyncio.Future[None] | None = None

    async def run(self, call: Callable[[], T]) -> T:
        """Gives what a call comes to, or raises what it raises.

        Raises `CalendarError` (TRANSIENT) where it takes too long. It goes on by itself then, and until it
        has ended no other is begun. No thread of this kind delays the end of the process.
        """
        if self._under_way is not None and not await self._ends(self._under_way):
            raise CalendarError(ErrorClass.TRANSIENT, Refusal.TIMED_OUT)
        loop = asyncio.get_running_loop()
        ended = self._under_way = loop.create_future()
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                results.append(call())
            except BaseException as error:  # noqa: BLE001 - it is for who waits, not for this thread
                errors.append(error)
            try:
                loop.call_soon_threadsafe(_end, ended)
            except RuntimeError:
                """Nobody waits any more: the loop is closed."""

        threading.Thread(target=work, name="token", daemon=True).start()
        if not await self._ends(ended):
            raise CalendarError(ErrorClass.TRANSIENT, Refusal.TIMED_OUT)
        if errors:
            raise errors.pop()  # a list that kept it would keep it alive, and all that its frames hold
        return results.pop()

    async def _ends(self, under_way: "asyncio.Future[None]") -> bool:
        done, _ = await asyncio.wait([under_way], timeout=self._within_s)
        return bool(done)


def _end(ended: "asyncio.Future[None]") -> None:
    if not ended.done():
        ended.set_result(None)
