"""Log lines that strangers can have written: so many a second, and how many were left out."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

LINES_A_SECOND = 10


class Sampled:
    """Writes at most `LINES_A_SECOND` lines of each event; a later line says how many were `left_out`.

    Args:
        logger: what writes them.
        clock: monotonic seconds.
    """

    def __init__(self, logger: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._second = 0
        self._seen: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    def log(self, level: str, event: str, **facts: Any) -> None:
        """Writes a line, or counts it."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._seen.clear()
        self._seen[event] += 1
        if self._seen[event] > LINES_A_SECOND:
            self._left_out[event] += 1
            return
        if left_out := self._left_out.pop(event, 0):
            facts["left_out"] = left_out
        getattr(self._logger, level)(event, **facts)
