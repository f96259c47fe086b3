"""Whether a process lives and whether it should be sent work."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from redis.exceptions import RedisError

from bookings.clock import now_ms
from bookings.patience import in_time
from bookings.store import Store

REDIS_WITHIN_S = 0.8
"""Below the second that a kubelet waits for a probe: an answer in words, not a probe that timed out."""

_MOST_APART_S = 5.0
"""So far apart two clocks may be: `check` is stricter, the alert as strict."""


class Verdict(msgspec.Struct, frozen=True):
    """What a look at a process came to."""

    problems: list[str]
    """What keeps it from doing its work."""
    warnings: list[str]
    """What it works with all the same, and should not have to."""
    redis_safe: bool | None
    """Whether Redis keeps everything that it is given; None where it does not say."""


class Health:
    """Answers `/livez` and `/readyz` for one process.

    Args:
        store: the record whose Redis must be reachable and keep everything.
        last_turn: gives the monotonic time at which the process last did its round (a worker's poll);
            None for a process whose answering is sign of life enough.
        turn_within_s: how old that may be.
        clock: this machine's, in Unix milliseconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        last_turn: Callable[[], float] | None = None,
        turn_within_s: float = 30.0,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.store = store
        self.draining = False
        self._last_turn = last_turn
        self._turn_within_s = turn_within_s
        self._clock = clock

    def problems_alive(self) -> list[str]:
        """What makes the process worth restarting."""
        if self._last_turn is not None:
            age = time.monotonic() - self._last_turn()
            if age > self._turn_within_s:
                return [f"the queue was last polled {age:.0f} s ago"]
        return []

    async def look(self) -> Verdict:
        """Looks at the process and asks Redis about itself, for less than a second."""
        problems = ["draining"] if self.draining else []
        try:
            info = await in_time(self.store.redis.info(), within_s=REDIS_WITHIN_S)
        except (RedisError, OSError) as error:
            return Verdict([*problems, f"Redis does not answer ({type(error).__name__})"], [], None)
        of_redis, warnings = _problems_of_redis(info), _warnings_of_redis(info)
        told = [*warnings, *_clock_warnings(info, self._clock())]
        return Verdict(problems + of_redis, told, redis_safe=not of_redis and not warnings)

    async def problems_ready(self) -> list[str]:
        """What keeps the process from doing its work."""
        return (await self.look()).problems


def _problems_of_redis(info: Mapping[str, Any]) -> list[str]:
    """What of Redis's own account of itself keeps bookings from being stored, or from being kept."""
    if info["loading"]:
        return ["Redis is still loading its data; wait"]
    problems = []
    if info["role"] != "master":
        problems.append(
            f"Redis is a read-only replica of {info['master_host']}:{info['master_port']}; "
            "let redis.url name the primary, or the sentinels that know it"
        )
    if info["maxmemory_policy"] != "noeviction":
        problems.append(
            f"Redis may drop bookings: maxmemory-policy is {info['maxmemory_policy']}; set it to noeviction"
        )
    if 0 < info["maxmemory"] < info["used_memory"] - info.get("mem_not_counted_for_evict", 0):
        problems.append(
            f"Redis is out of memory: {info['used_memory_human']} of {info['maxmemory_human']} are used; "
            "raise maxmemory"
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        problems.append("Redis cannot write its append-only file; look at its disk")
    if info.get("min_slaves_good_slaves") == 0:
        problems.append("Redis has none of the replicas that its min-replicas-to-write asks for")
    return problems


def _warnings_of_redis(info: Mapping[str, Any]) -> list[str]:
    """What may lose bookings one day, although Redis takes them."""
    if info.get("aof_enabled", 1):
        return []
    return [
        "Redis keeps no append-only file: a crash of it may lose confirmed bookings; set appendonly to yes"
    ]


def _clock_warnings(info: Mapping[str, Any], ours_ms: int) -> list[str]:
    """That the clocks are apart, where Redis tells its own: revisions are reckoned by that."""
    ahead_s = (info.get("server_time_usec", ours_ms * 1000) / 1000 - ours_ms) / 1000
    if abs(ahead_s) <= _MOST_APART_S:
        return []
    way = "ahead of" if ahead_s > 0 else "behind"
    return [f"Redis' clock is {abs(ahead_s):.0f} s {way} this machine's; synchronise both (NTP)"]
