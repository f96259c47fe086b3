"""Which proxy a request goes through, by the file and by the variables."""

from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from config.load import parse
from network.proxies import Proxies, login_header

PROXY = "http://proxy.example:3128"


def proxies(environ: dict[str, str] | None = None, **network: Any) -> Proxies:
    return Proxies(parse({"network": network}, folder=Path(), environ=environ or {}).network)


def chosen(of: Proxies, url: str) -> str:
    proxy = of.of(url)
    return proxy.url if proxy else ""


@pytest.mark.parametrize(
    ("exception", "direct", "proxied"),
    [
        ("example.com", ["http://example.com", "https://a.b.example.com/x"], ["http://notexample.com", "http://example.com.evil.org"]),
        (".example.com", ["http://a.example.com", "http://example.com"], ["http://notexample.com"]),
        ("*.example.com", ["http://a.example.com"], ["http://notexample.com"]),
        ("EXAMPLE.com", ["http://example.COM", "http://example.com."], []),
        ("example.com:8443", ["https://example.com:8443"], ["https://example.com", "https://example.com:443"]),
        ("example.com:443", ["https://example.com"], ["http://example.com"]),
        ("10.1.2.3", ["http://10.1.2.3:8080"], ["http://10.1.2.4", "http://110.1.2.3"]),
        ("10.0.0.0/8", ["http://10.9.9.9"], ["http://11.0.0.1", "http://ten.example"]),
        ("2001:db8::/32", ["http://[2001:db8::7]:80/x"], ["http://[2001:db9::7]/"]),
        ("2001:db8::7", ["http://[2001:db8:0::7]/"], ["http://[2001:db8::8]/"]),
        ("[2001:db8::7]:81", ["http://[2001:db8::7]:81/"], ["http://[2001:db8::7]/"]),
        ("*", ["http://anything.example", "https://10.0.0.1"], []),
    ],
)  # fmt: skip
def test_an_exception_is_reached_directly_and_nothing_else(
    exception: str, direct: list[str], proxied: list[str]
) -> None:
    for of in (
        proxies(proxy=PROXY, no_proxy=[exception]),
        proxies({"http_proxy": PROXY, "https_proxy": PROXY, "NO_PROXY": f"other.example, {exception}"}),
    ):
        assert [chosen(of, url) for url in direct] == ["" for _ in direct]
        assert [chosen(of, url) for url in proxied] == [PROXY for _ in proxied]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://localhost/x", "http://127.9.9.9", "http://[::1]:1/"]
)
def test_this_machine_is_never_reached_through_a_proxy(url: str) -> None:
    assert chosen(proxies(proxy=PROXY), url) == ""
    assert chosen(proxies({"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}), url) == ""


@pytest.mark.parametrize(
    ("environ", "http", "https"),
    [
        ({}, "", ""),
        ({"HTTPS_PROXY": PROXY}, "", PROXY),
        ({"https_proxy": PROXY}, "", PROXY),
        ({"HTTP_PROXY": "proxy.example:3128"}, PROXY, ""),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "", ""),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PROXY, ""),
        ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, "", ""),
        ({"HTTPS_PROXY": "  "}, "", ""),
        ({"HTTPS_PROXY": "http://proxy.example:3128/"}, "", PROXY),
    ],
)
def test_the_variables_say_so_where_the_file_does_not(environ: dict[str, str], http: str, https: str) -> None:
    of = proxies(environ)
    assert (chosen(of, "http://a.example"), chosen(of, "https://a.example")) == (http, https)


def test_the_file_takes_the_place_of_all_the_variables() -> None:
    of = proxies({"HTTPS_PROXY": "http://other.example:1", "NO_PROXY": "*"}, proxy=PROXY)
    assert chosen(of, "https://a.example") == PROXY


def test_the_environment_sets_the_section_as_any_other() -> None:
    named = {
        "SEQUENCE_SYNC__NETWORK__PROXY": PROXY,
        "SEQUENCE_SYNC__NETWORK__NO_PROXY": "a.example,b.example",
    }
    of = proxies(named)
    assert [chosen(of, f"https://{host}.example") for host in "abc"] == ["", "", PROXY]


def test_a_login_is_sent_and_never_shown() -> None:
    settings = parse(
        {"network": {"proxy": PROXY, "proxy_username": "env:WHO", "proxy_password": "env:SECRET"}},
        folder=Path(),
        environ={"WHO": "sync", "SECRET": "pärt:1"},
    ).network
    [proxy] = [Proxies(settings).of("https://a.example")]
    assert login_header(proxy) == {"Proxy-Authorization": "Basic c3luYzpww6RydDox"}
    assert "pärt" not in repr(settings) + repr(proxy) + settings.model_dump_json()


def test_a_login_in_a_variable_is_sent_and_never_shown() -> None:
    settings = parse(
        {}, folder=Path(), environ={"HTTPS_PROXY": "http://sync:p%40ss@proxy.example:3128"}
    ).network
    proxy = Proxies(settings).of("https://a.example")
    assert proxy is not None
    assert proxy.url == PROXY
    assert login_header(proxy) == {"Proxy-Authorization": "Basic c3luYzpwQHNz"}
    assert "p%40ss" not in repr(settings) + repr(proxy) + settings.model_dump_json()
    assert "p@ss" not in repr(settings) + repr(proxy)


@pytest.mark.parametrize(
    ("network", "environ", "said"),
    [
        ({"proxy": "http://sync:planted@proxy.example"}, {}, "network.proxy: must not hold a login; give it by proxy_username"),
        ({"proxy": "socks5://proxy.example"}, {}, "network.proxy: must be an address such as http://proxy.example.com:3128"),
        ({"proxy": "proxy.example:3128"}, {}, "network.proxy: must be an address such as"),
        ({"proxy": PROXY, "no_proxy": ["https://a.example"]}, {}, "network.no_proxy[0]: must be a host, host:port"),
        ({"proxy": PROXY, "no_proxy": ["10.0.0.0/33"]}, {}, "network.no_proxy[0]: must be a network such as"),
        ({"proxy_username": "env:WHO"}, {"WHO": "me"}, "network.proxy_username: there is no network.proxy"),
        ({"proxy": PROXY, "proxy_password": "env:WHO"}, {"WHO": "me"}, "network.proxy_password: there is no proxy_username"),
        ({"ca_file": "missing.pem"}, {}, "network.ca_file: there is no file"),
        ({"ca_file": __file__}, {}, "network.ca_file: "),
        ({}, {"HTTPS_PROXY": "socks5://me:planted@proxy.example"}, "network: the environment variable HTTPS_PROXY must be an address"),
        ({}, {"HTTP_PROXY": "http://me:planted@proxy.example:x"}, "network: the environment variable HTTP_PROXY must be an address"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_and_no_login_repeated(
    network: dict[str, Any], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        proxies(environ, **network)
    assert said in str(raised.value)
    assert "planted" not in str(raised.value)
