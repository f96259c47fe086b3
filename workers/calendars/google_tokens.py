"""Google access tokens: service accounts (with or without domain-wide delegation) and authorized users.

google-auth refreshes with blocking calls and without single flight, so each refresh runs in a thread, one at
a time per account. The last good token is kept while it lives, whatever a refresh says.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import google.auth.credentials
import google.auth.exceptions
import google.oauth2.credentials
import google.oauth2.service_account
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.auth.crypt import RSASigner
from google.auth.transport.requests import Request

from config.accounts import GoogleAccount
from config.errors import ConfigError
from network.outgoing import Outgoing
from network.refusals import unreached
from workers.calendars.single_flight import SingleFlight
from workers.errors import CalendarError, ErrorClass

SCOPES = ("https://www.googleapis.com/auth/calendar.events",)
FREE_BUSY_SCOPES = ("https://www.googleapis.com/auth/calendar.events.freebusy",)
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens are asked for
_FRESH_FOR = timedelta(minutes=4)
_OF_ANOTHER_SHAPE = (ValueError, KeyError, TypeError, AttributeError)
"""What a file that is no credentials comes to; a key that is encrypted is a TypeError."""


class GoogleTokens:
    """Tokens of one Google account.

    Args:
        account: the account.
        outgoing: the way to the endpoint.
        timeout_s: how long one request for a token may take.
        scopes: what the tokens are for. With delegation, a scope that the domain's administrator did not
            authorise is refused with all that is asked for beside it.
    """

    def __init__(
        self,
        account: GoogleAccount,
        outgoing: Outgoing,
        *,
        timeout_s: float,
        scopes: tuple[str, ...] = SCOPES,
    ) -> None:
        self._account = account
        self._outgoing = outgoing
        self._scopes = scopes
        self._timeout_s = timeout_s
        self._flight = SingleFlight()
        self._secret = ""
        self._credentials: Any = None

    async def token(self, *, instead_of: str = "") -> str:
        """Gives an access token; see `workers.calendars.http.Tokens`."""
        async with self._flight.turn():
            current = self._load()
            kept = bool(current.token) and current.token != instead_of
            if kept and _lives(current, timedelta() if self._flight.rests else _FRESH_FOR):
                return str(current.token)
            try:
                await asyncio.to_thread(refresh, current, self._outgoing, self._timeout_s)
            except (google.auth.exceptions.GoogleAuthError, OSError) as error:
                if not kept or not _lives(current, timedelta()):
                    raise failure(error) from None
                self._flight.rest()
            return str(current.token)

    def close(self) -> None:
        """Nothing is kept open between refreshes."""

    def _load(self) -> Any:
        """The credentials; made anew when the secret behind them has changed."""
        account = self._account
        reference = account.service_account or account.authorized_user
        assert reference is not None  # one of the two, by the settings' own check
        try:
            secret = reference.value()
            if secret == self._secret:
                return self._credentials
            info = json.loads(secret)
            credentials: google.auth.credentials.Credentials
            if account.service_account:
                credentials = google.oauth2.service_account.Credentials(
                    RSASigner(_private_key(info["private_key"]), info["private_key_id"]),
                    service_account_email=info["client_email"],
                    token_uri=info["token_uri"],
                    universe_domain=info.get("universe_domain", "googleapis.com"),
                    scopes=self._scopes,
                    subject=account.subject or None,
                )
            else:
                # Not by from_authorized_user_info: it asks Google whatever `token_uri` says.
                credentials = google.oauth2.credentials.Credentials(
                    token=None,
                    refresh_token=info["refresh_token"],
                    client_id=info["client_id"],
                    client_secret=info["client_secret"],
                    token_uri=info.get("token_uri", _TOKEN_URI),
                    scopes=self._scopes,
                )
        except (ConfigError, UnsupportedAlgorithm, *_OF_ANOTHER_SHAPE) as error:
            raise CalendarError(
                ErrorClass.AUTH, f"credentials unreadable ({type(error).__name__})", whole_account=True
            ) from None
        self._secret, self._credentials = secret, credentials
        return credentials


@lru_cache(maxsize=16)
def _private_key(pem: str) -> Any:
    """A service account's key; to check one takes a twentieth of a second, and many accounts may share it."""
    return load_pem_private_key(pem.encode(), password=None)


def refresh(credentials: Any, outgoing: Outgoing, timeout_s: float) -> None:
    """Has google-auth get a new access token. Blocks; raises `GoogleAuthError` and `OSError`."""
    with outgoing.blocking(timeout_s=timeout_s) as session:
        credentials.refresh(Request(session))


def _lives(credentials: Any, least: timedelta) -> bool:
    if credentials.expiry is None:
        return False
    return bool(credentials.expiry.replace(tzinfo=UTC) - datetime.now(UTC) > least)


def failure(error: Exception) -> CalendarError:
    """The account's trouble where the endpoint says what it refuses; else (a page of HTML) the moment's."""
    if not isinstance(error, google.auth.exceptions.RefreshError):
        return CalendarError(ErrorClass.TRANSIENT, unreached(error).code)
    reason = _reason(error)
    if not reason or error.retryable:
        return CalendarError(ErrorClass.TRANSIENT, reason or "refresh_failed")
    return CalendarError(ErrorClass.AUTH, reason, whole_account=True)


def _reason(error: google.auth.exceptions.RefreshError) -> str:
    """The endpoint's own error code (`invalid_grant` and the like), never its free text; or nothing."""
    details = error.args[1] if len(error.args) > 1 else None
    code = details.get("error") if isinstance(details, dict) else None
    return code if isinstance(code, str) else ""
