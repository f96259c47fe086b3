"""What an operator sees from outside while real processes do their work: log lines, metrics, probes, traces."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from receiver.signature import signature
from tests.acceptance.collector import Collector, SeenSpan
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, changed
from tests.waiting import comes, unless_it_hangs, until

OF_REDIS = {
    "sequence_sync_redis_safe",
    "sequence_sync_open_parts",
    "sequence_sync_dead_letters",
    "sequence_sync_queue_jobs",
    "sequence_sync_queue_oldest_seconds",
    "sequence_sync_accounts_closed",
}
HEALTHY = {
    "sequence_sync_ready": 1,
    "sequence_sync_redis_up": 1,
    "sequence_sync_redis_safe": 1,
    "sequence_sync_open_parts": 0,
    "sequence_sync_dead_letters": 0,
}


def lines(service: Service, process: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log(process).splitlines()]


async def get(port: int, path: str) -> tuple[int, str]:
    """Asks an admin port, whatever hangs."""
    async with (
        unless_it_hangs(),
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text()


async def metrics(port: int) -> dict[str, float]:
    """A page of metrics: each sample, without labels where there is only one of its name."""
    _status, page = await get(port, "/metrics")
    samples = [each for family in text_string_to_metric_families(page) for each in family.samples]
    return {
        each.name + "".join(f"{{{name}={value}}}" for name, value in sorted(each.labels.items())): each.value
        for each in samples
    }


async def page_with(port: int, *, redis_up: int) -> dict[str, float]:
    """Waits for the first page that says so."""
    pages: list[dict[str, float]] = []

    async def says_so() -> bool:
        pages.append(await metrics(port))
        return pages[-1]["sequence_sync_redis_up"] == redis_up

    await until(says_so)
    return pages[-1]


# -- the log


async def test_one_delivery_is_followed_from_the_callback_to_the_provider_by_its_id(service: Service) -> None:
    service.sandbox.state.faults.add(fault="error;status=500", provider="google", method="POST")
    await service.start("receiver")
    await service.start("worker")
    await service.post(SEQUENCING)
    await service.written()
    await service.post(SEQUENCING)
    await until(lambda: "callback_duplicate" in service.log("receiver"))
    [accepted] = [line for line in lines(service, "receiver") if line["event"] == "callback_accepted"]
    found = [
        line
        for process in ("receiver", "worker")
        for line in lines(service, process)
        if accepted["delivery"] in line.values()
    ]
    assert [(line["process"], line["event"], line.get("account")) for line in found[:2]] == [
        ("receiver", "callback_accepted", None),
        ("receiver", "callback_duplicate", None),
    ]
    assert sorted(
        (line["process"], line["event"], line["account"], line["calendar"]) for line in found[2:]
    ) == [
        ("worker", "write_done", "google-hr", "interviews"),
        ("worker", "write_done", "microsoft-hr", "panel"),
        ("worker", "write_failed", "google-hr", "interviews"),
    ]
    for line in found[2:]:
        assert {"app", "booking", "part", "revision", "write", "provider", "worker"} <= line.keys()
        assert (line["app"], line["booking"]) == ("hiring", accepted["booking"])


async def test_what_is_refused_is_logged_without_a_word_of_what_came_unsigned(service: Service) -> None:
    await service.start("receiver")
    unsigned = {"Cronofy-HMAC-SHA256": "planted", "User-Agent": "planted", "X-Request-Id": "planted"}
    async with aiohttp.ClientSession() as session:
        for path in ("hiring", "hiring/planted", "planted", "planted/planted/planted"):
            url = service.url.replace("hiring", path)
            async with session.post(url, data=b"planted", headers=unsigned) as response:
                assert response.status in {401, 404}
    status, answer, _ = await service.post(b'{"planted": ')
    assert (status, answer["status"]) == (202, "quarantined")
    told = [line for line in lines(service, "receiver") if line["event"].startswith(("callback", "request"))]
    assert [(line["level"], line["event"], line.get("reason"), line.get("app")) for line in told[:4]] == [
        ("warning", "callback_refused", "invalid_signature", "hiring"),
        ("warning", "callback_refused", "invalid_signature", "hiring"),
        ("warning", "callback_refused", "unknown_app", None),
        ("info", "request_refused", None, None),
    ]
    assert (told[4]["level"], told[4]["event"], told[4]["delivery"]) == (
        "warning",
        "callback_quarantined",
        answer["delivery"],
    )
    assert "planted" not in service.log("receiver")


# -- metrics and probes


async def test_each_process_shows_its_own_metrics_and_what_redis_counts(service: Service) -> None:
    await service.start("receiver")
    await service.start("worker")
    await service.post(SEQUENCING)
    await service.written()
    receiver, worker = await metrics(service.ports.receiver_admin), await metrics(service.ports.worker_admin)
    for page in (receiver, worker):
        assert {name: page[name] for name in HEALTHY} == HEALTHY
        assert page["sequence_sync_redis_seconds_count"] >= 1
        assert page["process_resident_memory_bytes"] > 0
        assert page["sequence_sync_queue_jobs{state=deferred}"] == 0
    assert receiver["sequence_sync_callbacks_received_total{result=accepted}"] == 1
    assert receiver["sequence_sync_dead_letters_limit"] == 100_000
    assert receiver["sequence_sync_queue_limit"] == 100_000
    assert worker["sequence_sync_writes_total{outcome=created}{provider=google}"] == 1
    assert worker["sequence_sync_writes_total{outcome=dead}{provider=google}"] == 0
    assert worker["sequence_sync_jobs_running"] == 0
    assert not [name for name in worker if "limit" in name or "callbacks" in name]
    assert not [name for name in receiver if "writes" in name or "jobs_running" in name]


async def test_a_redis_that_is_away_leaves_no_old_figure_and_costs_nobody_a_probe(service: Service) -> None:
    await service.start("receiver")
    await service.start("worker")
    ports = (service.ports.receiver_admin, service.ports.worker_admin)
    assert service.redis.process is not None
    service.redis.process.send_signal(signal.SIGSTOP)
    for port in ports:
        page = await page_with(port, redis_up=0)
        assert page["sequence_sync_ready"] == 0
        assert page["sequence_sync_redis_errors_total"] >= 1
        assert not OF_REDIS & {name.partition("{")[0] for name in page}
        assert (await get(port, "/livez"))[0] == 200
        status, answer = await get(port, "/readyz")
        assert (status, json.loads(answer)["problems"]) == (503, ["Redis does not answer (TimeoutError)"])
    service.redis.process.send_signal(signal.SIGCONT)
    for port in ports:
        page = await page_with(port, redis_up=1)
        assert {name: page[name] for name in HEALTHY} == HEALTHY


# -- traces


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """Takes the spans of processes that are started now; they send them at once, and retry soon."""
    async with Collector() as collector:
        monkeypatch.setenv("SEQUENCE_SYNC__TELEMETRY__OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("SEQUENCE_SYNC__WORKER__RETRY_BASE", "50ms")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield collector


async def test_one_trace_leads_from_the_callback_to_the_providers_and_a_retry_begins_its_own(
    service: Service, collector: Collector
) -> None:
    service.sandbox.state.faults.add(fault="error;status=500", provider="google", method="POST")
    await service.start("receiver")
    await service.start("worker")
    body = changed(sequence__0__event__summary="planted")
    foreign = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    headers = {"Cronofy-HMAC-SHA256": signature(body, secret=service.secrets[0]).decode(), **foreign}
    async with (
        aiohttp.ClientSession() as session,
        session.post(service.url, data=body, headers=headers) as response,
    ):
        assert response.status == 202
    await service.written()
    await until(lambda: len(collector.named("sync part")) == 3 and collector.named("accept"))

    [serving], [accepting] = collector.named("POST /callbacks/{app}"), collector.named("accept")
    assert (serving.service, serving.kind, serving.parent) == ("sequence-sync-receiver", "server", "")
    assert serving.facts["http.response.status_code"] == 202
    assert serving.trace != "1" * 32
    assert (accepting.trace, accepting.parent) == (serving.trace, serving.id)

    firsts = [span for span in collector.named("sync part") if span.trace == serving.trace]
    assert [(span.service, span.kind, span.parent) for span in firsts] == [
        ("sequence-sync-worker", "consumer", accepting.id)
    ] * 2
    [retry] = [span for span in collector.named("sync part") if span.trace != serving.trace]
    assert (retry.parent, retry.links) == ("", ((serving.trace, accepting.id),))
    assert retry.facts["sequence_sync.delivery"] == accepting.facts["sequence_sync.delivery"]

    writes = {span.id: span for span in collector.named("write")}
    assert {write.parent for write in writes.values()} == {span.id for span in (*firsts, retry)}
    requests = [span for span in collector.spans if span.kind == "client"]
    assert sorted(_told(request, writes[request.parent]) for request in requests) == [
        ("google", "GET", 404, "404"),  # whether the create that failed was carried out
        ("google", "POST", 200, ""),
        ("google", "POST", 500, "500"),
        ("microsoft", "GET", 200, ""),
        ("microsoft", "POST", 201, ""),
    ]
    for span in collector.spans:
        assert not [fact for fact in span.facts.values() if "planted" in str(fact) or "@" in str(fact)]


def _told(request: SeenSpan, write: SeenSpan) -> tuple[object, ...]:
    assert request.trace == write.trace
    assert request.facts.keys() == {
        "http.request.method",
        "http.response.status_code",
        "server.address",
    }
    return (
        write.facts["sequence_sync.provider"],
        request.name,
        request.facts["http.response.status_code"],
        request.failed,
    )


@pytest.mark.parametrize("process", ["receiver", "worker"])
async def test_a_process_that_cannot_trace_says_what_to_install(
    service: Service, collector: Collector, process: str
) -> None:
    code = "import sys; sys.modules['opentelemetry.sdk'] = None; from cli.main import main; main()"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, process, "--config", str(service.config)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, words = await comes(child.communicate())
    assert child.returncode == 2
    assert "pip install 'sequence-sync[otel]'" in words.decode()
    assert collector.spans == []
