"""Clocks: the machine's own, and Redis', which is the record's."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from config.durations import seconds


def now_ms() -> int:
    """Now, in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class RecordClock:
    """Redis' clock, as far as it is known here: what it last told, and the time that has passed since.

    The machine's own clock counts only until Redis has told the time; it may be wrong, and be set meanwhile.

    Args:
        wall: the machine's clock (Unix ms).
        seconds: one that only goes forward.
    """

    def __init__(
        self, wall: Callable[[], int] = now_ms, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._seconds = seconds
        self._told: tuple[float, float] | None = None

    def __call__(self) -> int:
        """Now, in Unix milliseconds."""
        if self._told is None:
            return self._wall()
        at, told_at = self._told
        return int(at + 1000 * (self._seconds() - told_at))

    async def ask(self, redis: Any) -> float:
        """Asks Redis for the time, after a PING, in one round trip; gives by how many seconds the machine's
        clock is behind Redis'.

        Raises `redis.RedisError` or `OSError`.
        """
        asked, wall = self._seconds(), self._wall()
        async with redis.pipeline(transaction=False) as pipe:
            pipe.ping()
            pipe.time()
            _, (seconds, micros) = await pipe.execute()
        at, halfway = 1000 * seconds + micros / 1000, (self._seconds() - asked) / 2
        self._told = (at, asked + halfway)
        return float(at - (wall + 1000 * halfway)) / 1000


def moment(at: int) -> str:
    """Unix milliseconds as a time in UTC, to the second."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def moment_from(text: str, now: int) -> int:
    """The Unix milliseconds that an operator means: how long ago (`90m`, `2h`, `3d`), how long from now
    (`+3d`), or a time in ISO 8601.

    A time without an offset is in UTC. Raises `ValueError`, which says what there is to write.
    """
    try:
        ahead = text.startswith("+")
        return now + int(seconds(text.removeprefix("+")) * 1000) * (1 if ahead else -1)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError('write how long ago ("2h", "3d") or a time ("2026-11-20T03:00")') from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
