"""The way out for libraries that block: a `requests.Session` with the same proxies and authorities."""

import ssl
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from network.proxies import Proxies, login_header


def session_of(proxies: Proxies, context: ssl.SSLContext, *, timeout_s: float) -> requests.Session:
    """A session that looks at no variable and no ~/.netrc, and waits `timeout_s` for an answer."""
    session = requests.Session()
    session.trust_env = False
    adapter = _Adapter(proxies, context, timeout_s)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Adapter(HTTPAdapter):
    """Chooses the proxy by address, and verifies against our context, which others share.

    requests would add the authorities of certifi, or of REQUESTS_CA_BUNDLE, to it with every connection.
    """

    def __init__(self, proxies: Proxies, context: ssl.SSLContext, timeout_s: float) -> None:
        self._proxies = proxies
        self._context = context
        self._timeout_s = timeout_s
        self._login: dict[str, str] = {}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(
            proxy, **kwargs, ssl_context=self._context, proxy_ssl_context=self._context
        )

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        del proxy  # which holds no login
        return dict(self._login)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        proxy = self._proxies.of(request.url or "")
        login = login_header(proxy)
        if login != self._login:
            self._login = login
            self.proxy_manager.clear()  # each sends the login that it was made with
        chosen = {"http": proxy.url, "https": proxy.url} if proxy else {}
        kwargs |= {"timeout": self._timeout_s, "verify": True, "proxies": chosen}
        answer = super().send(request, *args, **kwargs)
        if proxy and answer.status_code == 407:  # for http:// a proxy says so by an ordinary answer
            raise requests.exceptions.ProxyError("Tunnel connection failed: 407", request=request)
        return answer

    def cert_verify(self, conn: Any, *_: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"
