"""Redis: whether it answers, lets us do our work, keeps everything, has room, and tells our time."""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from bookings.about_redis import AboutRedis, mib
from bookings.connection import connect
from bookings.refusals import Refusal, named
from bookings.rehearsal import rehearse
from bookings.roles import ALL
from bookings.store import Store
from cli.checks.finding import Finding, right, warning, wrong
from config.redis_url import RedisKind
from config.settings import Settings

_REFUSALS = (AuthenticationError, NoPermissionError)
_OLDEST = (6, 2)
_MOST_SKEW_S = 1.0
_FULL, _NEARLY_FULL = 0.9, 0.75
_FSYNC = "CONFIG SET appendfsync always, and in its configuration file"
_SEE = "see its configuration, or ask those who run it"


async def redis(settings: Settings) -> list[Finding]:
    """Every line about Redis; only one where it does not answer. What it does not tell is a line, too."""
    client: Any = connect(settings.redis)
    try:
        looks: Sequence[Any] = await asyncio.gather(
            client.info(),
            rehearse(Store.of(settings, client), ALL),
            _ahead(client),
            _fsync(client),
            return_exceptions=True,
        )
    finally:
        await client.aclose()
    info, refused, ahead_s, fsync = looks
    about = AboutRedis.read({} if isinstance(info, BaseException) else info)
    if about.loading is not None:
        return [wrong("redis", f"{settings.redis.url} is {about.loading}", "wait, then check again")]
    if isinstance(refused, BaseException):
        return [_silent(settings, refused)]
    return [
        version({} if isinstance(info, BaseException) else info, str(settings.redis.url)),
        *_work(about, refused),
        *_role(about),
        _policy(about),
        *_persistence(about, fsync if isinstance(fsync, str) else ""),
        _memory(about),
        _clock(ahead_s),
    ]


async def _ahead(client: Any) -> float:
    """By how many seconds its clock is ahead of ours."""
    began = time.time()
    seconds, micros = await client.time()
    return float(seconds + micros / 1_000_000 - (began + time.time()) / 2)


async def _fsync(client: Any) -> str:
    """When the append-only file reaches the disk; empty where this user may not ask."""
    try:
        return str((await client.config_get("appendfsync")).get("appendfsync", ""))
    except ResponseError:  # an access list, or a Redis that somebody else manages
        return ""


def _silent(settings: Settings, error: BaseException) -> Finding:
    refusal = next((each for each in (error, error.__cause__) if isinstance(each, _REFUSALS)), None)
    if refusal is not None:  # a new connection's comes wrapped
        return wrong(
            "redis",
            f"{settings.redis.url} refuses us ({named(refusal)})",
            "see redis.username and redis.password, and what its access list grants this user",
        )
    remedy = "see redis.url; is it running, and reachable from here?"
    if settings.redis.url.kind is RedisKind.EMBEDDED:
        remedy = "it runs while `sequence-sync up` runs; start that, then check again"
    return wrong("redis", f"{settings.redis.url} does not answer ({named(error)})", remedy)


def version(info: Mapping[str, Any], url: str) -> Finding:
    """Which server this is, by its own word, and whether it is new enough."""
    about = AboutRedis.read(info)
    number = re.match(r"(\d+)\.(\d+)", about.redis_version or "")
    if number is None:
        return warning("redis version", f"{about.title} at {url} does not tell it", "use Redis 6.2 or newer")
    told = f"Redis {about.redis_version}"
    if about.title != "Redis":
        told = f"{about.title} {about.version or 'of a version it does not tell'}, compatible with {told}"
    if tuple(map(int, number.groups())) < _OLDEST:
        return wrong("redis version", told, "use Redis 6.2 or newer")
    if about.has_known_holes:
        remedy = "upgrade it; nothing, where its distributor has patched this version (Debian does so)"
        return warning("redis version", f"{told} has known holes (CVE-2025-49844)", remedy)
    return right("redis version", f"{told} at {url}")


def _work(about: AboutRedis, refused: Sequence[Refusal]) -> Iterator[Finding]:
    """Whether it lets receivers, workers and operators do their work."""
    told = [each for each in refused if not about.explains(each.word)]
    for each in told:
        yield (warning if each.is_a_hint else wrong)("redis scripts", each.what, each.remedy)
    if not refused:
        yield right("redis scripts", "run, with every command and on every kind of keys")
    if about.is_cluster and not any(each.is_of_clusters for each in refused):
        remedy = "use a Redis or Valkey without cluster mode"
        yield warning("redis scripts", "it runs in cluster mode, which is not supported", remedy)


def _role(about: AboutRedis) -> Iterator[Finding]:
    if about.is_replica:
        yield wrong(
            "redis role",
            f"a read-only replica of {about.primary}",
            "let redis.url name the primary, or the sentinels that know it",
        )
    if about.good_replicas == 0:
        yield wrong(
            "redis role",
            "none of the replicas is there that min-replicas-to-write asks for",
            "start them; nothing is stored before",
        )


def _policy(about: AboutRedis) -> Finding:
    if about.policy is None:
        return warning("redis eviction", "maxmemory-policy is not told", f"see that it is noeviction: {_SEE}")
    if about.policy == "noeviction":
        return right("redis eviction", "maxmemory-policy is noeviction")
    return wrong(
        "redis eviction",
        f"maxmemory-policy is {about.policy}: bookings may be dropped",
        "CONFIG SET maxmemory-policy noeviction, and in its configuration file",
    )


def _persistence(about: AboutRedis, fsync: str) -> Iterator[Finding]:
    subject = "redis persistence"
    if about.snapshot_is_written is False:
        yield warning("redis snapshot", "its last one could not be written", "look at its disk and its log")
    if about.keeps_file is None:
        remedy = f"see that it keeps one, and appendfsync always: {_SEE}"
        yield warning(subject, "whether it keeps an append-only file is not told", remedy)
    elif not about.keeps_file:
        yield warning(
            subject,
            "append-only file is off: a crash of Redis may lose bookings we confirmed",
            "CONFIG SET appendonly yes, and in its configuration file; appendfsync always to lose none",
        )
    elif about.file_is_written is False:
        yield wrong(subject, "the append-only file cannot be written", "look at the disk of Redis")
    elif not fsync:
        yield warning(
            subject,
            "append-only file is on; when it reaches the disk is not to be seen (CONFIG GET is refused)",
            "see that appendfsync is always",
        )
    elif fsync != "always":
        lost = "the bookings of its last second" if fsync == "everysec" else "bookings we confirmed"
        yield warning(subject, f"appendfsync is {fsync}: a crash of its machine may lose {lost}", _FSYNC)
    else:
        yield right(subject, "append-only file is on, on disk before each answer")


def _memory(about: AboutRedis) -> Finding:
    if about.used is None:
        return warning(
            "redis memory", "how much is used is not told", f"see that it does not get full: {_SEE}"
        )
    most = about.limit or about.machine_memory
    of = "maxmemory" if about.limit else "its machine's memory"
    if not most:
        return warning("redis memory", f"{mib(about.used)} used; of how much is not told", "set maxmemory")
    words = f"{mib(about.used)} of {mib(most)} used ({about.used / most:.0%} of {of})"
    if about.used < _NEARLY_FULL * most:
        return right("redis memory", words)
    remedy = "raise maxmemory, or shorten worker.keep_bookings; full, callbacks are answered 503"
    return (wrong if about.used >= _FULL * most else warning)("redis memory", words, remedy)


def _clock(ahead_s: float | BaseException) -> Finding:
    if isinstance(ahead_s, BaseException):
        return warning("redis clock", f"not told ({named(ahead_s)})", "see that it is synchronised (NTP)")
    return clock(ahead_s)


def clock(ahead_s: float) -> Finding:
    """Whether its clock, so many seconds ahead of ours, is near enough."""
    if abs(ahead_s) <= _MOST_SKEW_S:
        return right("redis clock", "agrees with this machine's")
    return wrong(
        "redis clock",
        f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's",
        "synchronise both clocks (NTP): workers go by Redis's, people read logs by their own",
    )
