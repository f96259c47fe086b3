"""How a cloud's metadata server is asked: it is part of the machine, so no proxy stands before it, ever."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import requests

GOOGLE_HOST = "metadata.google.internal"
WITHIN_S = 5.0
"""One that is there answers from memory; where none is there, packets to it go nowhere."""


class MetadataUnavailable(requests.RequestException):
    """The metadata server does not answer now: it starts, throttles, or there is none."""


class MetadataSession(requests.Session):
    """A session that goes straight to its target, and waits no longer than `WITHIN_S`."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # no HTTP_PROXY, no netrc

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As `requests.Session`; raises `MetadataUnavailable` where no answer comes."""
        try:
            return super().request(*args, **{**kwargs, "timeout": WITHIN_S, "allow_redirects": False})
        except requests.RequestException as error:
            raise MetadataUnavailable(type(error).__name__) from None


def is_metadata(url: str) -> bool:
    """Whether an address leads to a metadata server, and not into a network."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return host == GOOGLE_HOST
