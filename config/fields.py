"""The kinds of value that a configuration holds, each with the text that says what is wrong with it."""

import difflib
import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from config.durations import pause, seconds
from config.redis_url import RedisUrl, parse_redis_url
from config.references import as_text, path_of

_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)
_IPV4 = re.compile(r"((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(?!$)|$)){4}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# Files that lie beside the zones on many systems; right/ counts leap seconds, so its instants are others.
_NO_ZONES = ("localtime", "posixrules", "posix/", "right/")


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


def is_odd_address(host: str) -> bool:
    """Whether a host ends in a number and is no IPv4 address: `127.1`, `0x7f.1`, `2130706433`.

    Resolvers read those in ways of their own, and no name ends in a number (WHATWG URL, "ends in a number").
    """
    last = host.rstrip(".").rpartition(".")[2]
    if ":" in host or _NUMBER.fullmatch(last) is None:
        return False
    return _IPV4.fullmatch(host) is None


def _web_address(*schemes: str) -> Callable[[str], str]:
    """A check of http(s) addresses without login, query or fragment; it takes the slash off their end."""

    def check(text: str) -> str:
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
            sound = parts.scheme in schemes and host != "" and not is_odd_address(host) and parts.port != 0
        except ValueError:
            sound = False
        if not sound or "@" in text or "?" in text or "#" in text or any(each.isspace() for each in text):
            raise ValueError(f"must be an address such as {schemes[0]}://host or {schemes[0]}://host/path")
        return text.rstrip("/")

    return check


def _web_target(text: str) -> str:
    """A check of an address that something is posted to, which may have a query."""
    address, mark, query = text.partition("?")
    checked = _web_address("https", "http")(address)
    if "#" in query or any(each.isspace() for each in query):
        raise ValueError("must be an address such as https://host/path or https://host/path?key=value")
    return checked if not mark else text


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


def _redis_url(value: object) -> RedisUrl:
    if isinstance(value, RedisUrl):
        return value
    return parse_redis_url(value if isinstance(value, str) else "")


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, AfterValidator(_not_empty)]
Count = Annotated[int, BeforeValidator(_not_a_truth_value), Field(ge=1)]
Port = Annotated[int, BeforeValidator(_not_a_truth_value), Field(ge=0, le=65535)]  # 0: any free one
Duration = Annotated[float, BeforeValidator(seconds)]  # in seconds
Pause = Annotated[float, BeforeValidator(pause)]  # in seconds; 0 is none
Zone = Annotated[str, AfterValidator(_zone)]
SequenceId = Annotated[Text, BeforeValidator(_text_of_number)]
WebAddress = Annotated[str, AfterValidator(_web_address("https", "http"))]
WebTarget = Annotated[str, AfterValidator(_web_target)]
HttpsAddress = Annotated[str, AfterValidator(_web_address("https"))]
FolderPath = Annotated[Path, PlainValidator(path_of), as_text]
RedisAddress = Annotated[RedisUrl, PlainValidator(_redis_url), as_text]

EMPTY_IS_NONE = BeforeValidator(_empty_is_none)  # for optional values: "" is the same as leaving the key out
AT_LEAST_ONE = AfterValidator(_at_least_one)  # pydantic's own min_length also counts entries it refused
