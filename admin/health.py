"""Whether a process lives and whether it should be sent work."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from redis.exceptions import BusyLoadingError

from bookings.about_redis import AboutRedis, mib
from bookings.clock import now_ms
from bookings.patience import in_time
from bookings.refusals import Refusal, named
from bookings.rehearsal import rehearse
from bookings.roles import RECEIVER, Role
from bookings.store import Store

REDIS_WITHIN_S = 0.8
"""Below the second that a kubelet waits for a probe: an answer in words, not a probe that timed out."""

_NO_FILE = "Redis keeps no append-only file: a crash of it may lose confirmed bookings; set appendonly to yes"
_UNTOLD = "Redis does not tell {}: see in its configuration that it keeps everything"
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
        store: the record whose Redis must be reachable, let the process work and keep everything.
        role: what the process does with Redis.
        last_turn: gives the monotonic time at which the process last did its round (a worker's poll);
            None for a process whose answering is sign of life enough.
        turn_within_s: how old that may be.
        clock: this machine's, in Unix milliseconds.
    """

    def __init__(
        self,
        store: Store,
        role: Role = RECEIVER,
        *,
        last_turn: Callable[[], float] | None = None,
        turn_within_s: float = 30.0,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.store = store
        self._role = role
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
        """Looks at the process, and at Redis: what it says of itself, and what it lets the process do.

        Less than a second; where one of the two fails, the other is told all the same.
        """
        problems = ["draining"] if self.draining else []
        info, refused = await self._asked()
        about = AboutRedis.read({} if isinstance(info, BaseException) else info)
        if about.loading is not None or isinstance(refused, BusyLoadingError):
            progress = [f"Redis is {about.loading}"] if about.loading else []
            return Verdict([*problems, "Redis is still loading its data; wait"], progress, None)
        if isinstance(refused, BaseException):
            return Verdict([*problems, f"Redis does not answer ({named(refused)})"], [], None)
        of_redis = [*_problems(about), *_refused(refused, about)]
        untold = (
            [_UNTOLD.format(f"of itself (INFO: {named(info)})")] if isinstance(info, BaseException) else []
        )
        warnings = [*(untold or _warnings(about, refused)), *_hints(refused)]
        safe = not of_redis and not warnings if of_redis or not about.unknown else None
        return Verdict(problems + of_redis, [*warnings, *_clock_warnings(about, self._clock())], safe)

    async def _asked(self) -> tuple[Mapping[str, Any] | BaseException, list[Refusal] | BaseException]:
        looks: tuple[Any, list[Refusal] | BaseException] = await asyncio.gather(
            in_time(self.store.redis.info(), within_s=REDIS_WITHIN_S),
            in_time(rehearse(self.store, self._role), within_s=REDIS_WITHIN_S),
            return_exceptions=True,
        )
        return looks

    async def problems_ready(self) -> list[str]:
        """What keeps the process from doing its work."""
        return (await self.look()).problems


def _problems(about: AboutRedis) -> Iterator[str]:
    """What of Redis's own account of itself keeps bookings from being stored, or from being kept."""
    if about.is_replica:
        yield (
            f"Redis is a read-only replica of {about.primary}; "
            "let redis.url name the primary, or the sentinels that know it"
        )
    if about.policy not in (None, "noeviction"):
        yield f"Redis may drop bookings: maxmemory-policy is {about.policy}; set it to noeviction"
    if about.is_full:
        yield f"Redis is out of memory: {mib(about.used)} of {mib(about.limit)} are used; raise maxmemory"
    if about.file_is_written is False:
        yield "Redis cannot write its append-only file; look at its disk"
    if about.good_replicas == 0:
        yield "Redis has none of the replicas that its min-replicas-to-write asks for"


def _refused(refused: Iterable[Refusal], about: AboutRedis) -> Iterator[str]:
    """What Redis does not let the process do, where its own account does not say why already."""
    for each in refused:
        if not each.is_a_hint and not about.explains(each.word):
            yield f"{each.what}; {each.remedy}"


def _hints(refused: Iterable[Refusal]) -> Iterator[str]:
    for each in refused:
        if each.is_a_hint:
            yield f"Workers find jobs at their next poll only: {each.what}; {each.remedy}"


def _warnings(about: AboutRedis, refused: Iterable[Refusal]) -> Iterator[str]:
    """What may lose bookings one day, although Redis takes them."""
    if about.keeps_file is False:
        yield _NO_FILE
    if about.snapshot_is_written is False and "MISCONF" not in {each.word for each in refused}:
        yield "Redis could not write its last snapshot; look at its disk and its log"
    if about.is_cluster and not any(each.is_of_clusters for each in refused):
        yield "Redis runs in cluster mode, which is not supported; use one without"
    if about.unknown:
        yield _UNTOLD.format(" or ".join(about.unknown))


def _clock_warnings(about: AboutRedis, ours_ms: int) -> Iterator[str]:
    """That the clocks are apart, where Redis tells its own: revisions are reckoned by that."""
    ahead_s = 0.0 if about.clock_ms is None else (about.clock_ms - ours_ms) / 1000
    if abs(ahead_s) > _MOST_APART_S:
        way = "ahead of" if ahead_s > 0 else "behind"
        yield f"Redis' clock is {abs(ahead_s):.0f} s {way} this machine's; synchronise both (NTP)"
