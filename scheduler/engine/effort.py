"""How much work a query may be: until when, and whether anybody still waits for it."""

import time

_LIGHT_S = 0.03
_SLICE_S = 0.002
_REST_S = 0.0005


class OutOfTimeError(Exception):
    """The work took as long as it may, or nobody waits for it any more."""


class Effort:
    """Asked again and again by work that may be long, from its own thread.

    Work that is not light rests now and then. Threads of Python take turns of 5 ms; one that rests hands its
    turn on, so that whatever else the process does need not wait for the end of it.

    Args:
        seconds: how long the work may take, from its first step on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
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
            if now - self._began > _LIGHT_S:
                time.sleep(_REST_S)
                now = time.monotonic()
            self._rested = now
