"""The kinds of value that a configuration holds, each with the text that says what is wrong with it."""

import difflib
import json
import os
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, ValidationInfo

from config.durations import seconds
from config.errors import SecretError
from config.redis_url import RedisUrl, parse_redis_url
from config.secrets import Secret

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# Files that lie beside the zones on many systems; right/ counts leap seconds, so its instants are others.
_NO_ZONES = ("localtime", "posixrules", "posix/", "right/")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a configuration stands: what its relative paths and its `env:` references mean."""

    folder: Path = field(default_factory=Path)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


def _place(info: ValidationInfo) -> Place:
    return info.context if isinstance(info.context, Place) else Place()


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError("must be 1 to 64 letters, digits, - or _")
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty; leave the key out where it is not needed")
    return text


def _not_a_truth_value(value: object) -> object:
    match value:
        case bool():
            raise ValueError("must be a whole number")
        case _:
            return value


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


def _at_least_one(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if not entries:
        raise ValueError("must name at least one")
    return entries


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError("must be a path in quotes")
    return (_place(info).folder / value).absolute()


def _existing_file(value: object, info: ValidationInfo) -> Path:
    path = _path(value, info)
    if not path.is_file():
        raise ValueError(f"there is no file {path}; put it there, or change the path")
    return path


def _web_address(*schemes: str) -> Callable[[str], str]:
    """A check of http(s) addresses without login, query or fragment; it takes the slash off their end."""

    def check(text: str) -> str:
        try:
            parts = urlsplit(text)
            sound = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound or "@" in text or "?" in text or "#" in text or any(each.isspace() for each in text):
            raise ValueError(f"must be an address such as {schemes[0]}://host or {schemes[0]}://host/path")
        return text.rstrip("/")

    return check


def _zone(text: str) -> str:
    if not _is_zone(text):
        raise ValueError(f"no time zone of the IANA database is called {text!r}; {_zone_meant(text)}")
    return text


def _is_zone(text: str) -> bool:
    if text.startswith(_NO_ZONES):
        return False
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zone_meant(text: str) -> str:
    known = zoneinfo.available_timezones()
    cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known)}
    city = cities.get(text.rpartition("/")[2].strip().lower().replace(" ", "_"))
    near = [city] if city else difflib.get_close_matches(text, known, n=1, cutoff=0.8)
    return f'did you mean "{near[0]}"?' if near else 'write a name such as "Europe/Berlin"'


def _secret(value: object, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    place = _place(info)
    secret = Secret(value if isinstance(value, str) else "", folder=place.folder, environ=place.environ)
    secret.value()
    return secret


def _key_file(*members: str) -> Callable[[Secret], Secret]:
    """A check that a secret is a JSON object with these members."""

    def check(secret: Secret) -> Secret:
        found = json_members(secret)
        missing = [each for each in members if not found.get(each)]
        if missing:
            raise SecretError(
                f"{secret} has no {', '.join(missing)}; use the whole key file as Google gave it"
            )
        return secret

    return check


def json_members(secret: Secret) -> dict[str, Any]:
    """What a secret that is a JSON object holds.

    Raises:
        SecretError: it cannot be read, or is not a JSON object.
    """
    try:
        members = json.loads(secret.value())
    except (json.JSONDecodeError, RecursionError):
        members = None
    if not isinstance(members, dict):  # raised out here: a JSONDecodeError carries the whole text along
        raise SecretError(f"{secret} is not a JSON object; use the whole key file as Google gave it")
    return members


def _pem(secret: Secret) -> Secret:
    text = secret.value()
    if "-----BEGIN CERTIFICATE-----" not in text or "PRIVATE KEY-----" not in text:
        raise SecretError(f"{secret} is not a PEM with a certificate and its private key; put both in it")
    return secret


def _redis_url(value: object) -> RedisUrl:
    if isinstance(value, RedisUrl):
        return value
    return parse_redis_url(value if isinstance(value, str) else "")


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_as_text = PlainSerializer(str, return_type=str)

Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, AfterValidator(_not_empty)]
Count = Annotated[int, BeforeValidator(_not_a_truth_value), Field(ge=1)]
Port = Annotated[int, BeforeValidator(_not_a_truth_value), Field(ge=0, le=65535)]  # 0: any free one
Duration = Annotated[float, BeforeValidator(seconds)]  # in seconds
Zone = Annotated[str, AfterValidator(_zone)]
SequenceId = Annotated[Text, BeforeValidator(_text_of_number)]
WebAddress = Annotated[str, AfterValidator(_web_address("https", "http"))]
HttpsAddress = Annotated[str, AfterValidator(_web_address("https"))]
FolderPath = Annotated[Path, PlainValidator(_path), _as_text]
ExistingFile = Annotated[Path, PlainValidator(_existing_file), _as_text]
RedisAddress = Annotated[RedisUrl, PlainValidator(_redis_url), _as_text]
SecretText = Annotated[Secret, PlainValidator(_secret), _as_text]
Certificate = Annotated[SecretText, AfterValidator(_pem)]
ServiceAccountKey = Annotated[
    SecretText, AfterValidator(_key_file("client_email", "private_key", "token_uri"))
]
AuthorizedUserKey = Annotated[
    SecretText, AfterValidator(_key_file("client_id", "client_secret", "refresh_token"))
]

EMPTY_IS_NONE = BeforeValidator(_empty_is_none)  # for optional values: "" is the same as leaving the key out
AT_LEAST_ONE = AfterValidator(_at_least_one)  # pydantic's own min_length also counts entries it refused
