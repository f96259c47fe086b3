"""Requests through a proxy and to hosts with strange certificates: what comes of them, for both libraries."""

import asyncio
import datetime as dt
import gc
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import trustme
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bookings.record import Forward
from config.load import parse
from network.advice import advice
from network.certificates import context_of
from network.outgoing import Outgoing
from network.refusals import Refusal, Unreached, unreached
from tests.forward_proxy import ForwardProxy
from tests.waiting import comes
from workers.endpoints import Endpoints
from workers.errors import CalendarError, ErrorClass

# http.client of Python 3.11 leaves the answer to a CONNECT that is refused to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)

HOST = "company.example"  # nobody but the proxy knows it
LOGIN = ("sync", "right")


class Upstream(NamedTuple):
    """A server of http and https, and what it was asked."""

    http: int
    https: int
    ca_file: Path
    asked: list[str]
    tls: ssl.SSLContext

    def proxy(
        self, login: tuple[str, str] | None = None, *, tls: ssl.SSLContext | None = None
    ) -> ForwardProxy:
        return ForwardProxy({f"{HOST}:80": self.http, f"{HOST}:443": self.https}, login, tls=tls)


@asynccontextmanager
async def serving(context: ssl.SSLContext, asked: list[str]) -> AsyncIterator[tuple[int, int]]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(f"{request.method} {request.path_qs} {(await request.read()).decode()}".strip())
        return web.Response(text="here")

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield runner.addresses[0][1], runner.addresses[1][1]
    await runner.cleanup()


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncIterator[Upstream]:
    authority, context, asked = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), list[str]()
    authority.issue_cert(HOST, "127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with serving(context, asked) as (http, https):
        yield Upstream(http, https, tmp_path / "ca.pem", asked, context)


def way(environ: dict[str, str] | None = None, *, public_only: bool = False, **network: Any) -> Outgoing:
    settings = parse({"network": network}, folder=Path(), environ=environ or {}).network
    return Outgoing(settings, public_only=public_only)


async def asynchronously(outgoing: Outgoing, url: str) -> str:
    async with outgoing, outgoing.request("POST", url, body=b"body", timeout_s=20) as response:
        return await response.text()


async def blocking(outgoing: Outgoing, url: str) -> str:
    def ask() -> str:
        with outgoing.blocking(timeout_s=20) as session:
            try:
                return session.post(url, data=b"body").text
            except requests.RequestException as error:
                raise unreached(error) from None

    return await asyncio.to_thread(ask)


Ask = Callable[[Outgoing, str], Any]
by_either = pytest.mark.parametrize("ask", [asynchronously, blocking])
to_either = pytest.mark.parametrize("scheme", ["http", "https"])


class Refused(NamedTuple):
    """What came instead of an answer."""

    code: Refusal
    sent: bool


async def refusal(ask: Ask, outgoing: Outgoing, url: str) -> Refused:
    try:
        await comes(ask(outgoing, url))
    except Unreached as error:
        refused = Refused(error.code, error.sent)
    else:
        raise AssertionError(url)
    gc.collect()  # here, where the warning is expected
    return refused


@by_either
@to_either
@pytest.mark.parametrize("by_variables", [False, True])
async def test_the_proxy_is_logged_in_to_and_resolves_the_name(
    upstream: Upstream, ask: Ask, scheme: str, by_variables: bool
) -> None:
    async with upstream.proxy(LOGIN) as proxy:
        address = proxy.url.replace("//", "//sync:right@")
        outgoing = (
            way({"HTTP_PROXY": address, "https_proxy": address, "REQUESTS_CA_BUNDLE": str(upstream.ca_file)})
            if by_variables
            else way(
                {"WHO": "sync", "PASSWORD": "right"},
                proxy=proxy.url,
                proxy_username="env:WHO",
                proxy_password="env:PASSWORD",
                ca_file=str(upstream.ca_file),
            )
        )
        assert await comes(ask(outgoing, f"{scheme}://{HOST}/path?a=b")) == "here"
    assert upstream.asked == ["POST /path?a=b body"]


@by_either
@to_either
async def test_a_proxy_may_speak_tls_itself(upstream: Upstream, ask: Ask, scheme: str) -> None:
    async with upstream.proxy(LOGIN, tls=upstream.tls) as proxy:
        variables = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url}
        variables = {name: url.replace("//", "//sync:right@") for name, url in variables.items()}
        outgoing = way(variables, ca_file=str(upstream.ca_file))
        assert await comes(ask(outgoing, f"{scheme}://{HOST}/")) == "here"
        error = await refusal(ask, way(proxy=proxy.url), f"{scheme}://{HOST}/")
    assert (error.code, error.sent) == (Refusal.CERTIFICATE_UNKNOWN_AUTHORITY, False)
    assert upstream.asked == ["POST / body"]


@by_either
@to_either
async def test_a_proxy_that_wants_a_login_has_sent_nothing_on(
    upstream: Upstream, ask: Ask, scheme: str
) -> None:
    async with upstream.proxy(LOGIN) as proxy:
        error = await refusal(ask, way(proxy=proxy.url, ca_file=str(upstream.ca_file)), f"{scheme}://{HOST}/")
    assert (error.code, error.sent) == (Refusal.PROXY_LOGIN_REQUIRED, False)
    assert upstream.asked == []


@by_either
async def test_a_proxy_that_refuses_has_sent_nothing_on(upstream: Upstream, ask: Ask) -> None:
    async with upstream.proxy() as proxy:
        error = await refusal(ask, way(proxy=proxy.url), "https://elsewhere.example/")
    assert (error.code, error.sent) == (Refusal.PROXY_REFUSED, False)


@by_either
@to_either
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "http://proxy.invalid:3128"])
async def test_a_proxy_that_is_not_there_is_no_trouble_of_the_other_side(
    ask: Ask, scheme: str, proxy: str
) -> None:
    error = await refusal(ask, way(proxy=proxy), f"{scheme}://{HOST}/")
    assert (error.code, error.sent) == (Refusal.PROXY_UNREACHABLE, False)


async def test_what_a_proxy_drops_in_the_middle_may_have_been_sent(upstream: Upstream) -> None:
    async with upstream.proxy() as proxy:
        proxy.drops_after = 1
        error = await refusal(asynchronously, way(proxy=proxy.url), f"http://{HOST}/")
    assert (error.code, error.sent) == (Refusal.CONNECTION_LOST, True)


@by_either
@pytest.mark.parametrize(
    ("url", "code"),
    [("http://nobody.invalid/", Refusal.UNKNOWN_HOST), ("http://127.0.0.1:1/", Refusal.CONNECTION_REFUSED)],
)
async def test_without_a_proxy_what_is_not_there_is_named(ask: Ask, url: str, code: Refusal) -> None:
    error = await refusal(ask, way(), url)
    assert (error.code, error.sent) == (code, False)


# -- certificates


def _certificate(case: str) -> tuple[trustme.CA, trustme.LeafCert]:
    authority = trustme.CA()
    if case == "other name":
        return authority, authority.issue_cert("other.example")
    if case == "expired":
        past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        return authority, authority.issue_cert(HOST, not_after=past)
    return trustme.CA() if case == "unknown" else authority, authority.issue_cert(HOST)


@by_either
@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("unknown", Refusal.CERTIFICATE_UNKNOWN_AUTHORITY),
        ("expired", Refusal.CERTIFICATE_EXPIRED),
        ("other name", Refusal.CERTIFICATE_OTHER_NAME),
    ],
)
async def test_a_certificate_that_is_refused_says_why_and_nothing_was_sent(
    tmp_path: Path, ask: Ask, case: str, code: Refusal
) -> None:
    trusted, certificate = _certificate(case)
    trusted.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), list[str]()
    certificate.configure_cert(context)
    async with serving(context, asked) as (_, https), ForwardProxy({f"{HOST}:443": https}) as proxy:
        error = await refusal(
            ask, way(proxy=proxy.url, ca_file=str(tmp_path / "trusted.pem")), f"https://{HOST}/"
        )
    assert (error.code, error.sent, asked) == (code, False, [])


@by_either
async def test_a_server_that_speaks_no_tls_is_named(upstream: Upstream, ask: Ask) -> None:
    async with ForwardProxy({f"{HOST}:443": upstream.http}) as proxy:
        error = await refusal(ask, way(proxy=proxy.url), f"https://{HOST}/")
    assert (error.code, error.sent) == (Refusal.TLS_FAILED, False)


def _bare_root() -> tuple[bytes, ssl.SSLContext]:
    """What many companies have: a root without key identifiers and key usage, and a server's certificate of it."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = dt.datetime.now(dt.UTC)
    made = {}
    for subject, own, is_root in (("Company Root", root_key, True), (HOST, key, False)):
        builder = x509.CertificateBuilder(
            issuer_name=_name("Company Root"),
            subject_name=_name(subject),
            public_key=own.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - dt.timedelta(days=1),
            not_valid_after=now + dt.timedelta(days=30),
        )
        extension: x509.ExtensionType = x509.SubjectAlternativeName([x509.DNSName(HOST)])
        if is_root:
            extension = x509.BasicConstraints(ca=True, path_length=None)
        made[subject] = builder.add_extension(extension, critical=is_root).sign(root_key, hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with trustme.Blob(made[HOST].public_bytes(Encoding.PEM) + private).tempfile() as path:
        context.load_cert_chain(path)
    return made["Company Root"].public_bytes(Encoding.PEM), context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@by_either
async def test_a_company_s_root_without_extensions_is_taken_by_every_version_of_python(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, context = _bare_root()
    (tmp_path / "root.pem").write_bytes(pem)
    usual = ssl.create_default_context

    def as_by_python_3_13() -> ssl.SSLContext:
        made = usual()
        made.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        return made

    monkeypatch.setattr(ssl, "create_default_context", as_by_python_3_13)
    async with serving(context, []) as (_, https), ForwardProxy({f"{HOST}:443": https}) as proxy:
        outgoing = way(proxy=proxy.url, ca_file=str(tmp_path / "root.pem"))
        assert await comes(ask(outgoing, f"https://{HOST}/")) == "here"
        strict = as_by_python_3_13()
        strict.load_verify_locations(cafile=tmp_path / "root.pem")
        monkeypatch.setattr("network.outgoing.context_of", lambda _: strict)
        error = await refusal(ask, way(proxy=proxy.url), f"https://{HOST}/")
    assert (error.code, error.sent) == (Refusal.CERTIFICATE_REFUSED, False)


def test_without_authorities_of_its_own_python_s_rules_stand() -> None:
    assert context_of(()).verify_flags == ssl.create_default_context().verify_flags


# -- what is passed on


async def _passed_on(url: str, proxy: ForwardProxy, *, private: bool) -> str:
    outgoing = way(proxy=proxy.url)
    endpoints = Endpoints(outgoing, timeout_s=20, at_a_time=1)
    try:
        await comes(endpoints.post(url, Forward(b"{}", "signature"), delivery="d", private=private))
    except CalendarError as error:
        return f"{error.error_class} {error.code}"
    finally:
        await endpoints.aclose()
    return "passed on"


async def test_a_callback_is_passed_on_where_only_the_proxy_knows_the_name(upstream: Upstream) -> None:
    async with upstream.proxy() as proxy:
        assert await _passed_on(f"http://{HOST}/cronofy", proxy, private=False) == "passed on"
    assert upstream.asked == ["POST /cronofy {}"]


@pytest.mark.parametrize("host", ["10.0.0.1", "[fd00::1]"])
async def test_no_callback_is_passed_on_to_a_private_address_through_a_proxy(
    upstream: Upstream, host: str
) -> None:
    refused = f"{ErrorClass.PERMANENT} private_address"
    async with upstream.proxy() as proxy:
        proxy.names[f"{host}:80"] = upstream.http
        assert await _passed_on(f"http://{host}/cronofy", proxy, private=False) == refused
        assert (upstream.asked, proxy.asked) == ([], [])
        assert await _passed_on(f"http://{host}/cronofy", proxy, private=True) == "passed on"


async def test_what_only_a_resolver_takes_for_an_address_reaches_no_proxy(upstream: Upstream) -> None:
    async with upstream.proxy() as proxy:
        proxy.names["10.1:80"] = upstream.http
        for private in (False, True):
            answer = await _passed_on("http://10.1/cronofy", proxy, private=private)
            assert answer == f"{ErrorClass.PERMANENT} no_address"
        assert (upstream.asked, proxy.asked) == ([], [])


def test_each_refusal_has_words_and_a_remedy() -> None:
    assert all(advice(each).words and advice(each).remedy for each in Refusal)
