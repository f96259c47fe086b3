"""Google access tokens: service accounts, by a key or without one, and authorized users.

google-auth refreshes with blocking calls and without single flight, so each refresh runs in a thread, one at
a time per account. The last good token is kept while it lives, whatever a refresh says.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from google.auth.transport.requests import Request

from config.accounts import GoogleAccount
from config.errors import ConfigError
from config.google_files import json_members
from config.rsa_keys import KeyTrouble
from network.outgoing import Outgoing
from workers.calendars.google_credentials import credentials_of
from workers.calendars.oauth import Heard
from workers.calendars.own_thread import OwnThread
from workers.calendars.single_flight import SingleFlight
from workers.errors import CalendarError, ErrorClass

SCOPES = ("https://www.googleapis.com/auth/calendar.events",)
FREE_BUSY_SCOPES = ("https://www.googleapis.com/auth/calendar.events.freebusy",)
_FRESH_FOR = timedelta(minutes=4)
_OF_ANOTHER_SHAPE = (ValueError, KeyError, TypeError, AttributeError)
"""What a file that is no credentials comes to."""


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
        self._thread = OwnThread(timeout_s)
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
                await self._thread.run(partial(refresh, current, self._outgoing, self._timeout_s))
            except CalendarError:
                if not kept or not _lives(current, timedelta()):
                    raise
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
        except (ConfigError, *_OF_ANOTHER_SHAPE) as error:
            raise unreadable(error) from None
        self._secret, self._credentials = secret, credentials
        return credentials


def unreadable(error: Exception) -> CalendarError:
    """What credentials that cannot be read come to, with a code that says why where that is known."""
    code = error.code if isinstance(error, KeyTrouble) else f"credentials unreadable ({type(error).__name__})"
    return CalendarError(ErrorClass.AUTH, code, whole_account=True)


def refresh(credentials: Any, outgoing: Outgoing, timeout_s: float) -> None:
    """Has google-auth get a new access token. Blocks; raises `CalendarError`."""
    with outgoing.blocking(timeout_s=timeout_s) as session:
        heard = Heard(session)
        try:
            credentials.refresh(Request(session))
        except Exception as error:  # noqa: BLE001 - google-auth raises ValueErrors and KeyErrors, too
            raise heard.explain(error) from None


def _lives(credentials: Any, least: timedelta) -> bool:
    if credentials.expiry is None:
        return False
    return bool(credentials.expiry.replace(tzinfo=UTC) - datetime.now(UTC) > least)
