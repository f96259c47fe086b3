"""Redis: whether it answers, keeps everything, has room, and tells our time."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from bookings.connection import connect
from cli.checks.finding import Finding, right, warning, wrong
from config.redis_url import RedisKind
from config.settings import Settings

_REFUSALS = (AuthenticationError, NoPermissionError)
_OLDEST = (6, 2)
_MOST_SKEW_S = 1.0
_FULL, _NEARLY_FULL = 0.9, 0.75
_FSYNC = "CONFIG SET appendfsync always, and in its configuration file"


async def redis(settings: Settings) -> list[Finding]:
    """Every line about Redis; only one where it does not answer."""
    client: Any = connect(settings.redis)
    try:
        info = await client.info()
        began = time.time()
        seconds, micros = await client.time()
        ours = (began + time.time()) / 2
        fsync = await _fsync(client)
    except (RedisError, OSError) as error:
        return [_silent(settings, error)]
    finally:
        await client.aclose()
    theirs = seconds + micros / 1_000_000
    return [
        version(info, str(settings.redis.url)),
        *_role(info),
        _policy(info),
        *_persistence(info, fsync),
        _memory(info),
        clock(theirs - ours),
    ]


async def _fsync(client: Any) -> str:
    """When the append-only file reaches the disk; empty where this user may not ask."""
    try:
        return str((await client.config_get("appendfsync")).get("appendfsync", ""))
    except ResponseError:  # an access list, or a Redis that somebody else manages
        return ""


def _silent(settings: Settings, error: Exception) -> Finding:
    refusal = next((each for each in (error, error.__cause__) if isinstance(each, _REFUSALS)), None)
    if refusal is not None:  # a new connection's comes wrapped
        return wrong(
            "redis",
            f"{settings.redis.url} refuses us ({type(refusal).__name__})",
            "see redis.username and redis.password, and what its access list grants this user",
        )
    remedy = "see redis.url; is it running, and reachable from here?"
    if settings.redis.url.kind is RedisKind.EMBEDDED:
        remedy = "it runs while `sequence-sync up` runs; start that, then check again"
    return wrong("redis", f"{settings.redis.url} does not answer ({type(error).__name__})", remedy)


def version(info: Mapping[str, Any], url: str) -> Finding:
    """Whether this Redis is new enough."""
    number = str(info["redis_version"])
    if tuple(int(each) for each in number.split(".")[:2]) < _OLDEST:
        return wrong("redis version", number, "use Redis 6.2 or newer")
    return right("redis version", f"{number} at {url}")


def _role(info: Mapping[str, Any]) -> Iterator[Finding]:
    if info["role"] != "master":
        yield wrong(
            "redis role",
            f"a read-only replica of {info['master_host']}:{info['master_port']}",
            "let redis.url name the primary, or the sentinels that know it",
        )
    if info.get("min_slaves_good_slaves") == 0:
        yield wrong(
            "redis role",
            "none of the replicas is there that min-replicas-to-write asks for",
            "start them; nothing is stored before",
        )


def _policy(info: Mapping[str, Any]) -> Finding:
    policy = info["maxmemory_policy"]
    if policy == "noeviction":
        return right("redis eviction", "maxmemory-policy is noeviction")
    return wrong(
        "redis eviction",
        f"maxmemory-policy is {policy}: bookings may be dropped",
        "CONFIG SET maxmemory-policy noeviction, and in its configuration file",
    )


def _persistence(info: Mapping[str, Any], fsync: str) -> Iterator[Finding]:
    subject = "redis persistence"
    if not info.get("aof_enabled"):
        yield warning(
            subject,
            "append-only file is off: a crash of Redis may lose bookings we confirmed",
            "CONFIG SET appendonly yes, and in its configuration file; appendfsync always to lose none",
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
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


def _memory(info: Mapping[str, Any]) -> Finding:
    used = info["used_memory"] - info.get("mem_not_counted_for_evict", 0)
    most = info["maxmemory"] or info.get("total_system_memory", 0)
    of = "maxmemory" if info["maxmemory"] else "its machine's memory"
    if not most:
        return warning("redis memory", f"{_mib(used)} used; of how much is not told", "set maxmemory")
    words = f"{_mib(used)} of {_mib(most)} used ({used / most:.0%} of {of})"
    if used < _NEARLY_FULL * most:
        return right("redis memory", words)
    remedy = "raise maxmemory, or shorten worker.keep_bookings; full, callbacks are answered 503"
    return (wrong if used >= _FULL * most else warning)("redis memory", words, remedy)


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def clock(ahead_s: float) -> Finding:
    """Whether its clock, so many seconds ahead of ours, is near enough."""
    if abs(ahead_s) <= _MOST_SKEW_S:
        return right("redis clock", "agrees with this machine's")
    return wrong(
        "redis clock",
        f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's",
        "synchronise both clocks (NTP): retries are due by Redis's, picked by ours",
    )
