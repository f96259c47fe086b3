"""Microsoft access tokens through msal: client secret, certificate, federated token or managed identity.

msal blocks, and without single flight: each acquisition runs in a thread, one at a time per (tenant, client).
Within its refresh window msal raises on a network failure although the token at hand is good, so the
last good token is kept here and used while it lives.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import msal
import requests
from requests.adapters import HTTPAdapter

from config.accounts import MicrosoftAccount
from config.certificate import client_certificate
from config.errors import ConfigError
from workers.calendars.microsoft_managed_identity import assertion, managed_identity
from workers.calendars.single_flight import SingleFlight
from workers.errors import CalendarError, ErrorClass

_FRESH_FOR_S = 300.0  # msal itself takes a token within five minutes of its end for expired


class MicrosoftTokens:
    """Tokens of one Microsoft application."""

    def __init__(self, account: MicrosoftAccount, *, timeout_s: float) -> None:
        self._account = account
        self._flight = SingleFlight()
        self._credential: Any = None
        self._app: msal.ConfidentialClientApplication | None = None
        self._http = http_client(account, timeout_s)
        self._token = ""
        self._lives_until = 0.0
        self._scope = f"{origin(account.graph_endpoint)}/.default"

    async def token(self, *, instead_of: str = "") -> str:
        """Gives an access token; see `workers.calendars.http.Tokens`."""
        async with self._flight.turn():
            kept = bool(self._token) and self._token != instead_of
            if kept and time.time() < self._lives_until - (0 if self._flight.rests else _FRESH_FOR_S):
                return self._token
            try:
                answer = await asyncio.to_thread(self._acquire, renew=bool(instead_of))
            except CalendarError:
                raise
            except Exception as error:  # noqa: BLE001 - msal raises whatever its transport raised, and ValueErrors
                if kept and time.time() < self._lives_until:
                    self._flight.rest()
                    return self._token
                raise CalendarError(ErrorClass.TRANSIENT, type(error).__name__) from None
            if "access_token" not in answer:
                raise CalendarError(ErrorClass.AUTH, code_of(answer), whole_account=True)
            self._token = answer["access_token"]
            self._lives_until = time.time() + float(answer.get("expires_in", 0))
            return self._token

    def close(self) -> None:
        """Closes the connections to the token endpoint."""
        self._http.close()

    def _acquire(self, *, renew: bool) -> dict[str, Any]:
        """One acquisition, in a thread. The application is made anew when its credential has changed."""
        if self._account.managed_identity and not self._account.client_id:
            return managed_identity(self._account.managed_identity, origin(self._account.graph_endpoint))
        try:
            credential = _credential(self._account)
        except (ConfigError, ValueError) as error:
            raise CalendarError(
                ErrorClass.AUTH, f"credentials unreadable ({type(error).__name__})", whole_account=True
            ) from None
        if self._app is None or credential != self._credential:
            self._app = msal.ConfidentialClientApplication(
                self._account.client_id,
                authority=f"{self._account.authority.rstrip('/')}/{self._account.tenant_id}",
                client_credential=credential,
                http_client=self._http,
                instance_discovery=False,  # the authority is the operator's own word
            )
            self._credential = credential
        if renew:
            self._app.remove_tokens_for_client()
        answer: dict[str, Any] = self._app.acquire_token_for_client([self._scope])
        return answer


def _credential(account: MicrosoftAccount) -> Any:
    if account.client_secret:
        return account.client_secret.value()
    if account.federated_token:
        return {"client_assertion": account.federated_token.value}  # read anew for each request
    if account.managed_identity:
        return _vouched(account.managed_identity, account.authority)
    assert account.certificate is not None  # one of the four, by the settings' own check
    certificate = client_certificate(account.certificate, account.certificate_passphrase)
    return {
        "private_key": certificate.private_key,
        "thumbprint": certificate.thumbprint,
        "public_certificate": certificate.certificates,
    }


@cache
def _vouched(identity: str, authority: str) -> Any:
    """One for each identity, so that an application is made once; asked anew for each request."""
    return {"client_assertion": partial(assertion, identity, authority)}


def code_of(answer: Mapping[str, Any]) -> str:
    """`invalid_client (AADSTS7000215)`; never the free text, which names tenants and applications."""
    numbers = ", ".join(f"AADSTS{number}" for number in answer.get("error_codes", ()))
    error = str(answer.get("error", "no_token"))
    return f"{error} ({numbers})" if numbers else error


def origin(url: str) -> str:
    """Scheme and host of an address."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


@cache
def ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """The system's certificate authorities, and those of an account's own `ca_file` in addition.

    One for all accounts alike: to read the system's takes a twentieth of a second, and connections are shared
    by it.
    """
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(cafile=str(ca_file))
    return context


class _Adapter(HTTPAdapter):
    """Verifies against our context, which others share.

    requests would add the authorities of certifi, or of REQUESTS_CA_BUNDLE, to it with every connection.
    """

    def __init__(self, context: ssl.SSLContext, timeout_s: float) -> None:
        self._context = context
        self._timeout_s = timeout_s
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(*args, **kwargs, ssl_context=self._context)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(*args, **{**kwargs, "timeout": self._timeout_s, "verify": True})

    def cert_verify(self, conn: Any, *_: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


def http_client(account: MicrosoftAccount, timeout_s: float) -> requests.Session:
    """What msal asks an account's authority with."""
    session = requests.Session()
    session.mount("https://", _Adapter(ssl_context(account.ca_file), timeout_s))
    return session
