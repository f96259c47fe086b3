"""The clock that everything in Redis is stamped by, as far as Redis does not do it itself."""

import time
from datetime import UTC, datetime

from config.durations import seconds


def now_ms() -> int:
    """Now, in Unix milliseconds."""
    return time.time_ns() // 1_000_000


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
