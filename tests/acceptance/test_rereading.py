"""SIGHUP: what a running process takes up of its configuration, what it does not, and which signals end it."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import time

import aiohttp
import pytest

from bookings.delayed import counted
from bookings.fleet import Fleet, Process
from config.load import load
from tests.acceptance.conftest import Service, kill
from tests.acceptance.rereading import REFUSED, SALES, SECRET, change, listed, ours, reread, said_of, sell
from tests.callbacks import SEQUENCING
from tests.integration.calendars import one_part
from tests.waiting import comes, until


@pytest.mark.parametrize(
    ("adding", "before", "after", "why"),
    [
        ("", "[worker]", "[worker]\nretries = 3", "unknown key"),
        ("", '"file:cronofy_current"', '"file:not_there"', "there is no file"),
        ("", 'calendars = ["panel"]', 'calendars = ["nowhere"]', "no [[calendars]] is called"),
        (SALES, "[worker]", "[worker]\nconcurrency = 0", "must be 1 or more"),
    ],
    ids=["key", "secret", "calendar", "half right"],
)
async def test_whatever_is_wrong_with_a_file_keeps_all_of_it_from_being_taken_up(
    service: Service, adding: str, before: str, after: str, why: str
) -> None:
    receiver = await service.start("receiver")
    change(service, adding=adding, before=before, after=after)
    await reread(service, REFUSED, receiver=receiver)
    [line] = [line for line in service.log("receiver").splitlines() if REFUSED in line]
    assert why in str(json.loads(line)["problems"])
    assert await sell(service) == 404


async def test_limits_and_secrets_are_taken_up(service: Service) -> None:
    receiver = await service.start("receiver")
    change(service, before="[receiver]", after="[receiver]\nmax_body_bytes = 10")
    await reread(service, receiver=receiver)
    assert (await service.post(SEQUENCING))[0] == 413
    change(service, before="max_body_bytes = 10", after="max_body_bytes = 100000")
    change(service, before='["file:cronofy_previous", "file:cronofy_current"]', after='["file:sales_secret"]')
    await reread(service, receiver=receiver)
    assert (await service.post(SEQUENCING))[0] == 401


async def test_what_needs_a_restart_stays_and_is_named(service: Service) -> None:
    worker = await service.start("worker")
    change(service, before="[worker]", after="[worker]\nconcurrency = 7\nretry_cap = 60")
    await reread(service, worker=worker)
    [line] = [line for line in service.log("worker").splitlines() if "configuration_needs_restart" in line]
    assert (json.loads(line)["level"], json.loads(line)["keys"]) == ("warning", ["worker.concurrency"])
    assert await said_of(service, "worker") == ["has not taken up worker.concurrency"]


async def test_the_api_reads_it_again_too(service: Service) -> None:
    service.sandbox.cronofy_app(client_id="sales", secret=(SECRET,))
    change(service)
    api = await service.processes.start("api", "--config", str(service.config))
    settings = service.settings
    await service.processes.ready(f"http://127.0.0.1:{settings.api.admin_port}/readyz", api)
    url = f"http://127.0.0.1:{settings.api.port}/v1/sequenced_availability"
    headers = {"Authorization": f"Bearer {SECRET}"}

    async def status() -> int:
        async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json={}) as response:
            return response.status

    assert await status() == 401
    change(service, adding=SALES)
    await reread(service, api=api)
    assert await status() == 422  # of somebody known, and empty


async def test_a_worker_that_starts_looks_at_once_at_what_waits_for_a_route(service: Service) -> None:
    await service.start("receiver")
    worker = await service.start("worker")
    assert (await service.post(one_part("1")))[0] == 202
    await until(lambda: "part_unrouted" in service.log("worker"))
    change(service, before='sequence_id = "123"', after='sequence_id = "1"')
    worker.terminate()
    await worker.wait()
    await service.start("worker")
    await service.written()
    assert len(service.events("google")) == 1


async def test_what_waits_for_a_calendar_that_is_configured_again_goes_on_at_once(service: Service) -> None:
    await service.start("receiver")
    worker = await service.start("worker")
    assert (await service.post(one_part("123")))[0] == 202
    await service.written()
    change(service, before='calendars = ["interviews"]', after='calendars = ["panel"]')
    change(service, before='calendar_id = "interviews@', after='calendar_id = "others@')
    await reread(service, worker=worker)
    assert (await service.post(one_part("123", summary="Moved")))[0] == 202

    async def not_configured() -> bool:
        async with service.store() as store:
            return [each.why for each in await counted(store)] == ["calendar_not_configured"]

    await until(not_configured)
    change(service, before='calendar_id = "others@', after='calendar_id = "interviews@')
    await reread(service, worker=worker)
    await service.written()
    assert [event.provider for event in service.events()] == ["microsoft"]


async def test_without_a_worker_a_replay_says_that_nothing_will_come_of_it(service: Service) -> None:
    await service.start("receiver")
    worker = await service.start("worker")
    service.sandbox.state.faults.add(fault="error;status=400;code=invalid", provider="google", method="POST")
    assert (await service.post(one_part("123")))[0] == 202
    await service.written()
    worker.terminate()
    await worker.wait()
    replay = await ours(service, "dead-letters", "replay", "--all", "--yes")
    assert "no worker runs" in replay.words


async def test_a_process_is_listed_from_its_start_to_its_end_however_it_ends(service: Service) -> None:
    receiver, worker = await service.start("receiver"), await service.start("worker")
    assert [(each.kind, each.name.rpartition(":")[2]) for each in await listed(service)] == [
        ("receiver", str(receiver.pid)),
        ("worker", str(worker.pid)),
    ]
    receiver.terminate()
    await receiver.wait()
    assert [each.kind for each in await listed(service)] == ["worker"]
    kill(worker)
    deadline = time.monotonic() + 30
    while await listed(service):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    async with service.store() as store:
        assert await store.redis.exists(store.keys.fleet) == 0


async def test_another_version_is_named(service: Service) -> None:
    async with service.store() as store:
        other = Process(
            id="1",
            kind="worker",
            name="old:1",
            version="0.0.9",
            digest=load(service.config).digest,
            read_at=1,
        )
        await Fleet(store).beat(other)
        told = await said_of(service, "worker")
    assert [each.partition(", not")[0] for each in told] == ["runs version 0.0.9"]


async def test_a_service_under_nohup_reads_it_again_and_goes_on(service: Service) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    change(service)
    log = (service.folder / "receiver.log").open("ab")
    receiver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "receiver", "--config", str(service.config)),
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=ignore,
    )  # fmt: skip
    log.close()
    try:
        await until(lambda: "receiver_started" in service.log("receiver"))
        change(service, adding=SALES)
        await reread(service, receiver=receiver)
        assert await sell(service) == 202
    finally:
        receiver.terminate()
        assert await receiver.wait() == 0


async def test_a_service_whose_terminal_is_closed_ends_as_it_does_when_it_is_stopped(
    service: Service,
) -> None:
    def in_a_session_of_its_own() -> None:
        os.setsid()
        os.close(os.open(os.ttyname(0), os.O_RDWR))  # the terminal is this session's from now on

    ours, theirs = pty.openpty()
    log = (service.folder / "receiver.log").open("ab")
    receiver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "receiver", "--config", str(service.config)),
        stdin=theirs, stdout=log, stderr=log, preexec_fn=in_a_session_of_its_own,
    )  # fmt: skip
    log.close()
    os.close(theirs)
    await until(lambda: "receiver_started" in service.log("receiver"))
    os.close(ours)
    assert await comes(receiver.wait()) == 0
    assert "receiver_stopped" in service.log("receiver")
