"""[network]: how this process reaches others, by the file or else by the variables that curl knows."""

import ipaddress
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from config.fields import EMPTY_IS_NONE, Text
from config.references import AccountSecret, Use, as_text, existing_file, place_of
from config.table import Table

Login = tuple[str, str]

_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SUCH_AS: Final = "http://proxy.example.com:3128"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: `scheme://host:port`, and how it is logged in to now."""

    url: str
    login: Callable[[], Login | None] = field(default=lambda: None, repr=False, compare=False)


def _proxy_address(text: str) -> str:
    if "@" in text:  # what stands before it may be a password, so nothing of it is repeated
        raise ValueError(
            "must not hold a login; give it by proxy_username and proxy_password, which are references"
        )
    return _address(text)


def _address(text: str) -> str:
    """Scheme, host and port. Raises `ValueError`, which repeats nothing."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        sound = parts.scheme in ("http", "https") and bool(host) and port != 0 and parts.path in ("", "/")
    except ValueError:
        sound = False
    if not sound or "?" in text or "#" in text or any(each.isspace() for each in text):
        raise ValueError(f"must be an address such as {_SUCH_AS}; SOCKS is not known")
    assert host is not None
    bracketed = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{bracketed}" + (f":{port}" if port else "")


def _exceptions(value: object) -> object:
    """A list, or as NO_PROXY has it: a text with commas."""
    if isinstance(value, str):
        return tuple(each.strip() for each in value.split(",") if each.strip())
    return value


def _exception(text: str) -> str:
    if "://" in text or any(each.isspace() for each in text):
        raise ValueError('must be a host, host:port, an IP address, a network such as "10.0.0.0/8", or "*"')
    if "/" in text:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError('must be a network such as "10.0.0.0/8"; write hosts without a path') from None
    return text


def _authorities(value: object, info: ValidationInfo) -> Path:
    path = existing_file(Use.CALENDARS)(value, info)
    if Use.CALENDARS in place_of(info).uses:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
        except OSError as error:  # of which ssl.SSLError is one
            why = error.strerror or "no certificate"
            raise ValueError(
                f"{path} holds no certificates in PEM ({why.lower()}); put the authority's there"
            ) from None
    return path


AuthorityFile = Annotated[Path, PlainValidator(_authorities), as_text]


class NetworkSettings(Table):
    """How this process reaches others: through which proxy, and whose certificates it trusts.

    Without `proxy`, the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY say so, in capitals or small letters.
    """

    proxy: Annotated[Annotated[str, AfterValidator(_proxy_address)] | None, EMPTY_IS_NONE] = None
    proxy_username: AccountSecret | None = None
    proxy_password: AccountSecret | None = None
    no_proxy: Annotated[
        tuple[Annotated[Text, AfterValidator(_exception)], ...], BeforeValidator(_exceptions)
    ] = ()
    ca_file: Annotated[AuthorityFile | None, EMPTY_IS_NONE] = None

    _of_variables: dict[str, Proxy] = PrivateAttr(default_factory=dict)
    _but: tuple[str, ...] = PrivateAttr(default=())
    _bundles: tuple[Path, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _see_variables(self, info: ValidationInfo) -> Self:
        place = place_of(info)
        self._bundles = tuple(Path(path) for name in _BUNDLES if (path := place.environ.get(name)))
        if self.proxy is None:
            self._of_variables = _from_variables(place.environ)
            self._but = tuple(str(_variable(place.environ, "no_proxy")).replace(",", " ").split())
        return self

    def proxy_of(self, scheme: str) -> Proxy | None:
        """The proxy for `http` or `https` addresses, where nothing speaks for going there directly."""
        if self.proxy is not None:
            return Proxy(self.proxy, self._login)
        return self._of_variables.get(scheme)

    @property
    def exceptions(self) -> tuple[str, ...]:
        """What is reached without a proxy, as it was written."""
        return self.no_proxy + self._but

    @property
    def authorities(self) -> tuple[Path, ...]:
        """Files (a variable may name a folder) of authorities that are trusted beside the system's."""
        return ((self.ca_file,) if self.ca_file else ()) + self._bundles

    def _login(self) -> Login | None:
        """Raises `SecretError`."""
        if self.proxy_username is None:
            return None
        return self.proxy_username.value(), self.proxy_password.value() if self.proxy_password else ""


def _from_variables(environ: Mapping[str, str]) -> dict[str, Proxy]:
    if "REQUEST_METHOD" in environ:  # under CGI a header of a request may have set HTTP_PROXY
        environ = {name: value for name, value in environ.items() if name != "HTTP_PROXY"}
    names = {scheme: f"{scheme}_proxy" for scheme in ("https", "http")}
    return {
        scheme: _written(name.upper(), written)
        for scheme, name in names.items()
        if (written := _variable(environ, name))
    }


def _variable(environ: Mapping[str, str], name: str) -> str:
    """A variable in small letters, or else in capitals, as curl and Python look."""
    return environ.get(name, environ.get(name.upper(), "")).strip()


def _written(name: str, text: str) -> Proxy:
    """The proxy that a variable names, with or without `http://`, and with or without a login."""
    whole = text if "://" in text else f"http://{text}"
    scheme, _, rest = whole.partition("://")
    userinfo, at, host = rest.rpartition("@")
    try:
        url = _address(f"{scheme}://{host}")
    except ValueError as error:
        raise ValueError(f"the environment variable {name} {error}") from None
    user, _, password = userinfo.partition(":")
    login = (unquote(user), unquote(password)) if at else None
    return Proxy(url, lambda: login)
