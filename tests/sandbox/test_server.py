import asyncio
import json
import signal
import ssl
import sys
from pathlib import Path

import aiohttp
import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import RECRUITER, Client, google_event
from tests.waiting import unless_it_hangs, until


def is_file(name: str) -> bool:
    return Path(name).is_file()


async def test_everything_is_served_over_https_with_the_written_certificate(
    box: Sandbox, http: aiohttp.ClientSession
) -> None:
    trust = ssl.create_default_context(cafile=box.ca_file)
    async with http.get(f"{box.authority}/_sandbox/counters", ssl=trust) as answer:
        assert answer.status == 200


async def test_the_certificate_goes_where_it_is_wanted_and_stays(tmp_path: Path) -> None:
    wanted = tmp_path / "ca.pem"
    async with Sandbox(ca_file=wanted) as box:
        assert box.ca_file == str(wanted)
    assert wanted.read_text().startswith("-----BEGIN CERTIFICATE-----")


async def test_a_temporary_certificate_is_removed() -> None:
    async with Sandbox() as box:
        assert is_file(box.ca_file)
    assert not is_file(box.ca_file)


async def test_two_sandboxes_know_nothing_of_each_other(http: aiohttp.ClientSession) -> None:
    async with Sandbox() as first, Sandbox() as second:
        token = first.google_token(RECRUITER)
        answers = [
            await Client(http, f"{box.google_endpoint}calendars/primary/events", token)(
                "POST", json=google_event()
            )
            for box in (first, second)
        ]
        assert [answer.status for answer in answers] == [200, 401]


async def test_the_addresses_of_the_endpoints_are_the_vendors_with_another_host(box: Sandbox) -> None:
    assert box.google_endpoint == f"{box.url}/calendar/v3/"
    assert box.graph_endpoint == f"{box.url}/graph/v1.0"
    assert box.authority.startswith("https://localhost:")


async def test_stopping_does_not_wait_for_held_replies(http: aiohttp.ClientSession) -> None:
    async with unless_it_hangs():
        async with Sandbox() as box:
            box.state.faults.add("hold", count=None)
            client = Client(
                http, f"{box.google_endpoint}calendars/primary/events", box.google_token(RECRUITER)
            )
            pending = asyncio.create_task(client("GET"))
            await until(lambda: box.state.faults.held)
        assert (await pending).status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_command_announces_its_addresses_and_stops_on_a_signal(
    http: aiohttp.ClientSession, tmp_path: Path, number: signal.Signals
) -> None:
    command = ["-m", "sandbox", "--google-calendar", "team", "--mailbox", "panel@globex.com/other"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--ca-file", str(tmp_path / "ca.pem"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    addresses = json.loads(await process.stdout.readline())
    control = Client(http, f"{addresses['url']}/_sandbox")
    token = (await control("POST", "/google/tokens", {"subject": RECRUITER})).body["access_token"]
    team = Client(http, f"{addresses['google_endpoint']}calendars/team", token)
    token = (await control("POST", "/microsoft/tokens")).body["access_token"]
    other = Client(http, f"{addresses['graph_endpoint']}/users/panel@globex.com/calendars/other", token)
    statuses = [(await team("GET")).status, (await other("GET")).status]
    process.send_signal(number)
    assert await process.wait() == 0
    assert statuses == [200, 200]
    assert addresses["ca_file"] == str(tmp_path / "ca.pem")


async def test_a_test_in_the_same_process_sees_and_acts_without_http(box: Sandbox, google: Client) -> None:
    await google("POST", json=google_event())
    (event,) = box.events("google", RECRUITER)
    box.person.deletes("google", RECRUITER, event.id)
    assert event.live
    assert [each.status for each in box.events()] == ["cancelled"]
