"""A worker that was stopped past its lease, and wakes up after another one has written something newer."""

import asyncio
import signal

import pytest

from bookings.record import WriteState
from bookings.store import Store
from cli.processes import free_ports
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, moved
from tests.integration.calendars import PROVIDERS, utc
from tests.waiting import until

both = pytest.mark.parametrize("provider", PROVIDERS)
LEASE_S = 1.0
STARTS = {"google": utc(11), "microsoft": utc(12)}


async def start_another_worker(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> asyncio.subprocess.Process:
    [port] = free_ports(1)
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__ADMIN_PORT", str(port))
    return await service.start("worker", admin_port=port)


async def first_revision_written(service: Service) -> asyncio.subprocess.Process:
    await service.start("receiver")
    worker = await service.start("worker")
    await service.post(SEQUENCING)
    await service.written()
    return worker


async def journalled(service: Service, provider: str) -> None:
    """Waits until the record says that the provider is being asked for a change."""
    client = service.client()
    store = Store(client, service.settings.redis.key_prefix)

    async def is_writing() -> bool:
        return WriteState.WRITING in await states(store, provider)

    await until(is_writing)
    await client.aclose()


async def states(store: Store, provider: str) -> set[WriteState]:
    bookings = [booking async for booking in store.bookings()]
    writes = [write for booking in bookings for part in booking.parts for write in part.writes]
    return {write.state for write in writes if write.address and write.address.provider == provider}


def requests(service: Service, provider: str, method: str, *, status: int = 0) -> int:
    """How many requests of that method were answered (with that status)."""
    return sum(
        (each.provider, each.method) == (provider, method) and status in (0, each.status)
        for each in service.sandbox.state.journal.requests
    )


def newest(service: Service, provider: str) -> bool:
    """Whether the provider's one event is at the time of the third revision, two hours later."""
    [event] = service.events(provider)
    return (event.starts_at - STARTS[provider]).total_seconds() == 2 * 3600


@both
async def test_a_stale_write_that_was_on_its_way_is_refused_by_the_provider(
    service: Service, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = await first_revision_written(service)
    service.sandbox.state.faults.add(fault="late", provider=provider, method="PATCH")
    await service.post(moved(1))
    await journalled(service, provider)
    await until(lambda: service.sandbox.state.faults.held)
    stopped.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.2 * LEASE_S)

    await service.post(moved(2))
    await start_another_worker(service, monkeypatch)
    await service.written()
    service.sandbox.state.faults.release()
    stopped.send_signal(signal.SIGCONT)
    await until(lambda: requests(service, provider, "PATCH", status=412) == 1)
    await until(lambda: "lease_lost" in service.log("worker"))
    assert newest(service, provider)
    assert await service.open_parts() == 0


@both
async def test_a_stale_worker_that_was_about_to_write_sends_nothing(
    service: Service, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = await first_revision_written(service)
    service.sandbox.state.faults.add(fault="conflict;status=412", provider=provider, method="PATCH")
    service.sandbox.state.faults.add(fault="hold", provider=provider, method="GET")
    await service.post(moved(1))
    await until(lambda: service.sandbox.state.faults.held)
    stopped.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.2 * LEASE_S)

    await service.post(moved(2))
    await start_another_worker(service, monkeypatch)
    await service.written()
    assert newest(service, provider)
    patches = requests(service, provider, "PATCH")
    service.sandbox.state.faults.release()
    stopped.send_signal(signal.SIGCONT)
    await until(lambda: "lease_lost" in service.log("worker"))
    assert requests(service, provider, "PATCH") == patches
    assert newest(service, provider)
    assert await service.open_parts() == 0
