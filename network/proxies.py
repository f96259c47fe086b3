"""Which proxy a request goes through. Pure: no name is resolved."""

import base64
import ipaddress
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from config.network import NetworkSettings, Proxy

_PORTS = {"http": 80, "https": 443}
_Speaks = Callable[[str, int], bool]


class Proxies:
    """The choice for each address, by the settings of one process.

    This machine itself (localhost, 127.0.0.0/8, ::1) is always reached directly, as by Go's net/http.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        self._settings = settings
        self._exceptions = [_exception(each) for each in settings.exceptions]

    def of(self, url: str) -> Proxy | None:
        """The proxy for this address; None where it is reached directly."""
        parts = urlsplit(url)
        proxy = self._settings.proxy_of(parts.scheme)
        if proxy is None or _is_this_machine(parts.hostname or "") or self._is_excepted(parts):
            return None
        return proxy

    def _is_excepted(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or _PORTS[parts.scheme]
        return any(speaks(host, port) for speaks in self._exceptions)


def login_header(proxy: Proxy | None) -> dict[str, str]:
    """The header that logs in to a proxy, by what the secrets hold now; or none. Raises `SecretError`."""
    login = proxy.login() if proxy else None
    if login is None:
        return {}
    return {"Proxy-Authorization": "Basic " + base64.b64encode(":".join(login).encode()).decode()}


def _exception(text: str) -> _Speaks:
    """What one item of `no_proxy` says of a host and a port."""
    if text == "*":
        return lambda _host, _port: True
    text = text.lower()
    if "/" in text:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:  # the variable's; the file's were checked
            return lambda _host, _port: False
        return lambda host, _: (address := _address(host)) is not None and address in network
    name, wanted = _with_port(text)
    address = _address(name)
    if address is not None:
        return lambda host, port: _address(host) == address and wanted in (None, port)
    name = name.removeprefix("*").strip(".")
    return lambda host, port: (host == name or host.endswith(f".{name}")) and wanted in (None, port)


def _with_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, `::1`, `[::1]` or `[::1]:port`."""
    if text.startswith("["):
        name, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        name, _, port = text.partition(":")
    else:
        name, port = text, ""
    return name, int(port) if port.isascii() and port.isdigit() else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_this_machine(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address is not None else host.rstrip(".") == "localhost"
