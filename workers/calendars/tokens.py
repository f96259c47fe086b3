"""What gives access tokens."""

from typing import Protocol


class Tokens(Protocol):
    """Gives access tokens of one account."""

    async def token(self, *, instead_of: str = "") -> str:
        """Gives a token; `instead_of` is one that the provider has just refused.

        Raises `CalendarError`: AUTH where there is none to be had, THROTTLED where the endpoint asks for a
        rest, TRANSIENT where it fails.
        """
        ...

    def close(self) -> None:
        """Closes what is kept open between requests for tokens."""
        ...
