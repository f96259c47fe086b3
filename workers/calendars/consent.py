"""What the providers have in common where users consent: it is asked for, exchanged, renewed, taken back."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from bookings.consents import Consent


class Asked(NamedTuple):
    """A request for consent: where the user's browser is to go, and what comes back with the answer."""

    url: str
    state: str
    kept: Mapping[str, Any]
    """What is needed to exchange the answer, the PKCE verifier among it."""


class Consenting(Protocol):
    """One account whose user consents. Every method blocks, and raises `CalendarError`.

    AUTH where the provider refuses, THROTTLED where it asks for a rest, TRANSIENT where it fails or does not
    answer.
    """

    @property
    def client_id(self) -> str:
        """The application that users consent to."""
        ...

    redirect_host: str
    """What this provider calls the loopback: `127.0.0.1` or `localhost`."""

    def ask(self, redirect_uri: str) -> Asked:
        """Makes a request for consent."""
        ...

    def redeem(self, asked: Asked, answer: Mapping[str, str]) -> Consent:
        """Exchanges what the browser brought back."""
        ...

    def renew(self, consent: Consent) -> Consent:
        """Gets a new access token, and where the provider gives one a new refresh token."""
        ...

    def revoke(self, consent: Consent) -> bool:
        """Takes the consent back at the provider; False where it has no way to."""
        ...

    def close(self) -> None:
        """Closes the connections to the token endpoint."""
        ...
