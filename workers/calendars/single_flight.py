"""One request for a token at a time for each account, whoever needs it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bookings.errors import again
from workers.errors import CalendarError

_REST_S = 10.0


class SingleFlight:
    """Whoever waits for a request that is under way shares what it comes to, a failure, too.

    Asked again by each of those who waited, an endpoint that refuses would refuse all of them, and one that
    does not answer would keep the last of them waiting for minutes.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._failures = 0
        self._failure: CalendarError | None = None
        self._rests_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for its turn. Raises the `CalendarError` of one that failed meanwhile."""
        failures = self._failures
        async with self._lock:
            if self._failure is not None and self._failures > failures:
                raise again(self._failure)
            try:
                yield
            except CalendarError as failure:
                self._failures, self._failure = self._failures + 1, again(failure)
                raise

    @property
    def rests(self) -> bool:
        """Whether a token that still lives is not to be renewed just now."""
        return time.monotonic() < self._rests_until

    def rest(self) -> None:
        """Renewing failed while the token at hand is good: no need to try again with every request."""
        self._rests_until = time.monotonic() + _REST_S
