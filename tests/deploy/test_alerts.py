"""Every alert rule fires when its fault is caused in real processes, and nothing else does."""

import asyncio
import signal
from collections.abc import Collection
from pathlib import Path

import aiohttp
import pytest

from bookings.clock import now_ms
from bookings.store import Store
from sandbox.person import Person
from tests.acceptance.commands import command
from tests.acceptance.conftest import Service, kill, service
from tests.acceptance.linked import Linked, linked
from tests.callbacks import changed
from tests.deploy.front import Front
from tests.deploy.prometheus import RULES, Prometheus
from tests.deploy.promtool import assert_promtool_agrees
from tests.integration.calendars import GOOGLE, one_part
from tests.integration.scheduling import availability
from tests.redis_trouble.server import DURABLE, RedisServer
from tests.redis_trouble.world import service_at
from tests.waiting import until

__all__ = ["linked", "service"]


def named(*alerts: str) -> set[str]:
    return {f"SequenceSync{alert}" for alert in alerts}


OF_REDIS = named("RedisSlow", "RedisClock", "RedisUnsafe", "RedisDown", "ReceiverRefusing", "NotReady")
OF_WHAT_IS_STORED = named("BookingsGone")
OF_PROCESSES = named("LoopLag", "NotReady", "WorkersDown", "ReceiverDown")
OF_CALLBACKS = named("SignatureFailures", "QueueNearCeiling", "OldestJobWaits", "ReceiverRefusing")
OF_DEAD_LETTERS = named(
    "UnknownLink", "NewDeadLetters", "DeadLettersWait", "DeadLettersNearCeiling", "ReceiverRefusing"
)
OF_PROVIDERS = named("ProviderErrors", "Alarm", "AccountThrottled", "AccountParked")
OF_WAITING = named("WritesWait")
OF_CONFIGURATIONS = named("ConfigurationsDiffer", "ConfigurationRefused")
OF_THE_API = named("CalendarUnreadable", "ApiDown")


def test_every_alert_is_fired_by_one_of_these_tests() -> None:
    assert {rule.alert for rule in RULES} == (
        OF_REDIS
        | OF_WHAT_IS_STORED
        | OF_PROCESSES
        | OF_CONFIGURATIONS
        | OF_CALLBACKS
        | OF_DEAD_LETTERS
        | OF_PROVIDERS
        | OF_WAITING
        | OF_THE_API
    )


def watch(service: Service, *, about: Collection[str] = ()) -> Prometheus:
    return Prometheus(
        ("sequence-sync-receiver", service.ports.receiver_admin),
        ("sequence-sync-worker", service.ports.worker_admin),
        about=about,
    )


async def shows(prometheus: Prometheus, port: int, name: str, least: float, **labels: str) -> None:
    """Waits until a page shows at least so much of something."""

    async def is_shown() -> bool:
        return (await prometheus.value(port, name, **labels) or 0) >= least

    await until(is_shown)


async def rises(prometheus: Prometheus, port: int, name: str) -> None:
    """Waits until a page shows more of something."""
    await shows(prometheus, port, name, (await prometheus.value(port, name) or 0) + 1)


# -- Redis


async def test_trouble_with_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        RedisServer(tmp_path / "redis", *DURABLE) as server,
        Front(server.port) as front,
        service_at(f"redis://127.0.0.1:{front.port}", tmp_path, monkeypatch) as service,
        watch(service, about=named("RedisSlow")) as prometheus,
    ):
        ports = (service.ports.receiver_admin, service.ports.worker_admin)
        await service.start("receiver")
        await service.start("worker")
        await prometheus.settles(minutes=6)

        for minutes in (4, 2):
            front.delay_s = 0.15
            await asyncio.gather(
                *(rises(prometheus, port, "sequence_sync_redis_seconds_count") for port in ports)
            )
            front.delay_s = 0
            slow = await prometheus.passes(minutes)
        assert slow == named("RedisSlow")
        await prometheus.settles(minutes=6)

        front.clock_ahead_s = 600
        for port in ports:
            await shows(prometheus, port, "sequence_sync_redis_clock_ahead_seconds", 500)
        assert await prometheus.passes(minutes=3) == named("RedisClock")
        front.clock_ahead_s = 0
        await prometheus.settles(minutes=1)

        await server.ask("CONFIG", "SET", "appendonly", "no")
        assert await prometheus.passes(minutes=2) == named("RedisUnsafe")
        await server.ask("CONFIG", "SET", "appendonly", "yes")
        await prometheus.settles(minutes=1)

        await server.kill()
        await asyncio.gather(*(gone(prometheus, port) for port in ports))
        assert (await service.post(changed(event__event_id="refused")))[0] == 503
        assert await prometheus.passes(minutes=2) == named("RedisDown", "ReceiverRefusing")
        assert await prometheus.passes(minutes=4) == named("RedisDown", "NotReady")
        await server.start()
        await asyncio.gather(*(shows(prometheus, port, "sequence_sync_redis_up", 1) for port in ports))
        await prometheus.settles(minutes=1)
        assert prometheus.fired == OF_REDIS
        await assert_promtool_agrees(prometheus, tmp_path)


async def gone(prometheus: Prometheus, port: int) -> None:
    """Waits until a process has noticed that Redis is away."""
    await falls(prometheus, port, "sequence_sync_redis_up")


async def falls(prometheus: Prometheus, port: int, name: str) -> None:
    """Waits until a page shows 0 of something."""

    async def is_none() -> bool:
        return await prometheus.value(port, name) == 0

    await until(is_none)


# -- what is stored


async def test_bookings_that_are_gone(service: Service, tmp_path: Path) -> None:
    async with watch(service) as prometheus:
        await service.start("receiver")
        await service.start("worker")
        assert not named("BookingsGone") & await prometheus.passes(minutes=10)  # a new Redis misses none
        assert (await service.post(one_part("123")))[0] == 202
        await service.written()
        await prometheus.settles(minutes=1)
        async with service.store() as store:
            await store.redis.flushall()
        assert await prometheus.passes(minutes=3) == named("BookingsGone")
        assert (await service.post(one_part("123")))[0] == 202
        await service.written()
        await prometheus.settles(minutes=1)
        assert prometheus.fired == OF_WHAT_IS_STORED
        await assert_promtool_agrees(prometheus, tmp_path)


# -- processes


async def test_processes_that_are_held_up_or_end(service: Service, tmp_path: Path) -> None:
    async with watch(service, about=named("LoopLag")) as prometheus:
        receiver = await service.start("receiver")
        worker = await service.start("worker")
        await prometheus.settles(minutes=6)

        for minutes in (4, 2):
            worker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(1)  # what it is about: it gets no CPU for so long
            worker.send_signal(signal.SIGCONT)
            await rises(prometheus, service.ports.worker_admin, "sequence_sync_loop_lag_seconds_count")
            late = await prometheus.passes(minutes)
        assert late == named("LoopLag")
        await prometheus.settles(minutes=6)

        service.sandbox.state.faults.add(fault="hold", provider="google", method="POST")
        assert (await service.post(one_part("123")))[0] == 202
        await until(lambda: service.sandbox.state.faults.held)
        worker.terminate()  # a drain that does not end: what is under way does not, either
        await falls(prometheus, service.ports.worker_admin, "sequence_sync_ready")
        assert await prometheus.passes(minutes=6) == named("NotReady")
        service.sandbox.state.faults.release()
        await worker.wait()
        assert await prometheus.passes(minutes=3) == named("WorkersDown")
        kill(receiver)
        await receiver.wait()
        assert await prometheus.passes(minutes=2) == named("WorkersDown", "ReceiverDown")
        assert prometheus.fired == OF_PROCESSES
        await assert_promtool_agrees(prometheus, tmp_path)


# -- the configuration


async def test_a_configuration_that_only_some_have_read_or_none_would(
    service: Service, tmp_path: Path
) -> None:
    text = service.config.read_text()
    async with watch(service) as prometheus:
        receiver = await service.start("receiver")
        worker = await service.start("worker")
        await prometheus.settles(minutes=16)

        service.config.write_text(text.replace('sequence_id = "456"', 'sequence_id = "457"'))
        receiver.send_signal(signal.SIGHUP)
        await until(lambda: "configuration_taken_up" in service.log("receiver"))
        assert await prometheus.passes(minutes=14) == set()  # so long a rolling restart may take
        assert await prometheus.passes(minutes=2) == named("ConfigurationsDiffer")
        worker.send_signal(signal.SIGHUP)
        await until(lambda: "configuration_taken_up" in service.log("worker"))
        await prometheus.settles(minutes=1)

        service.config.write_text(f"{text}\n[worker]")
        worker.send_signal(signal.SIGHUP)
        await until(lambda: "configuration_refused" in service.log("worker"))
        assert await prometheus.passes(minutes=2) == named("ConfigurationRefused")
        service.config.write_text(text.replace('sequence_id = "456"', 'sequence_id = "457"'))
        worker.send_signal(signal.SIGHUP)
        await until(lambda: service.log("worker").count("configuration_taken_up") == 2)
        await prometheus.settles(minutes=1)
        assert prometheus.fired == OF_CONFIGURATIONS
        await assert_promtool_agrees(prometheus, tmp_path)


# -- callbacks and the queue


async def test_callbacks_that_are_refused_and_work_that_piles_up(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__RECEIVER__QUEUE_LIMIT", "10")
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__CONCURRENCY", "1")
    async with watch(service) as prometheus:
        await service.start("receiver")
        await service.start("worker")
        await prometheus.settles(minutes=11)

        async with aiohttp.ClientSession() as session:
            for _ in range(7):
                headers = {"Cronofy-HMAC-SHA256": "signed with another secret"}
                async with session.post(service.url, data=b"{}", headers=headers) as response:
                    assert response.status == 401
                forged = await prometheus.passes(minutes=1)
        assert forged == named("SignatureFailures")
        await prometheus.settles(minutes=11)

        service.sandbox.state.faults.add(fault="hold", provider="google", method="POST", count=None)
        for number in range(10):
            assert (await service.post(one_part("123", event_id=f"booking-{number}")))[0] == 202
        await until(lambda: service.sandbox.state.faults.held)
        assert await prometheus.passes(minutes=6) == named("QueueNearCeiling")
        assert (await service.post(one_part("123", event_id="one too many")))[0] == 503
        assert await prometheus.passes(minutes=2) == named("QueueNearCeiling", "ReceiverRefusing")
        await let_jobs_age(service, seconds=120)
        assert await prometheus.passes(minutes=6) == named("QueueNearCeiling", "OldestJobWaits")
        service.sandbox.state.faults.clear()
        service.sandbox.state.faults.release()
        await service.written()
        await prometheus.settles(minutes=1)
        assert prometheus.fired == OF_CALLBACKS
        await assert_promtool_agrees(prometheus, tmp_path)


async def let_jobs_age(service: Service, *, seconds: int) -> None:
    """As if what is in the queue had been there for so long."""
    client = service.client()
    queue = Store(client, service.settings.redis.key_prefix).keys.queue_of("hiring")
    for job in await client.zrange(queue, 0, -1):
        await client.zadd(queue, {job: now_ms() - 1000 * seconds})
    await client.aclose()


# -- dead letters


async def test_dead_letters_that_come_that_wait_and_that_pile_up(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__RECEIVER__DEAD_LETTERS_LIMIT", "5")
    async with watch(service) as prometheus:
        await service.start("receiver")
        await service.start("worker")
        await prometheus.settles(minutes=16)

        service.sandbox.state.faults.add(
            fault="error;status=400;code=invalid", provider="google", method="POST"
        )
        assert (await service.post(one_part("123")))[0] == 202
        await service.written()
        assert await prometheus.passes(minutes=1) == named("NewDeadLetters")
        assert await prometheus.passes(minutes=50) == set()
        assert await prometheus.passes(minutes=10) == named("DeadLettersWait")

        for number in range(4):
            assert (await service.post(one_part("unrouted", event_id=f"booking-{number}")))[0] == 202
        await service.find_no_route(parts=4)
        assert (await service.post(one_part("123", event_id="one too many")))[0] == 503
        assert await prometheus.passes(minutes=2) == OF_DEAD_LETTERS - named("UnknownLink")
        discarded = await command(
            "dead-letters", "discard", "--all", "--yes", "--config", str(service.config)
        )
        assert discarded.status == 0
        await service.written()
        await prometheus.settles(minutes=16)

        assert (await service.post(one_part("123"), token="lost"))[0] == 202
        assert await prometheus.passes(minutes=1) == named("UnknownLink", "NewDeadLetters")
        reason = ("--reason", "unknown_link", "--yes", "--config", str(service.config))
        assert (await command("dead-letters", "replay", *reason)).status == 0
        await service.written()
        await prometheus.settles(minutes=16)
        assert prometheus.fired == OF_DEAD_LETTERS
        await assert_promtool_agrees(prometheus, tmp_path)


# -- providers


async def test_trouble_with_providers(service: Service, tmp_path: Path) -> None:
    faults = service.sandbox.state.faults
    (service.folder / "microsoft_secret").write_text("expired at the provider")
    async with watch(service) as prometheus:
        await service.start("receiver")
        await service.start("worker")
        assert (await service.post(one_part("123")))[0] == 202
        await service.written()
        await prometheus.settles(minutes=16)

        await give_id_away(service)
        assert await prometheus.passes(minutes=1) == named("Alarm")
        await prometheus.settles(minutes=15)

        faults.add(fault="error;status=500", provider="google", method="POST", count=None)
        for number in range(7):
            before = asked(service)
            assert (await service.post(one_part("123", event_id=f"failing-{number}")))[0] == 202
            await until(lambda before=before: asked(service) > before)  # type: ignore[misc]
            failing = await prometheus.passes(minutes=1)
        assert failing == named("ProviderErrors")
        faults.clear()
        await service.written()
        await prometheus.settles(minutes=16)

        faults.add(fault="throttle;retry_after=600", provider="google", method="POST")
        assert (await service.post(one_part("123", event_id="throttled")))[0] == 202
        await shows(*closed(service, prometheus), 1, account="google-hr", state="paused")
        assert await prometheus.passes(minutes=16) == named("AccountThrottled")
        assert (await service.post(one_part("456", event_id="refused")))[0] == 202
        await shows(*closed(service, prometheus), 1, account="microsoft-hr", state="parked")
        assert await prometheus.passes(minutes=3) == named("AccountThrottled", "AccountParked")
        assert prometheus.fired == OF_PROVIDERS
        await assert_promtool_agrees(prometheus, tmp_path)


async def test_writes_that_wait(service: Service, tmp_path: Path) -> None:
    service.sandbox.state.google.put_calendar(GOOGLE, gone=True)
    async with watch(service) as prometheus:
        await service.start("receiver")
        await service.start("worker")
        await prometheus.settles(minutes=1)
        assert (await service.post(one_part("123")))[0] == 202
        port = service.ports.worker_admin
        where = {"provider": "google", "calendar": "interviews", "state": "parked"}
        await shows(prometheus, port, "sequence_sync_delayed_oldest_seconds", 0.001, **where)
        assert await prometheus.passes(minutes=2) == set()
        await let_writes_age(service, seconds=901)
        await shows(prometheus, port, "sequence_sync_delayed_oldest_seconds", 901, **where)
        assert await prometheus.passes(minutes=1) == named("WritesWait")
        service.sandbox.state.google.put_calendar(GOOGLE, gone=False)
        retried = await command("bookings", "retry", "--all", "--config", str(service.config))
        assert retried.status == 0
        await service.written()
        await prometheus.settles(minutes=1)
        assert prometheus.fired == OF_WAITING
        await assert_promtool_agrees(prometheus, tmp_path)


async def let_writes_age(service: Service, *, seconds: int) -> None:
    """As if what is parked had been so for that long."""
    async with service.store() as store:
        for place in await store.redis.hkeys(store.keys.delayed):
            name = f"{store.keys.delayed}:{place.decode()}"
            for part in await store.redis.zrange(name, 0, -1):
                await store.redis.zadd(name, {part: now_ms() - 1000 * seconds})


def closed(service: Service, prometheus: Prometheus) -> tuple[Prometheus, int, str]:
    return prometheus, service.ports.worker_admin, "sequence_sync_accounts_closed"


def asked(service: Service) -> int:
    """How many creates Google got."""
    requests = service.sandbox.state.journal.requests
    return sum(each.provider == "google" and each.method == "POST" for each in requests)


async def give_id_away(service: Service) -> None:
    """Another's event comes to stand under our id, and our write is looked at again."""
    [ours] = service.events("google")
    theirs = {"extendedProperties": {"private": {"sequenceSyncKey": "another"}}}
    Person(service.sandbox.state).edits("google", ours.calendar, ours.id, theirs)
    resynced = await command("bookings", "resync", "booking-1", "--config", str(service.config))
    assert resynced.status == 0
    await service.written()


# -- the API


async def test_trouble_with_the_api(linked: Linked, tmp_path: Path) -> None:
    service, api = linked
    admin_port = service.settings.api.admin_port
    async with Prometheus(
        ("sequence-sync-receiver", service.ports.receiver_admin),
        ("sequence-sync-worker", service.ports.worker_admin),
        ("sequence-sync-api", admin_port),
    ) as prometheus:
        await service.start("receiver")
        await service.start("worker")
        child = await linked.start_api()
        await prometheus.settles(minutes=6)

        service.sandbox.state.faults.add(fault="error;status=403", provider="google", method="*", count=None)
        headers = {"Authorization": f"Bearer {service.secrets[0]}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for _ in range(5):
                async with session.post(f"{api}/v1/sequenced_availability", json=availability()) as response:
                    assert (response.status, "X-Unavailable-Accounts" in response.headers) == (200, True)
                unreadable = await prometheus.passes(minutes=1)
        assert unreadable == named("CalendarUnreadable")
        service.sandbox.state.faults.clear()
        await prometheus.settles(minutes=60)

        kill(child)
        await child.wait()
        assert await prometheus.passes(minutes=3) == named("ApiDown")
        assert prometheus.fired == OF_THE_API
        await assert_promtool_agrees(prometheus, tmp_path)
