"""Microsoft access tokens through msal: client secret, certificate, federated token or managed identity.

msal blocks, and without single flight: each acquisition runs in a thread, one at a time per (tenant, client).
Within its refresh window msal raises on a network failure although the token at hand is good, so the
last good token is kept here and used while it lives.
"""

import time
from functools import cache, partial
from typing import Any

import msal
import requests

from config.accounts import MicrosoftAccount
from config.certificate import client_certificate
from config.errors import ConfigError
from network.outgoing import Outgoing
from workers.calendars.google_tokens import unreadable
from workers.calendars.microsoft_managed_identity import assertion, managed_identity
from workers.calendars.oauth import Heard, read
from workers.calendars.own_thread import OwnThread
from workers.calendars.single_flight import SingleFlight
from workers.errors import CalendarError, ErrorClass

_FRESH_FOR_S = 300.0  # msal itself takes a token within five minutes of its end for expired


class MicrosoftTokens:
    """Tokens of one Microsoft application."""

    def __init__(self, account: MicrosoftAccount, outgoing: Outgoing, *, timeout_s: float) -> None:
        self._account = account
        self._flight = SingleFlight()
        self._credential: Any = None
        self._app: msal.ConfidentialClientApplication | None = None
        self._http = http_client(account, outgoing, timeout_s)
        self._heard = Heard(self._http)
        self._thread = OwnThread(timeout_s)
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
                answer = await self._thread.run(partial(self._acquire, renew=bool(instead_of)))
            except CalendarError as failure:
                if failure.error_class is ErrorClass.AUTH or not kept or time.time() >= self._lives_until:
                    raise
                self._flight.rest()
                return self._token
            self._token = answer["access_token"]
            self._lives_until = time.time() + float(answer.get("expires_in", 0))
            return self._token

    def close(self) -> None:
        """Closes the connections to the token endpoint."""
        self._http.close()

    def _acquire(self, *, renew: bool) -> dict[str, Any]:
        """One acquisition, in a thread. The application is made anew when its credential has changed.

        And after each failure: msal repeats a refusal for a minute without asking, when the cause may be
        gone.
        """
        if self._account.managed_identity and not self._account.client_id:
            given = managed_identity(self._account.managed_identity, origin(self._account.graph_endpoint))
            if "access_token" not in given:
                raise read(400, given, {}).failure()
            return given
        try:
            credential = _credential(self._account)
        except (ConfigError, ValueError) as error:
            raise unreadable(error) from None
        app, self._app = self._app if credential == self._credential else None, None
        self._heard.forget()
        try:
            app = app or msal.ConfidentialClientApplication(
                self._account.client_id,
                authority=f"{self._account.authority.rstrip('/')}/{self._account.tenant_id}",
                client_credential=credential,
                http_client=self._http,
                instance_discovery=False,  # the authority is the operator's own word
            )
            if renew:
                app.remove_tokens_for_client()
            answer: dict[str, Any] = app.acquire_token_for_client([self._scope])
        except Exception as error:  # noqa: BLE001 - msal raises whatever its transport raised, and ValueErrors
            raise self._heard.explain(error) from None
        if "access_token" not in answer:
            raise self._heard.without_token(answer)
        self._app, self._credential = app, credential
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


def origin(url: str) -> str:
    """Scheme and host of an address."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def http_client(account: MicrosoftAccount, outgoing: Outgoing, timeout_s: float) -> requests.Session:
    """What msal asks an account's authority with."""
    return outgoing.blocking(timeout_s=timeout_s, ca_file=account.ca_file)
