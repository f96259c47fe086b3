"""The whole product as processes, with the sandbox in the test's own process so that it can be looked into."""

import asyncio
import json
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from bookings.connection import connect
from bookings.embedded import EmbeddedRedis
from bookings.store import Store
from cli.demo_world import DemoPorts
from cli.processes import Processes
from config.load import load
from config.settings import Settings
from receiver.signature import signature
from sandbox import inspection
from sandbox.inspection import SeenEvent
from sandbox.server import Sandbox
from tests.integration.calendars import GOOGLE, MICROSOFT

SECRETS = ("first-client-secret", "second-client-secret")

_TOML = """
[redis]
data_dir = "data"
[receiver]
host = "127.0.0.1"
port = {ports.receiver}
admin_host = "127.0.0.1"
admin_port = {ports.receiver_admin}
[worker]
admin_host = "127.0.0.1"
admin_port = {ports.worker_admin}
lease = "1s"
request_timeout = "20s"
[[apps]]
name = "hiring"
client_secrets = ["file:first", "file:second"]
[[accounts]]
name = "google-hr"
provider = "google"
service_account = "file:google.json"
api_endpoint = "{sandbox.google_endpoint}"
[[accounts]]
name = "microsoft-hr"
provider = "microsoft"
tenant_id = "globex"
client_id = "sync"
client_secret = "file:microsoft"
authority = "{sandbox.authority}"
graph_endpoint = "{sandbox.graph_endpoint}"
ca_file = "{sandbox.ca_file}"
[[calendars]]
name = "interviews"
account = "google-hr"
calendar_id = "{google}"
[[calendars]]
name = "panel"
account = "microsoft-hr"
mailbox = "{microsoft}"
[[routes]]
app = "hiring"
sequence_id = "123"
calendars = ["interviews"]
[[routes]]
app = "hiring"
sequence_id = "456"
calendars = ["panel"]
"""


class Service:
    """A receiver and workers under test."""

    def __init__(self, folder: Path, sandbox: Sandbox, redis: EmbeddedRedis, ports: DemoPorts) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.redis = redis
        self.ports = ports
        self.config = folder / "sequence-sync.toml"
        self.processes = Processes(folder)
        self.url = f"http://127.0.0.1:{ports.receiver}/callbacks/hiring"

    @property
    def settings(self) -> Settings:
        return load(self.config, {})

    async def start(self, name: str) -> asyncio.subprocess.Process:
        """Starts `receiver` or `worker` and waits until it is ready."""
        child = await self.processes.start(name, "--config", str(self.config))
        port = self.ports.receiver_admin if name == "receiver" else self.ports.worker_admin
        await self.processes.ready(f"http://127.0.0.1:{port}/readyz", child)
        return child

    async def post(self, body: bytes, *, secret: str = SECRETS[0]) -> tuple[int, dict[str, object], str]:
        """Posts a signed callback; gives status, answer and Retry-After."""
        headers = {"Cronofy-HMAC-SHA256": signature(body, secret=secret).decode()}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=body, headers=headers) as response,
        ):
            return response.status, await response.json(), response.headers.get("Retry-After", "")

    def events(self, provider: str | None = None) -> list[SeenEvent]:
        """What stands in the calendars."""
        return [event for event in inspection.events(self.sandbox.state, provider) if event.live]

    def client(self) -> Redis:
        """A client of the service's Redis."""
        return connect(self.settings.redis)

    async def open_parts(self) -> int:
        client = self.client()
        try:
            return (await Store(client, self.settings.redis.key_prefix).counts())["open"]
        finally:
            await client.aclose()

    async def written(self, *, within_s: float = 20) -> None:
        """Waits until nothing is open."""
        deadline = time.monotonic() + within_s
        while await self.open_parts() > 0:
            assert time.monotonic() < deadline, self.log("worker")
            await asyncio.sleep(0.02)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


async def until(condition: Callable[[], object], *, within_s: float = 15) -> None:
    """Waits until something has become true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def kill(child: asyncio.subprocess.Process) -> None:
    """Ends a child as a crash would."""
    os.kill(child.pid, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    folder = Path(tempfile.mkdtemp(prefix="sync-"))
    async with Sandbox() as sandbox, EmbeddedRedis(folder / "data") as redis:
        sandbox.state.google.put_calendar(GOOGLE, shared_with={"*": "writer"})
        sandbox.state.microsoft.put_calendar(MICROSOFT, None)
        sandbox.state.microsoft_tokens.register("globex", "sync", secret="microsoft-secret")
        ports = DemoPorts(*free_ports(6))
        for name, text in {
            "first": SECRETS[0],
            "second": SECRETS[1],
            "microsoft": "microsoft-secret",
            "google.json": json.dumps(sandbox.service_account_key()),
            "sequence-sync.toml": _TOML.format(
                ports=ports, sandbox=sandbox, google=GOOGLE, microsoft=MICROSOFT
            ),
        }.items():
            (folder / name).write_text(text)
        service = Service(folder, sandbox, redis, ports)
        async with service.processes:
            yield service
    shutil.rmtree(folder)
