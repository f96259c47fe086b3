"""Tokens that the provider takes, but refuses what is asked with them: the next one may permit more.

What an administrator grants stands in tokens that are issued from then on, so that one that was refused
would be refused for the rest of its life, also after the cause is gone. It is remembered, and not used for
the next request.
"""

import time
from collections.abc import Callable

from workers.calendars.tokens import Tokens
from workers.errors import CalendarError, ErrorClass

_YOUNG_S = 10.0
"""So long a token is taken for the newest word: another would say the same."""
_REST_S = 5.0
"""Where one calendar is refused, and others of the account are not, so long until a token is given up once
more.
"""


class Renewals:
    """The tokens of one account, shared by all that it asks for.

    Args:
        tokens: gives them.
        seconds: a clock that only goes forward.
    """

    def __init__(self, tokens: Tokens, seconds: Callable[[], float] = time.monotonic) -> None:
        self._tokens = tokens
        self._seconds = seconds
        self._refused = ""
        self._of_account = False
        self._refused_at = -_REST_S
        self._newest = ""
        self._newest_at = 0.0

    async def token(self, *, instead_of: str = "") -> str:
        """Gives a token other than the one that was refused; see `Tokens`.

        Where only a calendar was refused, and there is no new one to be had just now, the one at hand:
        others can use it.
        """
        try:
            token = await self._tokens.token(instead_of=instead_of or self._refused)
        except CalendarError as error:
            if instead_of or not self._refused or self._of_account or error.error_class is ErrorClass.AUTH:
                raise
            self._refused = ""
            token = await self._tokens.token()
        if token != self._newest:
            self._newest, self._newest_at = token, self._seconds()
        return token

    def is_old(self, token: str) -> bool:
        """Whether what it permits may have changed since it was issued."""
        return token != self._newest or self._seconds() - self._newest_at > _YOUNG_S

    def refused(self, token: str, *, of_account: bool) -> None:
        """Takes note that a token was of no use: for a calendar, or for all that the account does."""
        now = self._seconds()
        if of_account or now - self._refused_at >= _REST_S:
            self._refused, self._refused_at, self._of_account = token, now, of_account

    def close(self) -> None:
        """Closes what is kept open between requests for tokens."""
        self._tokens.close()
