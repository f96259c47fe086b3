"""What it means that no answer came: one closed vocabulary for the exceptions of aiohttp and of requests."""

import re
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum

import aiohttp
import requests
import urllib3

from network.public import PrivateAddressError


class Refusal(StrEnum):
    """Why a request got no answer from the other side; `network.advice` has words and a remedy for each."""

    PROXY_LOGIN_REQUIRED = "proxy_login_required"
    PROXY_REFUSED = "proxy_refused"
    PROXY_UNREACHABLE = "proxy_unreachable"
    CERTIFICATE_UNKNOWN_AUTHORITY = "certificate_unknown_authority"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_OTHER_NAME = "certificate_other_name"
    CERTIFICATE_REFUSED = "certificate_refused"
    TLS_FAILED = "tls_failed"
    UNKNOWN_HOST = "unknown_host"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"
    CONNECTION_LOST = "connection_lost"
    TIMED_OUT = "timed_out"
    PRIVATE_ADDRESS = "private_address"
    UNREADABLE_ANSWER = "unreadable_answer"


class Unreached(Exception):
    """No whole answer came.

    Attributes:
        code: why.
        sent: whether the request may have reached the other side all the same.
    """

    def __init__(self, code: Refusal, *, sent: bool) -> None:
        super().__init__(str(code))
        self.code = code
        self.sent = sent


_VERIFY_CODES = {  # OpenSSL's X509_V_ERR_…
    **dict.fromkeys((2, 18, 19, 20, 21), Refusal.CERTIFICATE_UNKNOWN_AUTHORITY),
    **dict.fromkeys((9, 10), Refusal.CERTIFICATE_EXPIRED),
    **dict.fromkeys((62, 63, 64), Refusal.CERTIFICATE_OTHER_NAME),
}
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    PrivateAddressError,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
)
_OF_PROXIES = (
    aiohttp.ClientProxyConnectionError,
    requests.exceptions.ProxyError,
    urllib3.exceptions.ProxyError,
)
_UNREADABLE = (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, requests.exceptions.InvalidJSONError)


_INNER = ("os_error", "certificate_error", "reason", "original_error")
"""Where the libraries keep what an exception was made of, beside its arguments and its cause."""


def unreached(error: BaseException, *, proxied: bool = False) -> Unreached:
    """What an exception of either library says.

    Args:
        error: it, or what google-auth made of it.
        proxied: whether the request went to a proxy. For aiohttp a proxy's name that nobody knows is a name
            like any other.
    """
    causes = list(_causes(error))
    sent = not any(isinstance(each, _NOT_SENT) for each in causes)
    proxied = proxied and any(isinstance(each, aiohttp.ClientConnectorError) for each in causes)
    of_proxy = proxied or any(isinstance(each, _OF_PROXIES) for each in causes)
    return Unreached(_refusal(causes, of_proxy=of_proxy), sent=sent)


def _refusal(causes: list[BaseException], *, of_proxy: bool) -> Refusal:
    for each in causes:
        match each:
            case ssl.SSLCertVerificationError(verify_code=code) if code:  # aiohttp's own has none
                return _VERIFY_CODES.get(code, Refusal.CERTIFICATE_REFUSED)
            case aiohttp.ClientHttpProxyError(status=status):
                return _of_status(status)
            case OSError() if tunnel := _TUNNEL.search(str(each)):
                return _of_status(int(tunnel[1]))
    if any(isinstance(each, ssl.SSLError) and not _is_end(each) for each in causes):
        return Refusal.TLS_FAILED
    if of_proxy:
        return Refusal.PROXY_UNREACHABLE
    return next((found for each in causes if (found := _of_type(each))), Refusal.CONNECTION_LOST)


def _of_status(status: int) -> Refusal:
    return Refusal.PROXY_LOGIN_REQUIRED if status == 407 else Refusal.PROXY_REFUSED


def _of_type(error: BaseException) -> Refusal | None:
    match error:
        case PrivateAddressError():
            return Refusal.PRIVATE_ADDRESS
        case socket.gaierror() | urllib3.exceptions.NameResolutionError():
            return Refusal.UNKNOWN_HOST
        case ConnectionRefusedError():
            return Refusal.CONNECTION_REFUSED
        case TimeoutError() | requests.exceptions.Timeout():
            return Refusal.TIMED_OUT
        case aiohttp.ClientConnectorDNSError():
            return _of_system(error) or Refusal.UNKNOWN_HOST
        case aiohttp.ClientConnectorError() | urllib3.exceptions.NewConnectionError():
            return _of_system(error) or Refusal.UNREACHABLE
    return Refusal.UNREADABLE_ANSWER if isinstance(error, _UNREADABLE) else None


def _of_system(error: BaseException) -> Refusal | None:
    """Why a connection could not be made: an exception of the system stands inside."""
    return next((found for each in list(_causes(error))[1:] if (found := _of_type(each))), None)


def _is_end(error: ssl.SSLError) -> bool:
    return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, and all that it was made of, from the outside in."""
    seen: set[int] = set()
    ahead = [error]
    while ahead:
        each = ahead.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [getattr(each, name, None) for name in _INNER]
        ahead += [found for found in (*each.args, *inner, each.__cause__) if isinstance(found, BaseException)]
