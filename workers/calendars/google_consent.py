"""Google users who consent to an installed application: authorization code with PKCE over the loopback.

google-auth renews tokens, but does not ask for consent: that is one address and one form, as
developers.google.com/identity/protocols/oauth2/native-app has them. There is no device code: Google does
not give out calendar scopes by it (…/oauth2/limited-input-device#allowedscopes).
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

import google.oauth2.credentials

from bookings.consents import Consent
from config.accounts import GoogleAccount
from config.errors import ConfigError
from network.outgoing import Outgoing
from workers.calendars.consent import Asked
from workers.calendars.google_tokens import SCOPES, refresh, unreadable
from workers.calendars.oauth import Heard
from workers.errors import CalendarError, ErrorClass


class GoogleConsent:
    """The consent of one Google account's user."""

    redirect_host = "127.0.0.1"

    def __init__(self, account: GoogleAccount, outgoing: Outgoing, *, timeout_s: float) -> None:
        self._account = account
        self._outgoing = outgoing
        self._timeout_s = timeout_s

    @property
    def client_id(self) -> str:
        """The application that users consent to."""
        return self._account.client_id or ""

    def ask(self, redirect_uri: str) -> Asked:
        """Makes a request for consent; `prompt` sees to it that a refresh token comes with every answer."""
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        query = {
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "state": state,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",
        }
        url = f"{self._account.authorization_endpoint}?{urlencode(query)}"
        return Asked(url, state, {"redirect_uri": redirect_uri, "code_verifier": verifier})

    def redeem(self, asked: Asked, answer: Mapping[str, str]) -> Consent:
        """Exchanges what the browser brought back."""
        if "code" not in answer:
            raise CalendarError(ErrorClass.AUTH, answer.get("error", "no_code"), whole_account=True)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "client_id": self.client_id,
            "client_secret": self._secret(),
            **asked.kept,
        }
        tokens = self._post(self._account.token_endpoint, form)
        if not set(SCOPES) <= set(str(tokens.get("scope", "")).split()):
            raise CalendarError(ErrorClass.AUTH, "scope_not_granted", whole_account=True)
        if not tokens.get("refresh_token"):
            raise CalendarError(ErrorClass.AUTH, "no_refresh_token", whole_account=True)
        return Consent(
            client_id=self.client_id,
            refresh_token=tokens["refresh_token"],
            access_token=tokens["access_token"],
            lives_until=time.time() + float(tokens.get("expires_in", 0)),
        )

    def renew(self, consent: Consent) -> Consent:
        """Gets a new access token; Google lets the refresh token be, as a rule."""
        credentials = google.oauth2.credentials.Credentials(
            token=None,
            refresh_token=consent.refresh_token,
            client_id=consent.client_id,
            client_secret=self._secret(),
            token_uri=self._account.token_endpoint,
            scopes=SCOPES,
        )
        refresh(credentials, self._outgoing, self._timeout_s)
        expiry = credentials.expiry
        return Consent(
            client_id=consent.client_id,
            refresh_token=str(credentials.refresh_token),
            access_token=str(credentials.token),
            lives_until=expiry.replace(tzinfo=UTC).timestamp() if expiry else 0.0,
            user=consent.user,
        )

    def revoke(self, consent: Consent) -> bool:
        """Takes the consent back; what Google does not know any more is as good as revoked."""
        endpoint = self._account.token_endpoint.rpartition("/")[0] + "/revoke"
        try:
            self._post(endpoint, {"token": consent.refresh_token})
        except CalendarError as error:
            if error.code != "invalid_token":
                raise
        return True

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _secret(self) -> str:
        try:
            return self._account.client_secret.value() if self._account.client_secret else ""
        except ConfigError as error:
            raise unreadable(error) from None

    def _post(self, url: str, form: Mapping[str, str]) -> dict[str, Any]:
        with self._outgoing.blocking(timeout_s=self._timeout_s) as session:
            heard = Heard(session)
            try:
                answer = session.post(url, data=form, allow_redirects=False)
                said = heard.refusal()
                data: dict[str, Any] = {} if said else answer.json()
            except Exception as error:  # noqa: BLE001 - all that requests raises
                raise heard.explain(error) from None
        if said is not None:
            raise said.failure()
        return data
