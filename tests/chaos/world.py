"""What a chaos run takes place in: the product's processes, a Redis on disk, and the look-alikes of both providers."""

import asyncio
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from redis.asyncio import Redis

from bookings.connection import connect
from bookings.embedded import EmbeddedRedis, end_with_parent
from bookings.store import Store
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from config.load import load
from config.settings import Settings
from sandbox.server import Sandbox
from tests.chaos.weather import Weather

LEASE_S = 1.0
INTERVIEWS = ("google", "interviews@globex.example")
ROOMS = ("google", "rooms@globex.example")
PANEL = ("microsoft", "panel@globex.example")
BOARD = ("microsoft", "board@globex.example")
CALENDARS = (INTERVIEWS, ROOMS, PANEL, BOARD)

_ENVIRONMENT = {
    "SEQUENCE_SYNC__WORKER__LEASE": f"{LEASE_S:.0f}s",
    "SEQUENCE_SYNC__WORKER__RETRY_BASE": "100ms",
    "SEQUENCE_SYNC__WORKER__RETRY_CAP": "2s",
    "SEQUENCE_SYNC__WORKER__REQUEST_TIMEOUT": "2s",
    "SEQUENCE_SYNC__WORKER__CONCURRENCY": "16",
    "SEQUENCE_SYNC__WORKER__DRAIN_TIMEOUT": "5s",
}
_MORE_TOML = """
[[calendars]]
name = "rooms"
account = "google-hr"
calendar_id = "rooms@globex.example"

[[calendars]]
name = "board"
account = "microsoft-hr"
mailbox = "board@globex.example"
"""
_ROUTE_TOML = """
[[routes]]
app = "hiring"
{by} = "{value}"
calendars = {calendars}
"""
_ROUTES = (
    ("sequence_id", "both", '["interviews", "panel"]'),
    ("sequence_id", "room", '["rooms"]'),
    ("sequence_id", "board", '["board"]'),
    ("sequence_id", "onsite-*", '["rooms", "board"]'),
    ("sub", "acc_google", '["rooms"]'),
    ("sub", "acc_microsoft", '["panel"]'),
)
_GOOGLE = 'provider = "google"\n'
_UNHURRIED = "requests_per_minute = 60000\n"  # the sandbox bears more than Google, and a run is short
_READ_LAG_S = 1.0
"""For so long, an event that was just made is not there for whoever asks by its id."""
_STOP_S = 15
_BELOW_EPHEMERAL = range(15_000, 32_000)


class Child:
    """One process of ours, started again whenever it ends, as a pod would be."""

    def __init__(self, name: str, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.process: asyncio.subprocess.Process | None = None
        self.ended: Counter[int] = Counter()
        self.command = command
        self._log = log
        self._environment = environment
        self._closing = False
        self.running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Keeps it running until `stop`."""
        self.running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with self._log.open("ab") as log:
            while not self._closing:
                self.process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **_ENVIRONMENT, **self._environment},
                    preexec_fn=end_with_parent,
                )
                if self._closing:  # asked to, while it was being started
                    self.process.terminate()
                status = await self.process.wait()
                if not self._closing:
                    self.ended[status] += 1
                    await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals) -> bool:
        """Sends a signal; False where there is nobody to get it."""
        if self.process is None or self.process.returncode is not None:
            return False
        self.process.send_signal(number)
        return True

    async def stop(self) -> str:
        """Ends it as a deploy would; gives what is wrong with how it ended."""
        self._closing = True
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self.running is None:
            return ""
        _, late = await asyncio.wait({self.running}, timeout=_STOP_S)
        if late:
            self.signal(signal.SIGKILL)
        await self.running
        status = self.process.returncode if self.process else 0
        return f"{self.name}: told to stop, it ended with status {status}" if status else ""


class World:
    """Everything that runs; an async context manager. Logs and data stay in `folder` if `keep` is set."""

    def __init__(self, seed: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.keep = False
        self.weather = Weather(seed)
        self.sandbox = Sandbox(ca_file=self.folder / CA_FILE)
        self.redis = EmbeddedRedis(self.folder / "data")
        self.children: dict[str, Child] = {}
        self.receiver_url = ""
        self.admin_urls: dict[str, str] = {}
        self._config = self.folder / "sequence-sync.toml"
        self._stack = AsyncExitStack()

    def lag(self, seconds: float) -> None:
        """For so long after it was made, an event is not shown."""
        state = self.sandbox.state
        for provider, address in CALENDARS:
            if provider == "google":
                state.google.put_calendar(address, shared_with={"*": "writer"}, read_lag=seconds)
            else:
                state.microsoft.put_mailbox(address, read_lag=seconds)

    async def __aenter__(self) -> Self:
        stack = self._stack
        stack.callback(self._tidy)
        await stack.enter_async_context(self.sandbox)
        await stack.enter_async_context(self.redis)
        self.lag(_READ_LAG_S)
        receiver, *admin = _free_ports(4)
        own, authority = (int(url.rpartition(":")[2]) for url in (self.sandbox.url, self.sandbox.tls_url))
        ports = DemoPorts(own, authority, receiver, admin[0], admin[1])
        await write_configuration(self.folder, ports, SandboxControl(self.sandbox.url))
        routes = "".join(
            _ROUTE_TOML.format(by=by, value=value, calendars=calendars) for by, value, calendars in _ROUTES
        )
        text = self._config.read_text()
        self._config.write_text(text.replace(_GOOGLE, _GOOGLE + _UNHURRIED) + _MORE_TOML + routes)
        self.sandbox.state.faults = self.weather
        self.receiver_url = f"http://127.0.0.1:{receiver}/callbacks/hiring"
        for name, port in zip(("receiver", "worker-1", "worker-2"), admin, strict=True):
            self._start(name, port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _start(self, name: str, port: int) -> None:
        kind = name.partition("-")[0]
        self.admin_urls[name] = f"http://127.0.0.1:{port}"
        self.children[name] = child = Child(
            name,
            [sys.executable, "-m", "cli.main", kind, "--config", str(self._config)],
            self.folder / f"{name}.log",
            {f"SEQUENCE_SYNC__{kind.upper()}__ADMIN_PORT": str(port)},
        )
        child.start()
        self._stack.push_async_callback(child.stop)

    async def watch(self) -> None:
        """Raises what goes wrong with starting our processes again."""
        running = [child.running for child in self.children.values() if child.running is not None]
        await asyncio.gather(*map(asyncio.shield, running))

    async def stop(self) -> list[str]:
        """Ends our processes; gives what is wrong with how they ended."""
        ends = await asyncio.gather(*(child.stop() for child in self.children.values()))
        return [end for end in ends if end]

    def _tidy(self) -> None:
        if not self.keep:
            shutil.rmtree(self.folder)

    @property
    def settings(self) -> Settings:
        """The configuration that the processes run with, as far as it is in the file."""
        return load(self._config, {})

    def client(self) -> Redis:
        """A client of the Redis under test."""
        return connect(self.settings.redis)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The record under test."""
        client = self.client()
        try:
            yield Store(client, self.settings.redis.key_prefix)
        finally:
            await client.aclose()

    @property
    def cronofy_secret(self) -> str:
        """The secret that callbacks are signed with."""
        return (self.folder / "cronofy_current").read_text()

    def secrets(self) -> list[str]:
        """Everything that must never be seen, the access tokens issued until now among it."""
        names = ("cronofy_previous", "cronofy_current", "microsoft_secret")
        state = self.sandbox.state
        return [
            *((self.folder / name).read_text() for name in names),
            "PRIVATE KEY",
            *state.google_tokens.grants,
            *state.microsoft_tokens.grants,
        ]

    def logs(self) -> list[Path]:
        """The log files of every process, Redis among them."""
        return [*sorted(self.folder.glob("*.log")), self.folder / "data" / "redis.log"]


def _free_ports(count: int) -> list[int]:
    """Ports that stay free while a process is away: none that the kernel would lend to a connection."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_BELOW_EPHEMERAL)  # noqa: S311 - any that is free
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        if port not in found:
            found.append(port)
    return found
