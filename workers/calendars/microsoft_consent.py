"""Microsoft users who consent to a public client: authorization code with PKCE, or device code, through msal.

What msal would keep in its cache is kept in Redis by `bookings.consents`: a cache for each process would
have each of them renew for itself. The loopback is called localhost: that is what can be registered as a
redirect without editing a manifest (learn.microsoft.com/entra/identity-platform/reply-url).
"""

import time
from collections.abc import Mapping
from typing import Any

import msal

from bookings.consents import Consent
from config.accounts import MicrosoftAccount
from network.outgoing import Outgoing
from workers.calendars.consent import Asked
from workers.calendars.microsoft_tokens import http_client, origin
from workers.calendars.oauth import Heard
from workers.errors import CalendarError, ErrorClass

_WAITS = frozenset({"authorization_pending", "slow_down"})


class MicrosoftConsent:
    """The consent of one Microsoft account's user."""

    redirect_host = "localhost"

    def __init__(self, account: MicrosoftAccount, outgoing: Outgoing, *, timeout_s: float) -> None:
        self._account = account
        self._http = http_client(account, outgoing, timeout_s)
        self._heard = Heard(self._http)
        self._app: msal.PublicClientApplication | None = None
        shared = ("Calendars.ReadWrite.Shared",) if account.shared_calendars else ()
        graph = origin(account.graph_endpoint)
        self._scopes = [f"{graph}/{scope}" for scope in ("Calendars.ReadWrite", *shared)]

    @property
    def client_id(self) -> str:
        """The application that users consent to."""
        return self._account.client_id or ""

    def ask(self, redirect_uri: str) -> Asked:
        """Makes a request for consent; the answer is to be posted, not put into an address (RFC 9700)."""
        flow = self._asked(
            lambda app: app.initiate_auth_code_flow(
                self._scopes, redirect_uri=redirect_uri, response_mode="form_post"
            )
        )
        return Asked(flow["auth_uri"], flow["state"], flow)

    def redeem(self, asked: Asked, answer: Mapping[str, str]) -> Consent:
        """Exchanges what the browser brought back."""
        return self._consent(
            self._asked(lambda app: app.acquire_token_by_auth_code_flow(dict(asked.kept), dict(answer)))
        )

    def ask_device(self) -> dict[str, Any]:
        """Gets a device code; `message` in it tells the user what to do, `expires_at` how long it is good."""
        flow = self._asked(lambda app: app.initiate_device_flow(self._scopes))
        if "user_code" not in flow:
            raise self._heard.without_token(flow)
        return flow

    def poll_device(self, flow: dict[str, Any]) -> Consent | None:
        """Asks once whether the user has consented; None where they have not decided yet.

        `interval` in `flow`, the seconds until the next time, may grow by it.
        """
        answer = self._asked(
            lambda app: app.acquire_token_by_device_flow(flow, exit_condition=lambda _flow: True)
        )
        return None if answer.get("error") in _WAITS else self._consent(answer)

    def renew(self, consent: Consent) -> Consent:
        """Gets a new access token and a new refresh token; the old one stays good for a while."""
        answer = self._asked(
            lambda app: app.acquire_token_by_refresh_token(consent.refresh_token, self._scopes)
        )
        return self._consent(answer, consent)

    def revoke(self, consent: Consent) -> bool:
        """Microsoft has no endpoint for it: users do it at myapplications.microsoft.com."""
        del consent
        return False

    def close(self) -> None:
        """Closes the connections to the token endpoint."""
        self._http.close()

    def _consent(self, answer: Mapping[str, Any], before: Consent | None = None) -> Consent:
        if "access_token" not in answer:
            self._app = None  # msal repeats a refusal for a minute without asking
            raise self._heard.without_token(answer)
        refresh_token = answer.get("refresh_token") or (before.refresh_token if before else "")
        if not refresh_token:
            raise CalendarError(ErrorClass.AUTH, "no_refresh_token", whole_account=True)
        claims = answer.get("id_token_claims") or {}
        return Consent(
            client_id=self.client_id,
            refresh_token=refresh_token,
            access_token=answer["access_token"],
            lives_until=time.time() + float(answer.get("expires_in", 0)),
            user=claims.get("preferred_username") or (before.user if before else ""),
        )

    def _asked(self, ask: Any) -> dict[str, Any]:
        """What msal answers; it raises whatever its transport raised, and ValueErrors."""
        self._heard.forget()
        try:
            if self._app is None:
                self._app = msal.PublicClientApplication(
                    self.client_id,
                    authority=f"{self._account.authority.rstrip('/')}/{self._account.tenant_id}",
                    http_client=self._http,
                    instance_discovery=False,  # the authority is the operator's own word
                )
            answer: dict[str, Any] = ask(self._app)
        except Exception as error:  # noqa: BLE001 - see above
            self._app = None
            raise self._heard.explain(error) from None
        return answer
