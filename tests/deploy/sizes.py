"""Measures what docs/sizing.md says: `python -m tests.deploy.sizes`, in a machine with nothing else to do.

Start-up, memory and CPU of our processes (of the Python that runs this, or of PYTHON), and what Redis needs for each
booking of the documented callback. The providers are the sandbox, which is no measure of theirs.
"""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bookings.embedded import EmbeddedRedis
from bookings.store import Store
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from cli.processes import free_ports
from receiver.signature import signature
from sandbox.server import Sandbox
from tests.acceptance.conftest import Service
from tests.callbacks import changed
from tests.integration.calendars import GOOGLE, MICROSOFT, one_part

_RUNS = 5
_CALLBACKS = 1000
_REST_S = 5.0
_AT_A_TIME = 16
_PYTHON = os.environ.get("PYTHON", sys.executable)
_MIB = 2**20


def say(what: str, figure: float, unit: str) -> None:
    sys.stdout.write(f"{what:<70} {figure:>10,.2f} {unit}\n")


async def started(service: Service, name: str) -> tuple[asyncio.subprocess.Process, float]:
    """Starts a process; gives it, and after how many seconds its /readyz said ok."""
    port = service.ports.receiver_admin if name == "receiver" else service.ports.worker_admin
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        *(_PYTHON, "-m", "cli.main", name, "--config", str(service.config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=service.folder,
    )
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == 200:
                        return child, time.monotonic() - began
            except aiohttp.ClientError:
                await asyncio.sleep(0.005)


async def ended(child: asyncio.subprocess.Process) -> None:
    child.terminate()
    await child.wait()


async def start_up(service: Service) -> None:
    for name in ("receiver", "worker"):
        times, cpu = [], []
        for _ in range(_RUNS):
            child, took = await started(service, name)
            times.append(took)
            cpu.append(cpu_ms(child))
            await ended(child)
        say(f"{name}: start until ready, median of {_RUNS}", statistics.median(times), "s")
        say(f"{name}: start until ready, the fastest of {_RUNS}", min(times), "s")
        say(f"{name}: CPU for a start, median of {_RUNS}", statistics.median(cpu) / 1000, "s")


def resident(child: asyncio.subprocess.Process) -> float:
    return float(psutil.Process(child.pid).memory_info().rss) / _MIB


def cpu_ms(child: asyncio.subprocess.Process) -> float:
    times = psutil.Process(child.pid).cpu_times()
    return 1000 * float(times.user + times.system)


async def post_all(service: Service, bodies: Iterable[bytes]) -> None:
    """Posts one after another, some at a time over connections that are kept."""
    secret = service.secrets[0]
    connector = aiohttp.TCPConnector(limit=_AT_A_TIME)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def post(body: bytes) -> None:
            headers = {"Cronofy-HMAC-SHA256": signature(body, secret=secret).decode()}
            async with session.post(service.url, data=body, headers=headers) as response:
                assert response.status == 202, await response.text()

        await asyncio.gather(*map(post, bodies))


async def in_redis(service: Service, when: str, before: int) -> None:
    """What the bookings take, of Redis' own memory and of its keys."""
    async with service.client() as client:
        memory: dict[str, Any] = await client.info("memory")
        store = Store(client, service.settings.redis.key_prefix)
        usages = [
            await client.memory_usage(key, samples=0)
            async for key in client.scan_iter(store.keys.bookings + "*", count=1000)
        ]
    say(
        f"Redis, {when}: used_memory for each booking", (memory["used_memory"] - before) / _CALLBACKS, "bytes"
    )
    say(f"Redis, {when}: MEMORY USAGE of its hash, mean", statistics.mean(usages), "bytes")


async def work(service: Service) -> None:
    async with service.client() as client:
        empty = int((await client.info("memory"))["used_memory"])
    receiver, _ = await started(service, "receiver")
    worker, _ = await started(service, "worker")
    children = {"receiver": receiver, "worker": worker}
    began = {name: cpu_ms(child) for name, child in children.items()}
    await asyncio.sleep(_REST_S)
    for name, child in children.items():
        say(f"{name}: resident at rest", resident(child), "MiB")
        say(f"{name}: CPU at rest", (cpu_ms(child) - began[name]) / _REST_S / 10, "% of a core")
    await ended(worker)

    rest = cpu_ms(receiver)
    await post_all(service, (changed(event__event_id=f"booking-{number}") for number in range(_CALLBACKS)))
    say("receiver: CPU for each callback", (cpu_ms(receiver) - rest) / _CALLBACKS, "ms")
    say(f"receiver: resident after {_CALLBACKS} callbacks", resident(receiver), "MiB")
    await in_redis(service, "accepted", empty)

    worker = await written(service, "a Google calendar and a mailbox")
    say(f"worker: resident after {len(service.events())} writes", resident(worker), "MiB")
    await in_redis(service, "written", empty)
    file = sum(
        path.stat().st_size for path in (service.folder / "data").rglob("appendonly*") if path.is_file()
    )
    say("Redis, written: append-only file for each booking", file / _CALLBACKS, "bytes")
    await ended(worker)

    await post_all(service, (one_part("123", event_id=f"another-{number}") for number in range(_CALLBACKS)))
    await ended(await written(service, "a Google calendar alone"))
    await ended(receiver)


async def written(service: Service, where: str) -> asyncio.subprocess.Process:
    """Lets a worker write what is open, and gives it."""
    answered = service.sandbox.state.journal.answered
    events, requests = len(service.events()), answered.total()
    worker, _ = await started(service, "worker")
    rest, began = cpu_ms(worker), time.monotonic()
    await service.written(within_s=600)
    writes = len(service.events()) - events
    say(f"worker, {where}: CPU for each write", (cpu_ms(worker) - rest) / writes, "ms")
    say(f"worker, {where}: writes a second", writes / (time.monotonic() - began), "")
    say(f"worker, {where}: requests for each", (answered.total() - requests) / writes, "")
    return worker


async def main() -> None:
    """Measures, and prints a line for each figure."""
    folder = Path(tempfile.mkdtemp(prefix="sync-"))
    os.environ["SEQUENCE_SYNC__WORKER__CONCURRENCY"] = "100"
    async with Sandbox(ca_file=folder / CA_FILE) as sandbox, EmbeddedRedis(folder / "data") as redis:
        sandbox.state.google.put_calendar(GOOGLE, shared_with={"*": "writer"})
        sandbox.state.microsoft.put_calendar(MICROSOFT, None)
        own = [int(url.rpartition(":")[2]) for url in (sandbox.url, sandbox.tls_url)]
        ports = DemoPorts(*own, *free_ports(3))
        config = await write_configuration(folder, ports, SandboxControl(sandbox.url))
        text = config.read_text()
        config.write_text(
            text.replace('provider = "google"', 'provider = "google"\nrequests_per_minute = 60000')
        )
        service = Service(folder, config, sandbox, redis, ports)
        await start_up(service)
        await work(service)
    shutil.rmtree(folder)


if __name__ == "__main__":
    asyncio.run(main())
