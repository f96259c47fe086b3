"""The whole product as processes, configured as the demo is, with a sandbox that the test can look into."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from bookings.connection import connect
from bookings.delayed import counted
from bookings.embedded import EmbeddedRedis
from bookings.store import Store
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from cli.processes import Processes, free_ports
from config.load import load
from config.settings import Settings
from receiver.signature import signature
from sandbox import inspection
from sandbox.inspection import SeenEvent
from sandbox.server import Sandbox
from tests import unrouted
from tests.integration.calendars import GOOGLE, MICROSOFT
from tests.waiting import until


class Service:
    """A receiver and workers under test."""

    def __init__(
        self, folder: Path, config: Path, sandbox: Sandbox, redis: EmbeddedRedis, ports: DemoPorts
    ) -> None:
        self.folder = folder
        self.config = config
        self.sandbox = sandbox
        self.redis = redis
        self.ports = ports
        self.processes = Processes(folder)
        self.url = f"http://127.0.0.1:{ports.receiver}/callbacks/hiring"

    @property
    def settings(self) -> Settings:
        return load(self.config, {})

    async def start(self, name: str, *, admin_port: int = 0) -> asyncio.subprocess.Process:
        """Starts `receiver` or `worker` and waits until it is ready; `admin_port` if not the configured one."""
        child = await self.processes.start(name, "--config", str(self.config))
        port = self.ports.receiver_admin if name == "receiver" else self.ports.worker_admin
        port = admin_port or port
        await self.processes.ready(f"http://127.0.0.1:{port}/readyz", child)
        return child

    @property
    def secrets(self) -> list[str]:
        """What must never be seen anywhere."""
        names = ("cronofy_previous", "cronofy_current", "microsoft_secret", "google.json")
        return [(self.folder / name).read_text() for name in names]

    async def post(self, body: bytes, *, token: str = "") -> tuple[int, dict[str, object], str]:
        """Posts a signed callback, on a link's address if it has a token; gives status, answer and Retry-After."""
        headers = {"Cronofy-HMAC-SHA256": signature(body, secret=self.secrets[0]).decode()}
        async with (
            aiohttp.ClientSession() as session,
            session.post("/".join(filter(None, (self.url, token))), data=body, headers=headers) as response,
        ):
            return response.status, await response.json(), response.headers.get("Retry-After", "")

    def events(self, provider: str | None = None) -> list[SeenEvent]:
        """What stands in the calendars."""
        return [event for event in inspection.events(self.sandbox.state, provider) if event.live]

    def client(self) -> Redis:
        """A client of the service's Redis."""
        return connect(self.settings.redis)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """What the service stored, seen over a connection of its own."""
        settings = self.settings
        async with connect(settings.redis) as client:
            yield Store.of(settings, client)

    async def delayed(self, count: int) -> None:
        """Waits until so many writes are parked or retrying, and all others written."""
        async with self.store() as store:

            async def so_many_wait() -> bool:
                delayed = sum(each.count for each in await counted(store))
                return (delayed, await self.open_parts()) == (count, count)

            await self._until(so_many_wait)

    async def open_parts(self) -> int:
        async with self.store() as store:
            return (await store.counts())["open"]

    async def written(self) -> None:
        """Waits until nothing is open."""
        async with self.store() as store:

            async def nothing_is_open() -> bool:
                return (await store.counts())["open"] == 0

            await self._until(nothing_is_open)

    async def _until(self, condition: Callable[[], object]) -> None:
        try:
            await until(condition)
        except TimeoutError:
            raise AssertionError(self.log("worker")) from None

    async def find_no_route(self, *, parts: int = 1) -> None:
        """Waits until so many parts wait for a route, and lets the time pass that they do; they die of it."""
        async with self.store() as store:

            async def so_many_wait() -> bool:
                return len(await unrouted.waiting(store)) >= parts

            await self._until(so_many_wait)
            await unrouted.let_it_pass(store, await unrouted.waiting(store))
        await self.written()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


def kill(child: asyncio.subprocess.Process) -> None:
    """Ends a child as a crash would."""
    os.kill(child.pid, signal.SIGKILL)


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__LEASE", "1s")
    folder = Path(tempfile.mkdtemp(prefix="sync-"))
    async with Sandbox(ca_file=folder / CA_FILE) as sandbox, EmbeddedRedis(folder / "data") as redis:
        sandbox.state.google.put_calendar(GOOGLE, shared_with={"*": "writer"})
        sandbox.state.microsoft.put_calendar(MICROSOFT, None)
        own = [int(url.rpartition(":")[2]) for url in (sandbox.url, sandbox.tls_url)]
        ports = DemoPorts(*own, *free_ports(3))
        config = await write_configuration(folder, ports, SandboxControl(sandbox.url))
        service = Service(folder, config, sandbox, redis, ports)
        async with service.processes:
            yield service
    shutil.rmtree(folder)
