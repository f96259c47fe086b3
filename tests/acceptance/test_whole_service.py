"""What the product promises, with real processes, a real Redis and real HTTP."""

import asyncio
import resource
import signal
from pathlib import Path

import pytest

from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, changed, moved
from tests.integration.calendars import utc
from tests.waiting import comes, until


async def test_ten_equal_callbacks_at_once_are_two_events_and_a_reschedule_moves_them(
    service: Service,
) -> None:
    await service.start("receiver")
    await service.start("worker")
    answers = await asyncio.gather(*(service.post(SEQUENCING) for _ in range(10)))
    assert sorted(status for status, _, _ in answers) == [200] * 9 + [202]
    await service.written()
    assert sorted((event.provider, event.starts_at) for event in service.events()) == [
        ("google", utc(11)),
        ("microsoft", utc(12)),
    ]
    before = {event.id for event in service.events()}
    assert (await service.post(moved(2)))[0] == 202
    await service.written()
    assert {event.id for event in service.events()} == before
    assert sorted(event.starts_at for event in service.events()) == [utc(13), utc(14)]


async def test_while_redis_is_away_the_receiver_says_503_and_both_recover_by_themselves(
    service: Service,
) -> None:
    receiver = await service.start("receiver")
    worker = await service.start("worker")
    await service.redis.stop()
    status, answer, retry_after = await service.post(SEQUENCING)
    assert (status, answer, retry_after) == (503, {"error": "redis_unavailable"}, "5")
    await until(lambda: "redis_trouble" in service.log("worker"))
    await service.redis.start()
    assert (await service.post(SEQUENCING))[0] == 202
    await service.written()
    assert len(service.events()) == 2
    assert (receiver.returncode, worker.returncode) == (None, None)


async def test_what_was_acknowledged_survives_a_killed_redis(service: Service) -> None:
    await service.start("receiver")
    assert (await service.post(SEQUENCING))[0] == 202
    assert service.redis.process is not None
    service.redis.process.kill()
    await service.redis.process.wait()
    await service.redis.start()
    assert (await service.post(SEQUENCING))[0] == 200
    await service.start("worker")
    await service.written()
    assert len(service.events()) == 2


async def test_deleting_arq_s_keys_loses_nothing(service: Service) -> None:
    await service.start("receiver")
    await service.post(SEQUENCING)
    client = service.client()
    for key in await client.keys("arq:*") + [b"sequence-sync:queue"]:
        await client.delete(key)
    await client.aclose()
    await service.start("worker")
    await service.written()
    assert len(service.events()) == 2


async def test_what_has_expired_leaves_the_index_while_a_worker_runs(service: Service) -> None:
    async with service.store() as store:
        await store.redis.zadd(store.keys.index, {"expired": 1})
        await service.start("worker")

        async def is_gone() -> bool:
            return await store.redis.zscore(store.keys.index, "expired") is None

        await until(is_gone)


@pytest.mark.parametrize("name", ["receiver", "worker"])
async def test_sigterm_ends_a_process_cleanly(service: Service, name: str) -> None:
    child = await service.start(name)
    child.send_signal(signal.SIGTERM)
    assert await comes(child.wait()) == 0
    assert "Traceback" not in service.log(name)


async def test_a_worker_told_to_stop_finishes_what_it_has(service: Service) -> None:
    service.sandbox.state.faults.add(fault="delay;seconds=0.5", provider="google", method="POST")
    await service.start("receiver")
    worker = await service.start("worker")
    await service.post(SEQUENCING)
    await until(lambda: service.sandbox.state.journal.requests)
    worker.send_signal(signal.SIGTERM)
    assert await comes(worker.wait()) == 0
    assert await service.open_parts() == 0
    assert len(service.events()) == 2


async def test_what_a_worker_has_to_leave_behind_is_taken_up_at_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__LEASE", "60s")
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__DRAIN_TIMEOUT", "100ms")
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__REQUEST_TIMEOUT", "1h")
    service.sandbox.state.faults.add(fault="hold", provider="google", method="POST")
    await service.start("receiver")
    worker = await service.start("worker")
    await service.post(SEQUENCING)
    await until(lambda: service.sandbox.state.faults.held)
    worker.send_signal(signal.SIGTERM)
    assert await comes(worker.wait()) == 0
    await service.start("worker")
    await service.written()
    assert len(service.events()) == 2


async def test_a_worker_at_rest_hears_of_a_booking_long_before_it_polls(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__POLL_DELAY", "10m")
    await service.start("receiver")
    await service.start("worker")
    for number in range(3):
        await service.post(changed(event__event_id=f"booking-{number}"))
        await service.written()
    assert len(service.events()) == 6


async def test_a_bell_that_nobody_heard_costs_a_poll(service: Service) -> None:
    await service.start("receiver")
    await service.post(SEQUENCING)
    client = service.client()
    assert await client.delete(f"{service.settings.redis.key_prefix}:bell") == 1
    await client.aclose()
    await service.start("worker")
    await service.written()
    assert len(service.events()) == 2


async def test_the_processes_stay_small(service: Service) -> None:
    receiver = await service.start("receiver")
    worker = await service.start("worker")
    await service.post(SEQUENCING)
    await service.written()
    assert resident_mib(receiver.pid) <= 60
    assert resident_mib(worker.pid) <= 100


def resident_mib(pid: int) -> float:
    """The resident memory of a process, shared pages included."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
