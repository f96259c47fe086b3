"""A deploy: every process is replaced, one after the other, while callbacks keep coming in."""

import asyncio
import itertools
import signal
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import datetime, timedelta

import aiohttp
import pytest

from cli.processes import free_ports
from receiver.signature import signature
from tests.acceptance.conftest import Service
from tests.integration.calendars import one_part, utc
from tests.waiting import comes, until

RATE = 200
"""Callbacks a second, as long as the machine keeps up."""
UNDER_WAY = 30
BOOKINGS = 60
PARTS = ("123", "456")
"""One goes to Google, one to Microsoft."""


class Balancer:
    """Sends each callback to the next receiver that said it is ready, as a load balancer does."""

    def __init__(self, service: Service) -> None:
        self.ready: list[str] = []
        self.answers: Counter[str] = Counter()
        self.newest: dict[str, datetime] = {}
        self._secret = service.secrets[0]
        self._serial = itertools.count()
        self._places = asyncio.Semaphore(UNDER_WAY)
        self._of_booking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def watch(self, receivers: dict[str, str]) -> None:
        """Asks each receiver, given as its URL by that of its `/readyz`, again and again."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while True:
                ready = []
                for probe, url in receivers.items():
                    with suppress(aiohttp.ClientError, TimeoutError):
                        async with session.get(probe) as response:
                            ready += [url] if response.status == 200 else []
                self.ready = ready
                await asyncio.sleep(0.1)

    async def send(self, done: asyncio.Event) -> None:
        """Sends callbacks until told that it is enough; then waits for the answers."""
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
            asyncio.TaskGroup() as group,
        ):
            for number in itertools.count():
                await self._places.acquire()
                if done.is_set():
                    return
                delivering = group.create_task(self._deliver(session, number % BOOKINGS))
                delivering.add_done_callback(lambda _: self._places.release())
                await asyncio.sleep(1 / RATE)

    async def _deliver(self, session: aiohttp.ClientSession, number: int) -> None:
        event_id = f"booking-{number}"
        async with self._of_booking[event_id]:
            serial = next(self._serial)
            starts_at = utc(0) + timedelta(minutes=serial)
            body = one_part(
                PARTS[number % 2],
                event_id=event_id,
                summary=event_id,
                start=f"{starts_at:%Y-%m-%dT%H:%M:%SZ}",
                end=f"{starts_at + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}",
            )
            headers = {"Cronofy-HMAC-SHA256": signature(body, secret=self._secret).decode()}
            while not self.ready:  # a busy machine answered no probe in time
                await asyncio.sleep(0.05)
            url = self.ready[serial % len(self.ready)]
            async with session.post(url, data=body, headers=headers) as response:
                retry = response.status == 503 and "Retry-After" in response.headers
                self.answers["503 with Retry-After" if retry else str(response.status)] += 1
                if response.status == 202:
                    self.newest[event_id] = starts_at


class Fleet:
    """Two receivers and two workers on ports of their own."""

    def __init__(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        self._service = service
        self._monkeypatch = monkeypatch
        self.ports = {name: free_ports(2) for name in ("receiver 1", "receiver 2", "worker 1", "worker 2")}
        self.running: dict[str, asyncio.subprocess.Process] = {}

    @property
    def receivers(self) -> dict[str, str]:
        return {
            f"http://127.0.0.1:{admin}/readyz": f"http://127.0.0.1:{port}/callbacks/hiring"
            for name, (port, admin) in self.ports.items()
            if name.startswith("receiver")
        }

    async def start(self, name: str) -> None:
        kind, (port, admin) = name.partition(" ")[0], self.ports[name]
        if kind == "receiver":
            self._monkeypatch.setenv("SEQUENCE_SYNC__RECEIVER__PORT", str(port))
        self._monkeypatch.setenv(f"SEQUENCE_SYNC__{kind.upper()}__ADMIN_PORT", str(admin))
        self.running[name] = await self._service.start(kind, admin_port=admin)

    async def replace(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGTERM)
        assert await comes(self.running[name].wait()) == 0
        await self.start(name)


async def test_a_rolling_restart_under_load_loses_and_repeats_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__RECEIVER__DRAIN_DELAY", "4s")
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__LEASE", "5s")
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__DRAIN_TIMEOUT", "1s")  # some writes are abandoned
    fleet, balancer, done = Fleet(service, monkeypatch), Balancer(service), asyncio.Event()
    for name in fleet.ports:
        await fleet.start(name)
    watching = asyncio.create_task(balancer.watch(fleet.receivers))
    await until(lambda: len(balancer.ready) == 2)
    sending = asyncio.create_task(balancer.send(done))
    for name in fleet.ports:
        await fleet.replace(name)
        await until(lambda: len(balancer.ready) == 2)
    done.set()
    await sending
    watching.cancel()
    assert set(balancer.answers) <= {"202", "200", "503 with Retry-After"}, balancer.answers
    assert balancer.answers["202"] > 4 * BOOKINGS
    await service.written()
    found = defaultdict(list)
    for event in service.events():
        found[event.summary].append(event.starts_at)
    assert found == {event_id: [at] for event_id, at in balancer.newest.items()}
