"""How much work a query may be: until when, and whether anybody still waits for it."""

import time
from collections.abc import Callable

_SLICE_S = 0.002
_LIGHT_S = 0.1
_REST_S = 0.0005


class OutOfTimeError(Exception):
    """The work took as long as it may, or nobody waits for it any more."""


class Effort:
    """Asked again and again by work that may be long, in a thread of its own.

    Threads of Python take turns of 5 ms, and one that computes does not hand its turn on by itself. Here it
    does, every 2 ms; what is not light rests as well, the longer the more there is of its kind.

    Args:
        seconds: how long the work may take, from its first step on.
        crowd: how many pieces of work have to share what one may take of the processor.
    """

    def __init__(self, seconds: float, crowd: Callable[[], int] = lambda: 1) -> None:
        self._seconds, self._crowd = seconds, crowd
        self._began: float | None = None
        self._rested = 0.0
        self._stopped = False

    def stop(self) -> None:
        """Has the work end at its next step; called from any thread."""
        self._stopped = True

    def step(self) -> None:
        """Goes on, or raises `OutOfTimeError`."""
        now = time.monotonic()
        if self._began is None:
            self._began = self._rested = now
        if self._stopped or now - self._began > self._seconds:
            raise OutOfTimeError
        if now - self._rested > _SLICE_S:
            time.sleep(self._rest() if now - self._began > _LIGHT_S else 0)
            self._rested = time.monotonic()

    def _rest(self) -> float:
        """So long that a crowd together takes about half of a processor."""
        return _REST_S + 2 * _SLICE_S * (self._crowd() - 1)
