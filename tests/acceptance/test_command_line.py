"""Every command, as it is typed."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp

from cli.processes import free_ports
from tests.acceptance.commands import command
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, changed
from tests.waiting import comes, until

EVENT_ID = "qTtZdczOccgaPncGJaCiLg"


async def test_the_demo_shows_the_main_job_and_ends_well() -> None:
    result = await command("demo")
    assert result.status == 0, result.words
    for shown in ("12:00 Europe/London - 13:00", "14:00 Europe/London - 15:00", "Face to face", "unrouted"):
        assert shown in result.data
    assert "as it should be" in result.words


async def test_a_callback_is_sent_and_looked_at(service: Service, tmp_path: Path) -> None:
    await service.start("receiver")
    await service.start("worker")
    file = tmp_path / "callback.json"
    file.write_bytes(changed(sequence__0__event__summary="planted words"))
    config = ("--config", str(service.config))

    for secret, status in (("1", "accepted"), ("2", "duplicate")):
        sent = await command("send", str(file), *config, "--secret", secret, "--json")
        assert sent.status == 0, sent.words
        assert json.loads(sent.json["answer"])["status"] == status
    await service.written()

    [listed] = (await command("bookings", "list", *config, "--json")).json
    assert (listed["event_id"], listed["state"], listed["parts"]) == (EVENT_ID, "done", 2)
    shown = await command("bookings", "show", EVENT_ID, *config, "--json")
    assert [part["writes"][0]["state"] for part in shown.json["parts"]] == ["written", "written"]
    assert "planted words" not in shown.data
    assert "2026-04-30T11:00:00Z" in shown.data
    revealed = await command("bookings", "show", listed["booking"], *config, "--json", "--reveal")
    assert revealed.json["parts"][0]["event"]["summary"] == "planted words"
    table = await command("bookings", "show", EVENT_ID, *config)
    assert "written" in table.data
    assert "planted words" not in table.data + table.words


async def test_nothing_that_matches_has_an_exit_status_of_its_own(service: Service) -> None:
    config = ("--config", str(service.config))
    for arguments in (("list",), ("list", "--state", "dead"), ("show", "nobody")):
        result = await command("bookings", *arguments, *config)
        assert (result.status, result.data) == (3, "")
        assert result.words.startswith("no booking")


async def test_up_runs_everything_and_keeps_its_data(service: Service, tmp_path: Path) -> None:
    await service.redis.stop()
    data = ("--data-dir", str(tmp_path / "data"))
    for status in (202, 200):
        child = await service.processes.start("up", "--config", str(service.config), *data)
        await until(lambda: "ready: callbacks at" in service.log("up"))
        assert (await service.post(SEQUENCING))[0] == status
        await until(lambda: len(service.events()) == 2)
        child.send_signal(signal.SIGTERM)
        assert await comes(child.wait()) == 0
        (service.folder / "up.log").write_text("")


async def test_the_sandbox_says_where_it_is() -> None:
    port, tls_port = free_ports(2)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "sandbox", "--port", str(port), "--tls-port", str(tls_port)),
        *("--mailbox", "panel@globex.example"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    addresses = json.loads(await comes(child.stdout.readline()))
    assert addresses["url"] == f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session, session.get(addresses["url"]) as page:
        assert "panel@globex.example" in await page.text()
    child.terminate()
    assert await comes(child.wait()) == 0


async def test_a_wrong_configuration_is_explained_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        '[worker]\nconcurency = 5\n[redis]\nurl = "redis://h"\npassword = "env:NOT_SET_ANYWHERE"\n'
        '[[apps]]\nname = "hiring"\nclient_secrets = ["env:NOT_SET_EITHER"]\n'
    )
    for name, needs_the_apps in (("receiver", True), ("worker", False), ("up", True)):
        result = await command(name, "--config", str(file))
        assert result.status == 2
        assert 'did you mean "concurrency"' in result.words
        assert "NOT_SET_ANYWHERE" in result.words
        assert ("NOT_SET_EITHER" in result.words) is needs_the_apps
        assert "Traceback" not in result.words


async def test_wrong_usage_is_explained(service: Service, tmp_path: Path) -> None:
    config = ("--config", str(service.config))
    file = tmp_path / "callback.json"
    file.write_bytes(SEQUENCING)
    for arguments, word in (
        (("send", str(tmp_path / "missing"), *config), "cannot read"),
        (("send", str(file), *config, "--app", "nobody"), "the configuration has: hiring"),
        (("send", str(file), *config, "--secret", "9"), "hiring has 2"),
        (("bookings", "list", *config, "--state", "lost"), "open, dead, done"),
        (("bookings", "list", "--config", str(tmp_path / "missing.toml")), "missing.toml"),
        (("nonsense",), "No such command"),
    ):
        result = await command(*arguments)
        assert result.status == 2, (arguments, result.words)
        assert word in result.words
        assert "Traceback" not in result.words


async def test_without_a_receiver_send_says_so(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "callback.json"
    file.write_bytes(SEQUENCING)
    result = await command("send", str(file), "--config", str(service.config))
    assert result.status == 1
    assert "is the receiver running?" in result.words
    assert not any(secret in result.words for secret in service.secrets)
