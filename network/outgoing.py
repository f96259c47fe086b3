"""What all requests to others are made with: one way out for each process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from ssl import SSLContext
from typing import Self

import aiohttp
import requests
from yarl import URL

from config.network import NetworkSettings, Proxy
from network.blocking import session_of
from network.certificates import context_of
from network.proxies import Proxies, login_header
from network.public import PrivateAddressError, PublicOnly, is_private_literal
from network.refusals import Refusal, Unreached, unreached

_LOOK_UP_S = 3.0
"""How long a name is looked up here before the proxy is asked for it."""


class Outgoing:
    """Requests to others, through the proxy that is theirs, with the authorities that this process trusts.

    Connections are made at the first request, and belong to the loop that makes it.

    Args:
        settings: the proxy, its exceptions, the authorities.
        public_only: reaches nothing private, but for a proxy, which may be. A name that this machine cannot
            resolve is left to the proxy, which then has to refuse private addresses itself.
    """

    def __init__(self, settings: NetworkSettings, *, public_only: bool = False) -> None:
        self._settings = settings
        self._proxies = Proxies(settings)
        self._public_only = public_only
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def apart(self, *, public_only: bool) -> "Outgoing":
        """The same way out, over connections of its own."""
        return Outgoing(self._settings, public_only=public_only)

    def proxy_of(self, url: str) -> Proxy | None:
        """The proxy for this address; None where it is reached directly."""
        return self._proxies.of(url)

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float,
        ca_file: Path | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Sends one request, and gives its answer; a redirect is an answer, too.

        Args:
            method: GET, POST and so on.
            url: the address; a text is taken as it is, with nothing quoted in it.
            headers: what is sent beside the usual ones.
            body: what is sent, if anything.
            timeout_s: how long the whole of it may take, reading the answer included.
            ca_file: an authority that is trusted in addition, for this request.

        Raises:
            Unreached: no whole answer came, or none by the other side; also out of what reads it.
            ConfigError: a secret or a file that the configuration names cannot be read.
        """
        target = URL(url, encoded=True) if isinstance(url, str) else url
        proxy = self._proxies.of(str(target))
        login = login_header(proxy)
        tunnelled = target.scheme == "https"
        try:
            if self._public_only:
                await _see_public(target.host or "", proxied=proxy is not None)
            async with self._opened(public_only=self._public_only and proxy is None).request(
                method,
                target,
                data=body,
                headers={**(headers or {}), **({} if tunnelled else login)},
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                proxy=URL(proxy.url) if proxy else None,
                proxy_headers=login if tunnelled and login else None,
                ssl=self.context(ca_file),
                allow_redirects=False,
            ) as response:
                if proxy and response.status == 407:
                    raise Unreached(Refusal.PROXY_LOGIN_REQUIRED, sent=False)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreached(error, proxied=proxy is not None) from None

    def context(self, ca_file: Path | None = None) -> SSLContext:
        """The TLS context, with an account's own authorities in addition. Raises `ConfigError`."""
        return context_of((*self._settings.authorities, *([ca_file] if ca_file else [])))

    def blocking(self, *, timeout_s: float, ca_file: Path | None = None) -> requests.Session:
        """The same for libraries that block: google-auth and msal. Its owner closes it."""
        return session_of(self._proxies, self.context(ca_file), timeout_s=timeout_s)

    def _opened(self, *, public_only: bool) -> aiohttp.ClientSession:
        if public_only not in self._sessions:
            resolver = PublicOnly() if public_only else aiohttp.ThreadedResolver()
            self._sessions[public_only] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, resolver=resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._sessions[public_only]


async def _see_public(host: str, *, proxied: bool) -> None:
    """Refuses a private address, and before a proxy a name that leads to no other. Raises `OSError`."""
    if is_private_literal(host):
        raise PrivateAddressError
    if proxied:
        with suppress(socket.gaierror, TimeoutError):  # the proxy may know better
            async with asyncio.timeout(_LOOK_UP_S):
                await PublicOnly().resolve(host)
