"""Whether a process lives and whether it should be sent work."""

import time
from collections.abc import Callable

from redis.exceptions import RedisError

from bookings.store import Store

_POLICY_AGE_S = 30.0


class Health:
    """Answers `/livez` and `/readyz` for one process.

    Args:
        store: the record whose Redis must be reachable and keep everything.
        last_turn: gives the monotonic time at which the process last did its round (a worker's poll);
            None for a process whose answering is sign of life enough.
        turn_within_s: how old that may be.
    """

    def __init__(
        self, store: Store, *, last_turn: Callable[[], float] | None = None, turn_within_s: float = 30.0
    ) -> None:
        self.store = store
        self.draining = False
        self._last_turn = last_turn
        self._turn_within_s = turn_within_s
        self._policy = ""
        self._policy_at = float("-inf")

    def problems_alive(self) -> list[str]:
        """What makes the process worth restarting."""
        if self._last_turn is not None:
            age = time.monotonic() - self._last_turn()
            if age > self._turn_within_s:
                return [f"the queue was last polled {age:.0f} s ago"]
        return []

    async def problems_ready(self) -> list[str]:
        """What keeps the process from doing its work."""
        problems = ["draining"] if self.draining else []
        try:
            if time.monotonic() - self._policy_at > _POLICY_AGE_S:
                memory = await self.store.redis.info("memory")
                self._policy, self._policy_at = str(memory["maxmemory_policy"]), time.monotonic()
            else:
                await self.store.redis.ping()
        except (RedisError, OSError) as error:
            self._policy_at = float("-inf")
            return [*problems, f"Redis does not answer ({type(error).__name__})"]
        if self._policy != "noeviction":
            problems.append(
                f"Redis may drop bookings: maxmemory-policy is {self._policy}; set it to noeviction"
            )
        return problems
