"""Cronofy applications: who calls us, and where they are asked for links."""

from typing import Annotated, Literal

from config.fields import AT_LEAST_ONE, EMPTY_IS_NONE, Name, Text, WebAddress, WebTarget, Zone
from config.references import AppSecret, ProgramsToken
from config.table import Table

_HOSTS = {"us": "api.cronofy.com"} | {
    centre: f"api-{centre}.cronofy.com" for centre in ("uk", "de", "au", "ca", "sg")
}

ALL = "*"
"""In `calendars` or `people` of an app: every one that there is."""


class App(Table):
    """A Cronofy application that calls us; during a rotation it has two client secrets."""

    name: Name
    client_secrets: Annotated[tuple[AppSecret, ...], AT_LEAST_ONE]
    default_zone: Zone = "Etc/UTC"
    data_center: Literal["us", "uk", "de", "au", "ca", "sg"] = "us"
    cronofy_endpoint: Annotated[WebAddress | None, EMPTY_IS_NONE] = None
    pass_target_calendars: bool = False
    scheduler_requests: bool = False
    availability: bool = True
    access_tokens: tuple[ProgramsToken, ...] = ()
    """What programs may bring in place of a client secret to ask for availability, and for nothing else."""
    calendars: tuple[Literal["*"] | Name, ...] | None = None
    """Where its parts may be written; `config.leave` says what it is without a list."""
    people: tuple[Text, ...] | None = None
    """Whose availability it may ask for, and to whose calendars its links may lead."""
    forward_to: tuple[WebTarget, ...] = ()
    forward_to_private: bool = False

    @property
    def cronofy_url(self) -> str:
        """Where Cronofy's API is for this app, without a slash at its end."""
        return self.cronofy_endpoint or f"https://{_HOSTS[self.data_center]}"
