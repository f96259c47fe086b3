"""Where Redis is: the parts of `redis.url`, with whatever it says about a password kept out of sight."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, unquote

_HOW = (
    'not the address of a Redis; write "embedded", "redis://host:6379/0", "rediss://host:6379/0", '
    '"unix:///path/redis.sock" or "redis+sentinel://host:26379,host2:26379/mymaster" '
    "(with % codes for special characters in a password)"
)
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@/,\s]+))(?::([0-9]{1,5}))?", re.ASCII)
_MASTER = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)


class RedisKind(StrEnum):
    """How Redis is reached."""

    EMBEDDED = "embedded"  # a redis-server that `up` starts itself, state in `redis.data_dir`
    SERVER = "server"
    UNIX = "unix"
    SENTINEL = "sentinel"


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A parsed `redis.url`. `str()` is the URL with `***` for its user and password."""

    text: str
    kind: RedisKind
    tls: bool = False  # for a sentinel URL: to the sentinels, and to the servers that they name
    hosts: tuple[tuple[str, int], ...] = ()  # one for a server, the sentinels for a sentinel URL
    path: str = ""  # of the socket
    master: str = ""  # the sentinels' name of the service
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        if self.username is not None or self.password is not None:
            raise TypeError('a redis.url with a password is not pickled; write redis.password = "env:NAME"')
        return parse_redis_url, (self.text,)


def parse_redis_url(text: str) -> RedisUrl:
    """The parts of a Redis URL; user and password are percent-decoded, `?db=` is understood everywhere.

    Raises:
        ValueError: none of the forms; says which there are, and repeats nothing of the URL.
    """
    if text == RedisKind.EMBEDDED:
        return RedisUrl(text, RedisKind.EMBEDDED)
    try:
        return _parse(text)
    except ValueError:
        pass  # what int() and others say may hold a piece of a password
    raise ValueError(_HOW)


def _parse(text: str) -> RedisUrl:
    scheme, _, rest = text.partition("://")
    place, mark, query = rest.partition("?")
    authority, slash, path = place.partition("/")
    login, at, hosts = authority.rpartition("@")
    username, _, password = login.partition(":")
    url = RedisUrl(
        text=f"{scheme}://{'***' if at else ''}{at}{hosts}{slash}{path}{mark}{query}",
        kind=RedisKind.SERVER,
        tls=scheme.startswith("rediss"),
        db=_db(query),
        username=unquote(username) or None,
        password=unquote(password) or None,
    )
    match scheme:
        case "redis" | "rediss":
            db = _number(path) if path else url.db
            return replace(url, hosts=(_host(hosts, 6379),), db=db)
        case "redis+sentinel" | "rediss+sentinel":
            sentinels = tuple(_host(each, 26379) for each in hosts.split(","))
            return replace(url, kind=RedisKind.SENTINEL, hosts=sentinels, master=_matching(_MASTER, path)[0])
        case "unix" if path and not hosts:
            return replace(url, kind=RedisKind.UNIX, path="/" + unquote(path))
    raise ValueError


def _host(text: str, default_port: int) -> tuple[str, int]:
    form = _matching(_HOST, text)
    port = int(form[3] or default_port)
    if not 0 < port < 65536:
        raise ValueError
    return form[1] or form[2], port


def _db(query: str) -> int:
    if not query:
        return 0
    [(key, value)] = parse_qsl(query, strict_parsing=True)
    if key != "db":
        raise ValueError
    return _number(value)


def _number(text: str) -> int:
    return int(_matching(_NUMBER, text)[0])


def _matching(form: re.Pattern[str], text: str) -> re.Match[str]:
    found = form.fullmatch(text)
    if found is None:
        raise ValueError
    return found
