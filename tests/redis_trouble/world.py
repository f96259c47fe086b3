"""The whole product as processes in front of any Redis, and a primary with a replica and real sentinels."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bookings.embedded import EmbeddedRedis
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from cli.processes import free_ports
from config.load import load
from config.settings import Settings
from sandbox.server import Sandbox
from tests.acceptance.conftest import Service
from tests.integration.calendars import GOOGLE, MICROSOFT
from tests.redis_trouble.server import DURABLE, RedisServer

_SENTINEL = """
sentinel monitor bookings 127.0.0.1 {port} 2
sentinel down-after-milliseconds bookings 2000
sentinel failover-timeout bookings 10000
"""


class ServiceElsewhere(Service):
    """Receiver and workers whose Redis is at `redis_url`."""

    redis_url = ""

    @property
    def settings(self) -> Settings:
        return load(self.config, {"SEQUENCE_SYNC__REDIS__URL": self.redis_url})


@asynccontextmanager
async def service_at(
    redis_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ServiceElsewhere]:
    monkeypatch.setenv("SEQUENCE_SYNC__REDIS__URL", redis_url)
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__LEASE", "1s")
    async with Sandbox(ca_file=folder / CA_FILE) as sandbox:
        sandbox.state.google.put_calendar(GOOGLE, shared_with={"*": "writer"})
        sandbox.state.microsoft.put_calendar(MICROSOFT, None)
        own = [int(url.rpartition(":")[2]) for url in (sandbox.url, sandbox.tls_url)]
        ports = DemoPorts(*own, *free_ports(3))
        config = await write_configuration(folder, ports, SandboxControl(sandbox.url))
        service = ServiceElsewhere(folder, config, sandbox, EmbeddedRedis(folder / "unused"), ports)
        service.redis_url = redis_url
        async with service.processes:
            yield service


class Cluster:
    """A primary, its replica, and three sentinels of which two must agree."""

    def __init__(self, folder: Path, *, of_sentinels: str = "") -> None:
        self.primary = RedisServer(folder / "primary", *DURABLE)
        follow = ("--replicaof", "127.0.0.1", str(self.primary.port))
        self.replica = RedisServer(folder / "replica", *DURABLE, *follow)
        self.sentinels = []
        for number in range(3):
            config = folder / f"sentinel-{number}.conf"
            config.write_text(_SENTINEL.format(port=self.primary.port) + of_sentinels)
            self.sentinels.append(RedisServer(folder / f"sentinel-{number}", str(config), "--sentinel"))

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/bookings"


@asynccontextmanager
async def running_cluster(folder: Path, *, of_sentinels: str = "") -> AsyncIterator[Cluster]:
    """A cluster whose replica follows and whose sentinels know of each other, configured further by a text."""
    cluster = Cluster(folder, of_sentinels=of_sentinels)
    async with AsyncExitStack() as stack:
        for server in (cluster.primary, cluster.replica, *cluster.sentinels):
            await stack.enter_async_context(server)
        yield cluster
