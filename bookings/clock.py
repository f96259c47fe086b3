"""The clock that everything in Redis is stamped by, as far as Redis does not do it itself."""

import time


def now_ms() -> int:
    """Now, in Unix milliseconds."""
    return time.time_ns() // 1_000_000
