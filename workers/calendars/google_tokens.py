"""Google access tokens: service accounts, by a key or without one, and authorized users.

google-auth refreshes with blocking calls and without single flight, so each refresh runs in a thread, one at
a time per account. The last good token is kept while it lives, whatever a refresh says.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import google.auth.exceptions
from cryptography.exceptions import UnsupportedAlgorithm
from google.auth.transport.requests import Request

from config.accounts import GoogleAccount
from config.errors import ConfigError
from config.google_files import json_members
from network.outgoing import Outgoing
from network.refusals import unreached
from workers.calendars.google_credentials import credentials_of
from workers.calendars.single_flight import SingleFlight
from workers.errors import CalendarError, ErrorClass

SCOPES = ("https://www.googleapis.com/auth/calendar.events",)
FREE_BUSY_SCOPES = ("https://www.googleapis.com/auth/calendar.events.freebusy",)
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
        self._secret: str | None = None
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
            except (CalendarError, google.auth.exceptions.GoogleAuthError, OSError) as error:
                if not kept or not _lives(current, timedelta()):
                    raise failure(error) from None
                self._flight.rest()
            return str(current.token)

    def close(self) -> None:
        """Nothing is kept open between refreshes."""

    def _load(self) -> Any:
        """The credentials; made anew when the secret behind them has changed."""
        reference = self._account.file
        try:
            secret = reference.value() if reference else ""
            if secret == self._secret:
                return self._credentials
            credentials = credentials_of(
                self._account, json_members(reference) if reference else {}, self._scopes
            )
        except (ConfigError, UnsupportedAlgorithm, *_OF_ANOTHER_SHAPE) as error:
            raise CalendarError(
                ErrorClass.AUTH, f"credentials unreadable ({type(error).__name__})", whole_account=True
            ) from None
        self._secret, self._credentials = secret, credentials
        return credentials


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
    if isinstance(error, CalendarError):
        return error
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
