"""When a failed write is tried again. Pure: `decide(error, ...) -> Decision`."""

import msgspec

from workers.errors import CalendarError, ErrorClass

UNKNOWN_OUTCOME_S = 2.0
"""Least wait before looking what became of a request whose answer was lost."""
PARK_S = 3600.0
"""How long a parked write waits before it is tried again, if nothing wakes it before."""


class Policy(msgspec.Struct, frozen=True):
    """Seconds: the first wait at most, any wait at most unless we are asked for longer, and how long a write
    may fail or wait.
    """

    base: float
    cap: float
    retry_for: float


class Decision(msgspec.Struct, frozen=True):
    """What follows a failure: `wait_s` seconds until the next attempt, or None for a dead letter."""

    wait_s: float | None
    parked: bool = False


def decide(
    error: CalendarError, *, tries: int, failing_for_s: float, policy: Policy, jitter: float
) -> Decision:
    """Gives what follows the `tries`-th failure in a row of a write.

    Args:
        error: the failure.
        tries: how many failures in a row, this one included.
        failing_for_s: seconds since the first of them, or since the write began to wait.
        policy: the limits.
        jitter: a random number from 0 to 1 (full jitter: the wait is anything up to the exponential bound).
    """
    if error.error_class is ErrorClass.PERMANENT:
        return Decision(wait_s=None)
    left_s = policy.retry_for - failing_for_s
    if left_s <= 0:
        return Decision(wait_s=None)
    if error.error_class in (ErrorClass.PARK, ErrorClass.AUTH):
        wait = (PARK_S if error.error_class is ErrorClass.PARK else policy.cap) * (0.5 + jitter / 2)
        return Decision(wait_s=min(wait, max(left_s, policy.base)), parked=True)  # a last try at the end
    bound = min(policy.cap, policy.base * 2 ** min(tries - 1, 30))
    wait = bound * jitter
    if error.retry_after is not None:
        wait = max(error.retry_after, policy.base) + policy.base * jitter
    if error.unknown:
        wait = max(wait, UNKNOWN_OUTCOME_S)
    return Decision(wait_s=wait)
