"""The company's own addresses that callbacks are passed on to: one POST, and what its answer means."""

import ipaddress
import socket
from collections import Counter
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bookings.record import Forward
from workers.errors import CalendarError, ErrorClass
from workers.retry_after import retry_after
from workers.trail import request_trail

_PASSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind a NAT64 (RFC 6052)


class Endpoints:
    """Posts callbacks, over connections of its own: none to a private address without leave.

    Args:
        timeout_s: how long one request may take.
        at_a_time: requests under way to one address; for more, `is_full` says so.
    """

    def __init__(self, *, timeout_s: float, at_a_time: int) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._at_a_time = at_a_time
        self._under_way: Counter[str] = Counter()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def is_full(self, url: str) -> bool:
        """Whether as many requests are under way to an address as may be."""
        return self._under_way[url] >= self._at_a_time

    async def post(self, url: str, forward: Forward, *, delivery: str, private: bool) -> None:
        """Passes a callback on, byte for byte. Raises `CalendarError`.

        PERMANENT where the same request cannot succeed: refused by the address, led elsewhere, or to a
        private network without leave (`private`). TRANSIENT where it fails, does not answer, or asks to wait.
        """
        target = URL(url, encoded=True)
        if not private and _is_private_literal(target.host or ""):
            raise _private()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Cronofy-HMAC-SHA256": forward.signature,
            "Sequence-Sync-Delivery": delivery,
            "User-Agent": "sequence-sync",
        }
        self._under_way[url] += 1
        try:
            with request_trail("POST", url) as request:
                async with self._session(private=private).post(
                    target, data=forward.body, headers=headers, timeout=self._timeout, allow_redirects=False
                ) as response:
                    request.note({"http.response.status_code": response.status})
                    _raise_for(response)
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, _PrivateError):
                raise _private() from None
            raise CalendarError(ErrorClass.TRANSIENT, "unknown_host") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CalendarError(ErrorClass.TRANSIENT, type(error).__name__) from None
        except ValueError as error:  # no address, or no header, that HTTP can carry
            raise CalendarError(ErrorClass.PERMANENT, type(error).__name__) from None
        finally:
            self._under_way[url] -= 1

    async def aclose(self) -> None:
        """Closes the connections."""
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, private: bool) -> aiohttp.ClientSession:
        if private not in self._sessions:
            resolver = aiohttp.ThreadedResolver()
            connector = aiohttp.TCPConnector(limit=0, resolver=resolver if private else _Public(resolver))
            self._sessions[private] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._sessions[private]


def _private() -> CalendarError:
    return CalendarError(ErrorClass.PERMANENT, "private_address")


def _raise_for(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if 200 <= status < 300:
        return
    if status >= 500 or status in _PASSES:
        raise CalendarError(
            ErrorClass.TRANSIENT,
            f"status {status}",
            retry_after=retry_after(response.headers),
        )
    code = "redirect_not_followed" if 300 <= status < 400 else f"status {status}"
    raise CalendarError(ErrorClass.PERMANENT, code)


class _PrivateError(OSError):
    """A name that leads to private addresses only."""


class _Public(AbstractResolver):
    """Gives public addresses only, at the moment of connecting: a name may lead elsewhere by then."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolves a name. Raises `OSError`."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise _PrivateError
        return public

    async def close(self) -> None:
        """Ends."""
        await self._resolver.close()


def _is_private_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_public(host)


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet, whatever it is wrapped in."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast
