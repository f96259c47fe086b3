"""Connections to Redis, made from the settings."""

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import Any

from redis.asyncio import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    Redis,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bookings.embedded import socket_path
from config.redis_url import RedisKind
from config.sections import RedisSettings

ANSWER_TIMEOUT_S = 5
CONNECT_TIMEOUT_S = 2
SENTINEL_TIMEOUT_S = 0.5
"""For each sentinel: they are asked one after the other, and one that is gone holds up every connection."""


def connection_pool(settings: RedisSettings, *, connections: int, retries: int) -> ConnectionPool:
    """Gives a pool that waits for a free connection instead of failing.

    Args:
        settings: the `[redis]` section.
        connections: the most that are open at once.
        retries: how often a command is sent again after a lost connection. The receiver asks for 0: where an
            outcome is unknown it says so with 503, and the sender repeats.
    """
    backoff = ExponentialBackoff(cap=0.5, base=0.02) if retries else NoBackoff()
    options: dict[str, Any] = {
        "db": settings.url.db,
        "credential_provider": _Credentials(settings.credentials),
        "socket_timeout": ANSWER_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "retry": Retry(backoff, retries),
        "retry_on_error": [RedisConnectionError, RedisTimeoutError] if retries else [],
        "max_connections": connections,
    }
    url = settings.url
    if url.tls:
        options["ssl_ca_certs"] = str(settings.ca_file) if settings.ca_file else None
    if url.kind is RedisKind.SENTINEL:
        return _SentinelPool(
            timeout=ANSWER_TIMEOUT_S,
            connection_class=_TlsSentinelManaged if url.tls else _SentinelManaged,
            service_name=url.master,
            sentinel_manager=_sentinels(settings),
            **options,
        )
    if url.kind is RedisKind.SERVER:
        [(options["host"], options["port"])] = url.hosts
        options["connection_class"] = _Tls if url.tls else TcpConnection
    else:
        options["connection_class"] = _Unix
        options["path"] = url.path or str(socket_path(settings.data_dir))
    return BlockingConnectionPool(timeout=ANSWER_TIMEOUT_S, **options)


def _sentinels(settings: RedisSettings) -> Sentinel:
    options: dict[str, Any] = {
        "socket_timeout": SENTINEL_TIMEOUT_S,
        "credential_provider": _Credentials(settings.sentinel_credentials),
    }
    if settings.url.tls:
        options |= {"ssl": True, "ssl_ca_certs": str(settings.ca_file) if settings.ca_file else None}
    return Sentinel(list(settings.url.hosts), sentinel_kwargs=options)


def connect(settings: RedisSettings, *, connections: int = 32, retries: int = 0) -> Redis:
    """Gives a client over a pool of its own; `aclose()` ends both."""
    pool = connection_pool(settings, connections=connections, retries=retries)
    return Redis.from_pool(pool)


class _Credentials(CredentialProvider):
    """User and password as they stand when a connection is made: a rotated secret needs no restart."""

    def __init__(self, read: Callable[[], tuple[str | None, str | None]]) -> None:
        self._read = read

    def get_credentials(self) -> Any:
        username, password = self._read()
        if username:
            return username, password or ""
        return (password,) if password else ()

    async def get_credentials_async(self) -> Any:
        return self.get_credentials()


class OurConnection(AbstractConnection):
    """Reads answers one by one or in groups; ends with the first refusal to write.

    Its server is a replica then, and the address may lead elsewhere: a connection outlives the change of a
    primary's role, of a DNS name and of a proxy's target.
    """

    _is_late = False

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """Reads one answer. Raises what Redis refuses."""
        try:
            return await super().read_response(*args, **kwargs)
        except ResponseError as error:
            if not _is_read_only(error):
                raise
            await self.disconnect(nowait=True)
            raise ReadOnlyError(_REPLICA) from None

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        """Sends; a connection that was closed a moment ago is one that is lost.

        uvloop says so by a RuntimeError, as where a proxy accepts and has no Redis behind it.
        """
        try:
            await super().send_packed_command(*args, **kwargs)
        except RuntimeError:
            await self.disconnect(nowait=True)
            raise RedisConnectionError("the connection was closed") from None

    async def exchange(self, packed: bytes, count: int) -> list[Any]:
        """Sends so many commands and reads their answers; a refusal stands in its command's place.

        One time limit for all: redis-py sets one for each, which takes longer than to read it. So does
        `asyncio.timeout`, which asks for the current task and with it for the process.
        """
        if not self.is_connected:
            await self.connect()  # type: ignore[no-untyped-call]
        parser: Any = self._parser  # redis-py's base class does not say what all of its parsers can
        assert self._writer is not None
        self._is_late = False
        late = self._loop.call_later(self.socket_timeout or ANSWER_TIMEOUT_S, self._give_up)
        try:
            self._writer.write(packed)
            await self._writer.drain()
            answers = [await parser.read_response() for _ in range(count)]
        except (OSError, RuntimeError, RedisConnectionError) as error:  # RuntimeError: as below
            await self.disconnect(nowait=True)
            if self._is_late:
                raise RedisTimeoutError("no answer in time") from None
            if isinstance(error, (OSError, RuntimeError)):
                raise RedisConnectionError(type(error).__name__) from None
            raise
        except BaseException:
            await self.disconnect(nowait=True)
            raise
        finally:
            late.cancel()
        for place, answer in enumerate(answers):
            if isinstance(answer, ResponseError):
                if _is_last(answer):
                    await self.disconnect(nowait=True)
                if _is_read_only(answer):
                    answers[place] = ReadOnlyError(_REPLICA)
        return answers

    def _give_up(self) -> None:
        self._is_late = True
        if self._writer is not None:
            self._writer.transport.abort()


_REPLICA = "the Redis we write to is a read-only replica"


def _is_last(error: ResponseError) -> bool:
    """Whether nothing more is to be had over this connection: Redis ends it after what is no command to it.

    So it calls, since 6.2.6, a long command of a client that gave no password.
    """
    return _is_read_only(error) or str(error).startswith("Protocol error")


def _is_read_only(error: ResponseError) -> bool:
    """Redis before version 7 says so in the middle of a script's error, where redis-py does not look."""
    return isinstance(error, ReadOnlyError) or "-READONLY " in str(error)


class TcpConnection(OurConnection, Connection):
    """Over TCP, without TLS."""


class _Tls(OurConnection, SSLConnection):
    pass


class _Unix(OurConnection, UnixDomainSocketConnection):
    pass


class _SentinelManaged(OurConnection, SentinelManagedConnection):
    pass


class _TlsSentinelManaged(OurConnection, SentinelManagedSSLConnection):
    pass


class _SentinelPool(BlockingConnectionPool, SentinelConnectionPool):
    """Waits for a free connection, as the other pool does; redis-py's own for Sentinel fails at once."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:  # the end of all; redis-py leaves the connections to the sentinels open
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()
