"""A process works by an old configuration, and nobody sees it: how it comes by the new one, and who is told.

35: see test_configurations.py.
"""

import asyncio
import json
import signal

import aiohttp
import pytest

from tests.acceptance.conftest import Service
from tests.acceptance.rereading import (
    REFUSED,
    SALES,
    TAKEN_UP,
    change,
    listed,
    ours,
    reread,
    said_of,
    sell,
)
from tests.callbacks import SEQUENCING
from tests.integration.calendars import one_part, utc
from tests.integration.test_forwarding import Company, company
from tests.waiting import until

__all__ = ["company"]

pytestmark = pytest.mark.fault(number=35)


async def test_a_new_app_and_its_route_are_taken_up_without_a_restart(service: Service) -> None:
    receiver, worker = await service.start("receiver"), await service.start("worker")
    assert await sell(service) == 404
    change(service, adding=SALES)
    await reread(service, receiver=receiver, worker=worker)
    assert await sell(service) == 202
    await service.written()
    assert [event.provider for event in service.events()] == ["microsoft"]
    assert (receiver.returncode, worker.returncode) == (None, None)


@pytest.mark.parametrize(
    ("adding", "why"),
    [("[[apps", "this is not TOML"), (SALES.replace('"panel"', '"nowhere"'), "no [[calendars]] is called")],
    ids=["no TOML", "half right"],
)
async def test_a_file_that_is_wrong_changes_nothing_and_the_log_says_why(
    service: Service, adding: str, why: str
) -> None:
    receiver = await service.start("receiver")
    [known] = await listed(service)
    change(service, adding=adding)
    await reread(service, REFUSED, receiver=receiver)
    [line] = [line for line in service.log("receiver").splitlines() if REFUSED in line]
    assert json.loads(line)["level"] == "error"
    assert why in str(json.loads(line)["problems"])
    assert await sell(service) == 404
    assert (await service.post(SEQUENCING))[0] == 202
    assert [each.digest for each in await listed(service)] == [known.digest]
    async with aiohttp.ClientSession() as session:
        metrics = f"http://127.0.0.1:{service.ports.receiver_admin}/metrics"
        async with session.get(metrics) as response:
            page = await response.text()
    assert "sequence_sync_config_taken_up 0.0" in page
    assert f'sequence_sync_config_info{{digest="{known.digest}"}} 1.0' in page


async def test_a_calendar_s_account_is_taken_up_and_what_is_under_way_ends_with_the_old_one(
    service: Service,
) -> None:
    await service.start("receiver")
    worker = await service.start("worker")
    faults = service.sandbox.state.faults
    faults.add(fault="hold", provider="google", method="POST")
    assert (await service.post(one_part("123")))[0] == 202
    await until(lambda: faults.held)
    change(service, before='account = "google-hr"', after='account = "gone"')
    change(service, before='name = "google-hr"', after='name = "gone"')
    change(service, before='sequence_id = "456"', after='sequence_id = "457"')
    await reread(service, worker=worker)
    assert (await service.post(one_part("457", event_id="second")))[0] == 202
    await until(lambda: service.events("microsoft"))
    faults.release()
    await service.written()
    [event] = service.events("google")
    assert event.starts_at == utc(11)
    assert (await service.post(one_part("123", start="2026-04-30T11:30:00Z")))[0] == 202
    await service.written()
    [moved] = service.events("google")
    assert (moved.id, moved.starts_at) == (event.id, utc(11, 30))
    assert "part_not_settled" not in service.log("worker")
    assert "lease_lost" not in service.log("worker")


async def test_what_is_being_passed_on_arrives_once(service: Service, company: Company) -> None:
    forward = f'name = "hiring"\nforward_to_private = true\nforward_to = ["{company.url}"]'
    change(service, before='name = "hiring"', after=forward)
    await service.start("receiver")
    worker = await service.start("worker")
    company.slow = asyncio.Event()
    assert (await service.post(SEQUENCING))[0] == 202
    await until(lambda: company.got)
    for calendar in ("panel", "board"):  # twice: the first of them is no longer in force, either
        change(service, before='sequence_id = "456"', after=f'sequence_id = "456"\nsub = "{calendar}"\n#')
        await reread(service, worker=worker)
        change(service, before=f'\nsub = "{calendar}"\n#')
    company.slow.set()
    await service.written()
    assert len(company.got) == 1


async def test_a_revision_that_comes_in_while_one_is_under_way_goes_by_the_new_file(service: Service) -> None:
    await service.start("receiver")
    worker = await service.start("worker")
    faults = service.sandbox.state.faults
    faults.add(fault="hold", provider="google", method="POST")
    assert (await service.post(one_part("123")))[0] == 202
    await until(lambda: faults.held)
    change(
        service,
        before='sequence_id = "123"\ncalendars = ["interviews"]',
        after='sequence_id = "123"\ncalendars = ["panel"]',
    )
    await reread(service, worker=worker)
    assert (await service.post(one_part("123", start="2026-04-30T11:30:00Z")))[0] == 202
    faults.release()
    await service.written()
    assert [(event.provider, event.starts_at) for event in service.events()] == [("microsoft", utc(11, 30))]


async def test_a_process_that_works_by_another_file_is_named(service: Service) -> None:
    receiver, worker = await service.start("receiver"), await service.start("worker")
    assert await said_of(service, "processes") == []
    summary = [
        each for each in (await ours(service, "check", "--json")).json if each["subject"] == "processes"
    ]
    assert [each["words"] for each in summary] == ["1 receiver, 1 worker, all by this file"]
    assert (await service.post(one_part("1")))[0] == 202
    await service.find_no_route()

    change(service, before='sequence_id = "123"', after='sequence_id = "1"')
    await reread(service, receiver=receiver)
    assert await said_of(service, "receiver") == []
    [told] = await said_of(service, "worker")
    assert told.startswith("works by another configuration than the file's, read at 20")

    replay = await ours(service, "dead-letters", "replay", "--all", "--yes", "--json")
    assert (replay.status, replay.json[0]["result"]) == (0, "replayed, to interviews")
    assert f":{worker.pid} works by another configuration" in replay.words
    assert f":{receiver.pid} " not in replay.words
    await until(lambda: service.log("worker").count("part_unrouted") > 2)
    assert service.events() == []

    await reread(service, worker=worker)
    assert await said_of(service, "worker") == []
    await service.written()  # nobody asked again
    assert len(service.events("google")) == 1


async def test_up_passes_it_on_and_only_what_all_of_them_can_use(service: Service) -> None:
    ports = service.ports
    await service.redis.stop()
    up = await service.processes.start("up", "--config", str(service.config))
    for port in (ports.worker_admin, ports.receiver_admin):
        await service.processes.ready(f"http://127.0.0.1:{port}/readyz", up)
    change(
        service, before='client_secret = "file:microsoft_secret"', after='client_secret = "file:not_there"'
    )
    up.send_signal(signal.SIGHUP)
    await until(lambda: "the configuration stays as it was" in service.log("up"))
    change(service, before="file:not_there", after="file:microsoft_secret", adding=SALES)
    up.send_signal(signal.SIGHUP)
    await until(lambda: service.log("up").count(TAKEN_UP) == 2)
    assert REFUSED not in service.log("up")  # none of them was asked to read what one of them could not use
    assert await sell(service) == 202
    await service.written()
    assert up.returncode is None
