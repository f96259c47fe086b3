"""The sandbox: the look-alikes on one HTTP and one HTTPS port, with state of its own."""

import asyncio
import signal
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import trustme
from aiohttp import web

from sandbox import (
    control,
    control_credentials,
    credentials,
    cronofy,
    cronofy_control,
    cronofy_page,
    google,
    google_consent,
    google_federation,
    google_iam,
    google_token,
    inspection,
    metadata_servers,
    microsoft,
    microsoft_consent,
    microsoft_token,
    page,
)
from sandbox.clock import Clock
from sandbox.cronofy_choice import Subs
from sandbox.cronofy_courier import COURIER, Courier
from sandbox.cronofy_link import CronofyApp, CronofyLink
from sandbox.google_tokens import CLOUD_SCOPE, Pool
from sandbox.inspection import SeenEvent
from sandbox.person import Person
from sandbox.state import STATE, State

SHUTDOWN_SECONDS = 0.5
MAX_BODY_BYTES = 4 * 2**20
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


class Sandbox:
    """Look-alikes of Google Calendar, Microsoft Graph and both token endpoints, and of Cronofy's links.

    Use it as an async context manager; port 0 takes any free port. The HTTPS certificate is for localhost
    and signed by a fresh authority, whose certificate is written to `ca_file` (a temporary file unless
    given).

    Args:
        host: the address to listen on.
        port: the port for HTTP.
        tls_port: the port for HTTPS; everything is served on both, and msal insists on it.
        ca_file: where to write the authority's certificate.
        names: further hosts that the HTTPS certificate is for.
        clock: gives the present time in Unix seconds.
        seed: decides which requests a fault of some probability hits.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_port: int = 0,
        ca_file: str | Path | None = None,
        *,
        names: Iterable[str] = (),
        clock: Clock = time.time,
        seed: int = 0,
    ) -> None:
        self.state = State(clock, seed)
        self._host = host
        self._ports = (port, tls_port)
        self._wanted_ca_file = ca_file
        self._names = tuple(names)
        self.ca_file = ""
        self.url = ""
        self.tls_url = ""
        self._runner: web.AppRunner | None = None
        self._courier: Courier | None = None

    async def __aenter__(self) -> Self:
        """Start listening."""
        http, https = (_listening(self._host, port) for port in self._ports)
        shown_host = "127.0.0.1" if self._host in _EVERYWHERE else self._host
        in_url = f"[{shown_host}]" if ":" in shown_host else shown_host
        self.url = f"http://{in_url}:{http.getsockname()[1]}"
        self.tls_url = f"https://localhost:{https.getsockname()[1]}"
        self._courier = Courier(self.state)
        app = _app(self.state, self._courier)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, http).start()
        await web.SockSite(self._runner, https, ssl_context=self._tls(shown_host)).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; held replies are let go, callbacks under way are given up."""
        self.state.faults.release()
        if self._courier is not None:
            await self._courier.close()
        if self._runner is not None:
            server = self._runner.server
            open_still = [each.transport for each in (server.connections if server else ())]
            await self._runner.cleanup()
            for transport in filter(None, open_still):
                transport.abort()  # over TLS, a client that is gone would be waited for
            await asyncio.sleep(0)  # a transport gives its socket back a turn of the loop later
        self._remove_ca_file()

    @property
    def google_endpoint(self) -> str:
        """The base of Google Calendar v3."""
        return f"{self.url}{google.BASE}/"

    @property
    def google_token_uri(self) -> str:
        """Google's token endpoint."""
        return f"{self.url}{google_token.PATH}"

    @property
    def google_authorization_endpoint(self) -> str:
        """Google's consent page."""
        return f"{self.url}{google_consent.PATH}"

    @property
    def iam_endpoint(self) -> str:
        """The base of IAM Service Account Credentials v1."""
        return f"{self.url}{google_iam.BASE}"

    @property
    def graph_endpoint(self) -> str:
        """The base of Microsoft Graph v1.0."""
        return f"{self.url}{microsoft.BASE}"

    @property
    def authority(self) -> str:
        """Microsoft's authority, to be followed by a tenant."""
        return self.tls_url

    @property
    def cronofy_endpoint(self) -> str:
        """The base of Cronofy's API."""
        return f"{self.url}{cronofy.BASE}"

    def service_account_key(self, email: str = credentials.DEFAULT_SERVICE_ACCOUNT) -> dict[str, Any]:
        """A service account's JSON key that the token endpoint knows."""
        key = credentials.service_account_key(self.google_token_uri, email)
        self.state.google_tokens.register_key(key)
        return key

    def external_account(self, email: str, source: dict[str, Any], *, subject: str = "") -> dict[str, Any]:
        """A credentials file of a workload elsewhere, which may act as `email` by tokens of its own.

        Args:
            email: the service account.
            source: where the workload's token is, `{"file": …}` or `{"url": …}`.
            subject: the workload that may act as it; by default `workload` of the issuer's tokens.
        """
        tokens = self.state.google_tokens
        tokens.pools[credentials.AUDIENCE] = Pool(credentials.ISSUER, frozenset({credentials.AUDIENCE}))
        who = google_federation.principal(credentials.AUDIENCE, subject or credentials.WORKLOAD)
        tokens.service_account(email).actors.add(who)
        return credentials.external_account(
            source, sts=f"{self.url}{google_federation.PATH}", account=self._at_iam(email)
        )

    def impersonated_account(self, email: str, user: str) -> dict[str, Any]:
        """A credentials file of a user who may act as a service account."""
        self.state.google_tokens.service_account(email).actors.add(user)
        consent = self.authorized_user(user)
        self.state.google_tokens.consents[consent["refresh_token"]].scopes = frozenset({CLOUD_SCOPE})
        return credentials.impersonated_account(consent, self._at_iam(email))

    def attached_account(self, email: str) -> None:
        """Makes a service account the one of the machine, which may act as it."""
        self.state.google_tokens.attached = email
        self.state.google_tokens.service_account(email).actors.add(email)

    def _at_iam(self, email: str) -> str:
        return f"{self.iam_endpoint}/projects/-/serviceAccounts/{email}:generateAccessToken"

    def authorized_user(self, user: str) -> dict[str, Any]:
        """A user's consent that the token endpoint knows."""
        consent = credentials.authorized_user(self.google_token_uri, user)
        self.state.google_tokens.register_user(consent)
        return consent

    def google_token(self, subject: str) -> str:
        """An access token for a Google subject, without the detour over the token endpoint."""
        self.state.google.own_calendar(subject)
        return self.state.google_tokens.issue(subject)

    def graph_token(self, user: str | None = None, client_id: str = "sandbox") -> str:
        """An access token for Graph: an application's own, or a user's."""
        return self.state.microsoft_tokens.issue(client_id=client_id, user=user)

    def events(self, provider: str | None = None, calendar: str | None = None) -> list[SeenEvent]:
        """What is in the calendars of one or both vendors, tombstones included."""
        return inspection.events(self.state, provider, calendar)

    @property
    def person(self) -> Person:
        """Somebody who uses the calendars' own user interface."""
        return Person(self.state)

    def cronofy_app(self, **fields: Any) -> CronofyApp:
        """Makes an application known to Cronofy, or changes it.

        Args:
            fields: `client_id` ("sandbox"), `secret` ("secret", or several at once), and CronofyApp's others.
        """
        app = msgspec.convert(fields, cronofy_control.AppSpec).app()
        self.state.cronofy.register(app)
        return app

    def cronofy_links(self) -> list[CronofyLink]:
        """The links and scheduler requests that Cronofy was asked for, oldest first."""
        return list(self.state.cronofy.links.values())

    async def pick(self, link_id: str, *, start: str | None = None, subs: Subs | None = None) -> CronofyLink:
        """Somebody picks a time on a link's page; returns once the callback was taken, or given up.

        Args:
            link_id: the link's or the scheduler request's id.
            start: when the first part starts, by default at the first time that is offered.
            subs: who takes part, by `sequence_id` (or by "" where there is no sequence), by default as many
                as each group requires, in the order they are listed.

        Raises:
            KeyError: there is no such link.
            ChoiceError: it is no longer open, or the choice is wrong.
        """
        assert self._courier is not None  # the sandbox listens
        return await cronofy_control.picked(self.state.cronofy, self._courier, link_id, start, subs)

    def addresses(self) -> dict[str, str]:
        """Where everything is."""
        return {
            "url": self.url,
            "tls_url": self.tls_url,
            "ca_file": self.ca_file,
            "google_endpoint": self.google_endpoint,
            "google_token_uri": self.google_token_uri,
            "google_authorization_endpoint": self.google_authorization_endpoint,
            "iam_endpoint": self.iam_endpoint,
            "graph_endpoint": self.graph_endpoint,
            "authority": self.authority,
            "cronofy_endpoint": self.cronofy_endpoint,
        }

    def _remove_ca_file(self) -> None:
        if self._wanted_ca_file is None:
            Path(self.ca_file).unlink(missing_ok=True)

    def _tls(self, host: str) -> ssl.SSLContext:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(
            *dict.fromkeys(["localhost", "127.0.0.1", "::1", host, *self._names])
        ).configure_cert(context)
        if self._wanted_ca_file is None:
            with tempfile.NamedTemporaryFile(prefix="sandbox-ca-", suffix=".pem", delete=False) as file:
                self.ca_file = file.name
        else:
            self.ca_file = str(self._wanted_ca_file)
        authority.cert_pem.write_to_path(self.ca_file)
        return context


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens; at `::` for both families."""
    if ":" not in host:
        return socket.create_server((host, port))
    return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=host == "::")


def _print_at_once(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()  # whoever started us may be reading a pipe


async def run(
    host: str = "127.0.0.1",
    port: int = 0,
    tls_port: int = 0,
    ca_file: str | Path | None = None,
    *,
    google_calendars: Iterable[str] = (),
    mailboxes: Iterable[str] = (),
    announce: Callable[[str], None] = _print_at_once,
) -> None:
    """Serve until SIGTERM or SIGINT.

    `google_calendars` are ids open to every subject; `mailboxes` are "user" or "user/calendar id".
    `announce` gets the addresses as one line of JSON once everything listens.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Sandbox(host, port, tls_port, ca_file) as sandbox:
        for calendar_id in google_calendars:
            sandbox.state.google.put_calendar(calendar_id, shared_with={"*": "writer"})
        for mailbox in mailboxes:
            user, _, calendar_id = mailbox.partition("/")
            sandbox.state.microsoft.put_calendar(user, calendar_id or None)
        announce(msgspec.json.encode(sandbox.addresses()).decode())
        await stop.wait()


def _app(state: State, courier: Courier) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[STATE] = state
    app[COURIER] = courier
    served = (
        *(page, control, control_credentials),
        *(cronofy, cronofy_control, cronofy_page),
        *(google, google_token, google_consent, google_federation, google_iam, metadata_servers),
        *(microsoft, microsoft_token, microsoft_consent),
    )
    for endpoints in served:
        endpoints.add_routes(app.router)
    return app
