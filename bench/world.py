"""What a benchmark runs in: a Redis, a sandbox as the provider far away, and our own processes."""

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import psutil

from bench.children import answers, child
from bench.redis_server import RedisServer
from bookings.connection import connect
from bookings.store import Store
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from cli.processes import free_ports
from config.load import load
from config.settings import Settings

GOOGLE = "interviews@globex.example"
MAILBOX = "panel@globex.example"
_QUICK = 'provider = "google"\nrequests_per_minute = 6000000'  # no pace of ours: the bench finds the limits


class World:
    """One benchmark's own corner of the machine."""

    def __init__(self, folder: Path, redis: RedisServer, ports: DemoPorts, config: Path) -> None:
        self.folder = folder
        self.redis = redis
        self.ports = ports
        self.config = config
        self.sandbox = SandboxControl(f"http://127.0.0.1:{ports.sandbox}")
        self.url = f"http://127.0.0.1:{ports.receiver}/callbacks/hiring"

    @property
    def settings(self) -> Settings:
        """The configuration of our processes."""
        return load(self.config, {})

    @property
    def secret(self) -> str:
        """What callbacks are signed with: the second of two secrets."""
        return (self.folder / "cronofy_current").read_text()

    def receiver(self) -> AbstractAsyncContextManager[psutil.Process]:
        """Runs a receiver."""
        return self._ours("receiver", self.ports.receiver_admin)

    def worker(
        self, number: int = 0, *, concurrency: int = 100
    ) -> AbstractAsyncContextManager[psutil.Process]:
        """Runs a worker; several need numbers."""
        port = free_ports(1)[0] if number else self.ports.worker_admin
        return self._ours("worker", port, concurrency=concurrency)

    @asynccontextmanager
    async def _ours(
        self, name: str, admin_port: int, *, concurrency: int = 100
    ) -> AsyncIterator[psutil.Process]:
        log = self.folder / f"{name}.log"
        environment = {
            "SEQUENCE_SYNC__WORKER__CONCURRENCY": str(concurrency),
            "SEQUENCE_SYNC__WORKER__ADMIN_PORT": str(admin_port if name == "worker" else 0),
        }
        command = (sys.executable, "-m", "cli.main", name, "--config", str(self.config))
        async with child(*command, log=log, environment=environment) as process:
            await answers(f"http://127.0.0.1:{admin_port}/readyz", log)
            yield process

    @asynccontextmanager
    async def reference_receiver(
        self, name: str, *arguments: str
    ) -> AsyncIterator[tuple[psutil.Process, str]]:
        """Runs a receiver as others would write it; gives where it takes callbacks, too."""
        [port] = free_ports(1)
        log = self.folder / f"{name}.log"
        secret_file = str(self.folder / "cronofy_current")
        command = (sys.executable, "-m", f"bench.references.{name}", str(port), secret_file)
        async with child(*command, *arguments, log=log) as process:
            await answers(f"http://127.0.0.1:{port}/", log)
            yield process, f"http://127.0.0.1:{port}/callbacks/hiring"

    def google_worker(self, name: str) -> AbstractAsyncContextManager[psutil.Process]:
        """Runs a worker as others would write it, on the same Redis and the same calendar."""
        environment = {
            "BENCH_REDIS": self.redis.url,
            "BENCH_GOOGLE": f"{self.sandbox.url}/calendar/v3/",
            "BENCH_GOOGLE_KEY": str(self.folder / "google.json"),
        }
        command = (sys.executable, "-m", "bench.references.google_worker", name)
        return child(*command, log=self.folder / f"{name}.log", environment=environment)

    async def delay(self, seconds: float) -> None:
        """Makes every provider answer so much later."""
        for provider in ("google", "microsoft"):
            await self.sandbox.post(
                "/faults", {"fault": f"delay;seconds={seconds}", "provider": provider, "count": None}
            )

    async def inserted(self, session: aiohttp.ClientSession) -> int:
        """How many events the providers have made."""
        async with session.get(f"{self.sandbox.url}/_sandbox/counters") as response:
            counted = (await response.json())["requests"]
        made = {("google", "POST", 200), ("microsoft", "POST", 201)}
        return sum(
            each["count"] for each in counted if (each["provider"], each["method"], each["status"]) in made
        )

    async def google_token(self) -> str:
        """An access token for the sandbox's Google, without our or anybody's detour."""
        answer = await self.sandbox.post("/google/tokens", {"subject": GOOGLE})
        token: str = answer["access_token"]
        return token

    def store(self) -> Store:
        """The record, over a connection of our own."""
        return Store(connect(self.settings.redis), self.settings.redis.key_prefix)

    async def empty(self) -> None:
        """Forgets everything, in Redis and in the calendars."""
        async with self.redis.client() as client:
            await client.flushall()
        await self.sandbox.post("/reset", {})


@asynccontextmanager
async def world(*, appendfsync: str = "always", sandbox: bool = True) -> AsyncIterator[World]:
    """Sets one up, and takes it down again."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    ports = DemoPorts(*free_ports(5))
    log = folder / "sandbox.log"
    command = (
        *(sys.executable, "-m", "cli.main", "sandbox", "--port", str(ports.sandbox)),
        *("--tls-port", str(ports.authority), "--ca-file", str(folder / CA_FILE)),
        *("--google-calendar", GOOGLE, "--mailbox", MAILBOX),
    )
    try:
        async with (
            RedisServer(folder / "redis", appendfsync=appendfsync) as redis,
            child(*command, log=log) as far,
        ):
            await answers(f"http://127.0.0.1:{ports.sandbox}/", log)
            config = await write_configuration(
                folder, ports, SandboxControl(f"http://127.0.0.1:{ports.sandbox}")
            )
            text = config.read_text().replace('url = "embedded"\ndata_dir = "data"', f'url = "{redis.url}"')
            config.write_text(text.replace('provider = "google"', _QUICK))
            if not sandbox:
                far.suspend()  # the receiver has nothing to do with it
            yield World(folder, redis, ports, config)
            if not sandbox:
                far.resume()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
