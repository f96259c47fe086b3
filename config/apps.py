"""Cronofy applications: who calls us, and where they are asked for links."""

from typing import Annotated, Literal

from config.fields import AT_LEAST_ONE, EMPTY_IS_NONE, Name, WebAddress, WebTarget, Zone
from config.references import AppSecret
from config.table import Table

_HOSTS = {"us": "api.cronofy.com"} | {
    centre: f"api-{centre}.cronofy.com" for centre in ("uk", "de", "au", "ca", "sg")
}


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
    forward_to: tuple[WebTarget, ...] = ()
    forward_to_private: bool = False

    @property
    def cronofy_url(self) -> str:
        """Where Cronofy's API is for this app, without a slash at its end."""
        return self.cronofy_endpoint or f"https://{_HOSTS[self.data_center]}"
