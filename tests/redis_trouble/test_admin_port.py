"""What the admin port says of a Redis that may lose something one day, and of a process that is about to end."""

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from admin.health import Health
from admin.metrics import REGISTRY
from admin.pulse import pulse
from admin.server import start_admin
from bookings.clock import RecordClock, now_ms
from cli.processes import free_ports
from tests.deploy.front import Front
from tests.redis_trouble.conftest import Rig, numbered
from tests.waiting import until

CLOCK = "sequence_sync_redis_clock_ahead_seconds"
NO_FILE = "Redis keeps no append-only file: a crash of it may lose confirmed bookings; set appendonly to yes"


class AdminPort:
    def __init__(self, rig: Rig, port: int, session: aiohttp.ClientSession) -> None:
        self.rig = rig
        self.url = f"http://127.0.0.1:{port}"
        self.session = session

    async def ready(self) -> tuple[int, dict[str, Any]]:
        async with self.session.get(f"{self.url}/readyz") as answer:
            return answer.status, await answer.json()

    async def metric(self, name: str, **labels: str) -> float | None:
        """A sample of a page; None where the page does not have it."""
        async with self.session.get(f"{self.url}/metrics") as answer:
            page = await answer.text()
        samples = [each for family in text_string_to_metric_families(page) for each in family.samples]
        return next((each.value for each in samples if (each.name, each.labels) == (name, labels)), None)


@pytest.fixture
async def admin(rig: Rig) -> AsyncIterator[AdminPort]:
    [port] = free_ports(1)
    runner = await start_admin(rig.health, "127.0.0.1", port)
    async with aiohttp.ClientSession() as session:
        yield AdminPort(rig, port, session)
    await runner.cleanup()


async def test_without_an_append_only_file_a_process_is_ready_and_warns(admin: AdminPort) -> None:
    assert await admin.ready() == (200, {"status": "ok", "problems": [], "warnings": []})
    assert await admin.metric("sequence_sync_redis_safe") == 1
    await admin.rig.server.ask("CONFIG", "SET", "appendonly", "no")
    assert await admin.ready() == (200, {"status": "ok", "problems": [], "warnings": [NO_FILE]})
    assert await admin.metric("sequence_sync_redis_safe") == 0
    assert await admin.metric("sequence_sync_ready") == 1


async def test_a_redis_that_evicts_is_not_safe(admin: AdminPort) -> None:
    await admin.rig.server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert (await admin.ready())[0] == 503
    assert await admin.metric("sequence_sync_redis_safe") == 0
    assert await admin.metric("sequence_sync_ready") == 0


async def test_a_process_that_drains_is_alive_and_not_ready(admin: AdminPort) -> None:
    admin.rig.health.draining = True
    assert await admin.ready() == (503, {"status": "failing", "problems": ["draining"], "warnings": []})
    async with admin.session.get(f"{admin.url}/livez") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok", "problems": []})
    assert await admin.metric("sequence_sync_ready") == 0


async def test_jobs_are_told_by_whether_they_are_due_and_how_long_the_oldest_has_been(
    admin: AdminPort,
) -> None:
    await admin.rig.post(numbered(1))
    store = admin.rig.health.store
    assert await admin.metric("sequence_sync_queue_jobs", state="ready") == 2
    first, second = await store.redis.zrange(store.keys.queue_of("hiring"), 0, -1)
    await store.redis.zadd(
        store.keys.queue_of("hiring"), {first: now_ms() - 60_000, second: now_ms() + 60_000}
    )
    assert await admin.metric("sequence_sync_queue_jobs", state="ready") == 1
    assert await admin.metric("sequence_sync_queue_jobs", state="deferred") == 1
    assert 60 <= (await admin.metric("sequence_sync_queue_oldest_seconds") or 0) < 90
    await store.redis.zrem(store.keys.queue_of("hiring"), first)
    assert await admin.metric("sequence_sync_queue_oldest_seconds") == 0


async def test_a_pulse_feels_a_loop_that_is_held_up(rig: Rig) -> None:
    async with pulse(rig.redis):
        await rises("sequence_sync_loop_lag_seconds_count")
        before = seen("sequence_sync_loop_lag_seconds_sum")
        time.sleep(1)  # noqa: ASYNC251 - what it is about
        await rises("sequence_sync_loop_lag_seconds_count")
    assert seen("sequence_sync_loop_lag_seconds_sum") >= before + 0.4


async def test_a_pulse_feels_whether_redis_answers(rig: Rig) -> None:
    async with pulse(rig.redis):
        await rises("sequence_sync_redis_seconds_count")
        assert seen("sequence_sync_redis_up") == 1
        await rig.server.kill()
        await rises("sequence_sync_redis_errors_total")
        assert seen("sequence_sync_redis_up") == 0
        await rig.server.start()
        await rises("sequence_sync_redis_seconds_count")
        assert seen("sequence_sync_redis_up") == 1


@pytest.mark.parametrize("ahead_s", [300, -300])
async def test_a_clock_of_the_machine_s_that_is_wrong_is_told_of_and_not_gone_by(
    rig: Rig, ahead_s: int
) -> None:
    clock = RecordClock(wall=lambda: now_ms() + 1000 * ahead_s)
    assert abs(clock() - now_ms() - 1000 * ahead_s) < 60_000
    with structlog.testing.capture_logs() as lines:
        async with pulse(rig.redis, clock):
            await until(lambda: [line for line in lines if line["event"] == "clock_differs_from_redis"])
    assert abs(clock() - now_ms()) < 60_000
    assert abs(seen(CLOCK) + ahead_s) < 60


async def test_a_pulse_feels_how_far_the_clocks_are_apart(rig: Rig) -> None:
    async with Front(rig.server.port) as front, Redis(port=front.port) as redis, pulse(redis):
        for ahead_s in (600, -600):
            front.clock_ahead_s = ahead_s
            await until(lambda wanted=ahead_s: abs(seen(CLOCK) - wanted) < 60)  # type: ignore[misc]


@pytest.mark.parametrize(("ahead_s", "words"), [(600, "behind"), (-600, "ahead of")])
async def test_clocks_that_are_apart_are_a_warning_and_no_danger(rig: Rig, ahead_s: int, words: str) -> None:
    verdict = await Health(rig.health.store, clock=lambda: now_ms() + 1000 * ahead_s).look()
    [warning] = verdict.warnings
    assert f"s {words} this machine's" in warning
    assert (verdict.problems, verdict.redis_safe) == ([], True)


async def rises(name: str) -> None:
    before = seen(name)
    await until(lambda: seen(name) > before)


def seen(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0
