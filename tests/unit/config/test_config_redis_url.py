import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.redis_url import RedisKind, parse_redis_url

PLANTED = "pl4nted"


def test_the_word_embedded_is_understood() -> None:
    assert parse_redis_url("embedded").kind is RedisKind.EMBEDDED


@pytest.mark.parametrize(
    ("text", "host", "tls", "db"),
    [
        ("redis://h", ("h", 6379), False, 0),
        ("redis://h:7000/2", ("h", 7000), False, 2),
        ("rediss://redis.example.com:6380", ("redis.example.com", 6380), True, 0),
        ("redis://[::1]:7000/1", ("::1", 7000), False, 1),
        ("redis://h?db=3", ("h", 6379), False, 3),
    ],
)
def test_a_server_has_a_host_a_port_and_a_database(
    text: str, host: tuple[str, int], tls: bool, db: int
) -> None:
    url = parse_redis_url(text)
    assert (url.kind, url.hosts, url.tls, url.db) == (RedisKind.SERVER, (host,), tls, db)


def test_a_socket_has_a_path_and_a_database() -> None:
    url = parse_redis_url("unix:///run/redis.sock?db=4")
    assert (url.kind, url.path, url.db) == (RedisKind.UNIX, "/run/redis.sock", 4)


def test_sentinels_have_a_service_name_and_a_port_of_their_own() -> None:
    url = parse_redis_url("redis+sentinel://a,b:7001/mymaster?db=1")
    assert (url.kind, url.master, url.db) == (RedisKind.SENTINEL, "mymaster", 1)
    assert url.hosts == (("a", 26379), ("b", 7001))


def test_user_and_password_are_percent_decoded() -> None:
    url = parse_redis_url("redis://me:p%40ss%2Fw%3Ard@h")
    assert (url.username, url.password) == ("me", "p@ss/w:rd")


@pytest.mark.parametrize(
    "text",
    [
        f"redis://:{PLANTED}@h:6379/0",
        f"rediss://{PLANTED}@h",
        f"redis://a@{PLANTED}@h",
        f"unix://:{PLANTED}@/run/redis.sock",
        f"redis+sentinel://me:{PLANTED}@a,b/mymaster",
    ],
)
def test_a_password_is_neither_shown_nor_pickled(text: str) -> None:
    url = parse_redis_url(text)
    assert PLANTED not in repr(url) + str(url)
    assert "***@" in str(url)
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps(url)


def test_a_url_without_a_password_survives_pickling() -> None:
    url = parse_redis_url("redis+sentinel://a,b/mymaster?db=1")
    assert pickle.loads(pickle.dumps(url)) == url  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        f"http://:{PLANTED}@h",
        f"redis://:{PLANTED}/x@h",
        f"redis://u:12/{PLANTED}@h",
        f"redis://u:12?{PLANTED}@h",
        f"redis+sentinel://u:12/{PLANTED}@h/mymaster",
        "redis://",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:port",
        "redis://h/zero",
        "redis://h,i",
        "redis://h?timeout=5",
        "redis://h?db=1&db=2",
        "redis+sentinel://a,b",
        "redis+sentinel://a,,b/mymaster",
        "unix://run/redis.sock",
        "unix://",
    ],
)
def test_any_other_text_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match='write "embedded", "redis://host:6379/0"') as caught:
        parse_redis_url(text)
    assert PLANTED not in str(caught.value)
    assert caught.value.__context__ is None


@given(st.from_regex(r"(redis|rediss|unix|redis\+sentinel)://[^\n]*", fullmatch=True))
def test_any_url_is_understood_or_a_value_error(text: str) -> None:
    try:
        url = parse_redis_url(text)
    except ValueError:
        return
    assert url.kind is not RedisKind.EMBEDDED
