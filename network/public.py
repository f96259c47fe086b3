"""Addresses of the public internet: what a callback may be passed on to without leave."""

import ipaddress
import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind a NAT64 (RFC 6052)

_NEVER_PUBLIC = tuple(
    ipaddress.ip_network(each)
    for each in (
        "fec0::/10",  # site-local (RFC 3879)
        "::/96",  # "IPv4-compatible" (RFC 4291)
        "::ffff:0:0:0/96",  # SIIT (RFC 2765)
        "64:ff9b:1::/48",  # a NAT64 for local use (RFC 8215)
    )
)
"""`ipaddress` calls some of it public, in some versions of Python; all of it may lead into a network."""


class PrivateAddressError(OSError):
    """An address, or a name that leads to such addresses only, that is none of the public internet."""


class PublicOnly(AbstractResolver):
    """Gives public addresses only, at the moment of connecting: a name may lead elsewhere by then."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolves a name. Raises `OSError`."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise PrivateAddressError
        return public

    async def close(self) -> None:
        """Ends."""
        await self._resolver.close()


def is_private_literal(host: str) -> bool:
    """Whether it is an IP address, and not a public one."""
    try:
        return not is_public(host)
    except ValueError:
        return False


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet, whatever it is wrapped in. Raises `ValueError`."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _NEVER_PUBLIC):
            return False
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast
