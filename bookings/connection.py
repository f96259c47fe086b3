"""Connections to Redis, made from the settings."""

from typing import Any

from redis.asyncio import (
    BlockingConnectionPool,
    ConnectionPool,
    Redis,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bookings.embedded import socket_path
from config.redis_url import RedisKind
from config.sections import RedisSettings

ANSWER_TIMEOUT_S = 5
CONNECT_TIMEOUT_S = 2


def connection_pool(settings: RedisSettings, *, connections: int, retries: int) -> ConnectionPool:
    """Gives a pool that waits for a free connection instead of failing.

    Args:
        settings: the `[redis]` section.
        connections: the most that are open at once.
        retries: how often a command is sent again after a lost connection. The receiver asks for 0: where an
            outcome is unknown it says so with 503, and the sender repeats.
    """
    backoff = ExponentialBackoff(cap=0.5, base=0.02) if retries else NoBackoff()
    username, password = settings.credentials()
    options: dict[str, Any] = {
        "db": settings.url.db,
        "username": username,
        "password": password,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "retry": Retry(backoff, retries),
        "retry_on_error": [RedisConnectionError, RedisTimeoutError] if retries else [],
        "max_connections": connections,
    }
    url = settings.url
    if url.kind is RedisKind.SENTINEL:
        sentinel = Sentinel(list(url.hosts), socket_timeout=CONNECT_TIMEOUT_S)
        return SentinelConnectionPool(url.master, sentinel, **options)
    if url.kind is RedisKind.SERVER:
        [(options["host"], options["port"])] = url.hosts
        if url.tls:
            options["connection_class"] = SSLConnection
            options["ssl_ca_certs"] = str(settings.ca_file) if settings.ca_file else None
    else:
        options["connection_class"] = UnixDomainSocketConnection
        options["path"] = url.path or str(socket_path(settings.data_dir))
    return BlockingConnectionPool(timeout=ANSWER_TIMEOUT_S, **options)


def connect(settings: RedisSettings, *, connections: int = 32, retries: int = 0) -> Redis:
    """Gives a client over a pool of its own; `aclose()` ends both."""
    pool = connection_pool(settings, connections=connections, retries=retries)
    return Redis.from_pool(pool)
