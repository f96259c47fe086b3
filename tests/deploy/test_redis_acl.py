"""deploy/redis: our Redis user may do what we do, over TLS, and nothing else."""

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.exceptions import NoPermissionError, ResponseError

from bookings.store import Store
from receiver.callback import Callback, read_callback
from tests.acceptance.commands import Result, command
from tests.acceptance.conftest import Service, kill
from tests.callbacks import SEQUENCING, changed, moved
from tests.deploy.guarded import ACCESS_LIST, GuardedRedis, guarded_redis, guarded_service
from tests.house.project import PACKAGES, ROOT
from tests.integration.calendars import utc
from tests.integration.scheduling import at, sequencing
from tests.waiting import until

SCRIPTS = ROOT / "bookings" / "scripts"
_SCRIPTED = re.compile(r"redis\.p?call\('([A-Z]+)'")
_SENT = re.compile(r"\b(?:redis|pipe)\.([a-z]+)\(")
_SENT_TOGETHER = re.compile(r"\b(?:command|_round_trips\.send)\(\"([A-Z]+)\"")
_OF_THE_CLIENT = {"aclose", "execute", "pipeline"}
_NOT_EVERY_TIME = {
    "select",  # the database of `redis.url`, where that is not 0
}
_OF_ADMINS = {"acl|log", "acl", "config|resetstat", "config", "client|setinfo", "client", "auth", "hello"}


def allowed() -> set[str]:
    """The commands of our user."""
    [line] = [line for line in ACCESS_LIST.splitlines() if line.startswith("user sequence-sync ")]
    return {word[1:] for word in line.split() if word.startswith("+")}


def scripted() -> set[str]:
    """Every command that stands in one of our scripts."""
    return {found.lower() for path in SCRIPTS.glob("*.lua") for found in _SCRIPTED.findall(path.read_text())}


def coded() -> set[str]:
    """Every command that our Python code sends itself, by the names that redis-py gives them."""
    found = {
        name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in _SENT.findall(path.read_text()) + _SENT_TOGETHER.findall(path.read_text())
    }
    names = {"delete": "del", "SCRIPT": "script|load"}
    return {names.get(name, name.lower()) for name in found - _OF_THE_CLIENT}


async def ours(service: Service, *arguments: str, status: int = 0) -> Result:
    """One of our commands, ended as expected."""
    result = await command(*arguments, "--config", str(service.config))
    assert result.status == status, result
    return result


async def work(service: Service, folder: Path) -> None:
    """What the product does in its life: bookings, troubles of every kind, and an operator's commands."""
    faults = service.sandbox.state.faults
    await service.start("receiver")
    worker = await service.start("worker")
    assert (await service.post(SEQUENCING))[0] == 202
    await service.written()
    assert sorted((event.provider, event.starts_at) for event in service.events()) == [
        ("google", utc(11)),
        ("microsoft", utc(12)),
    ]
    assert (await service.post(SEQUENCING))[0] == 200
    faults.add(fault="throttle;retry_after=1", provider="google", method="PATCH")
    assert (await service.post(moved(1)))[0] == 202
    assert (await service.post(b"{"))[0] == 202
    faults.add(fault="error;status=400;code=invalid", provider="google", method="POST")
    await service.post(changed(event__event_id="second", sequence__1__sequence_id="unrouted"))
    await service.find_no_route()

    exported = folder / "letters.jsonl"
    exported.write_text((await ours(service, "dead-letters", "export")).data)
    listed = (await ours(service, "dead-letters", "list", "--json")).json
    assert {each["reason"] for each in listed} == {"unreadable", "unrouted", "permanent"}
    await ours(service, "dead-letters", "stats")
    await ours(service, "dead-letters", "show", listed[0]["dead_letter"])
    await ours(service, "dead-letters", "replay", "--reason", "permanent", "--yes")
    await service.written()
    await ours(service, "dead-letters", "discard", "--all", "--yes")
    await service.written()
    await ours(service, "dead-letters", "import", str(exported))

    await ours(service, "bookings", "list")
    await ours(service, "bookings", "show", "second")
    await ours(service, "bookings", "resync", "second")
    await service.post(changed(event__event_id="second", sequence=[{"sequence_id": "unrouted", "event": {}}]))
    faults.add(fault="hold", provider="google", method="POST")
    await service.post(changed(event__event_id="third"))
    await until(lambda: faults.held)
    kill(worker)
    await worker.wait()
    faults.release()
    await service.start("worker")
    await service.find_no_route()
    await ours(service, "bookings", "cancel", "third", "--yes")
    await service.written()
    await ours(service, "check")


async def link(service: Service) -> None:
    """Links are made through the API; one is disabled, one is picked and written."""
    service.sandbox.cronofy_app(client_id="hiring", secret=tuple(service.secrets[:2]), pauses=(0.01,))
    api = await service.processes.start("api", "--config", str(service.config))
    await service.processes.ready(f"http://127.0.0.1:{service.settings.api.admin_port}/readyz", api)
    address = f"http://127.0.0.1:{service.settings.api.port}/v1/real_time_sequencing"
    headers = {"Authorization": f"Bearer {service.secrets[0]}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def post(path: str, data: Any) -> Any:
            async with session.post(address + path, json=data) as response:
                assert response.status == 200, await response.text()
                return (await response.json())["real_time_sequencing"]["real_time_sequencing_id"]

        event = {"event_id": "linked", "summary": "Interview", "tzid": "Europe/London"}
        first, second = [await post("", sequencing(event=event)) for _ in range(2)]
        await post(f"/{first}/disable", {"display_message": "No longer needed"})
    before = len(service.events())
    await service.sandbox.pick(second, start=at(10))
    await service.written()
    assert len(service.events()) == before + 2
    await ours(service, "links", "list")


async def test_the_product_does_all_its_work_over_tls_as_the_user_of_the_access_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__LEASE", "1s")
    async with guarded_redis(tmp_path) as redis, guarded_service(tmp_path, redis) as service:
        await redis.ask("CONFIG", "RESETSTAT")
        try:
            await work(service, tmp_path)
            await link(service)
        finally:  # what was refused says more than what came of it
            assert await redis.refused() == set()
        async with aiohttp.ClientSession() as session:
            api_admin = service.settings.api.admin_port
            for port in (service.ports.receiver_admin, service.ports.worker_admin, api_admin):
                for path in ("readyz", "metrics"):
                    async with session.get(f"http://127.0.0.1:{port}/{path}") as response:
                        assert response.status == 200, await response.text()
        assert await redis.refused() == set()

        async with redis.as_user("sequence-sync") as client:
            counted = await client.info("commandstats")
        used = {name.removeprefix("cmdstat_") for name in counted} - _OF_ADMINS
        used |= {each for each in allowed() if each.partition("|")[0] in used}  # as Redis below 7 counts
        assert allowed() - used - scripted() - coded() <= _NOT_EVERY_TIME


def test_every_command_of_our_scripts_and_our_code_is_allowed() -> None:
    assert len(scripted()) > 20
    assert len(coded()) > 20
    assert (scripted() | coded()) - allowed() == set()


async def test_a_command_that_is_missing_from_the_list_is_noticed(tmp_path: Path) -> None:
    shorter = ACCESS_LIST.replace(" +hset", "")
    async with guarded_redis(tmp_path, shorter) as redis, redis.as_user("sequence-sync") as client:
        callback = read_callback(SEQUENCING)
        assert isinstance(callback, Callback)
        with pytest.raises(ResponseError, match=r"can't|ermission"):
            await Store(client, "sequence-sync").accept(
                app="hiring",
                event_id="first",
                delivery="d",
                parts=callback.parts,
                link=None,
                window_s=60,
                queue_limit=10,
                dead_letters_limit=10,
            )
        assert await redis.refused() == {"hset"}


@pytest.mark.parametrize(
    "line",
    [
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG SET appendonly no",
        "CONFIG GET *",
        "KEYS *",
        "SCAN 0",
        "SHUTDOWN NOSAVE",
        "REPLICAOF NO ONE",
        "ACL LIST",
        "MONITOR",
        "SAVE",
        "SCRIPT FLUSH",
        "CLIENT LIST",
        "SUBSCRIBE sequence-sync:news",
        "GET another:key",
        "HGETALL another:booking",
        "DEL another:key",
        "SET sequence-syn:key 1",
    ],
)
async def test_it_is_refused(guard: GuardedRedis, line: str) -> None:
    with pytest.raises(NoPermissionError):
        await guard.ask(*line.split(), user="sequence-sync")


async def test_a_script_reaches_no_further_than_its_user(guard: GuardedRedis) -> None:
    async with guard.as_user("sequence-sync") as client:
        for source in ("return redis.call('FLUSHALL')", "return redis.call('HGETALL', 'another:booking')"):
            with pytest.raises(ResponseError, match=r"can't|ermission"):
                await client.register_script(source)()


async def test_nobody_comes_in_without_a_name(guard: GuardedRedis) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", guard.port)
    writer.write(b"PING\r\n")
    assert (await reader.readline()).startswith(b"-NOAUTH")
    writer.close()
    with pytest.raises(NoPermissionError):
        await guard.ask("INFO", user="health")


async def test_the_template_is_no_access_list_until_the_passwords_are_in(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ACL"):
        async with guarded_redis(tmp_path, ACCESS_LIST.replace("@PASSWORD_SHA256@", "@OTHER@")):
            pass


async def test_redis_keeps_everything(guard: GuardedRedis) -> None:
    settings = {}
    for name in ("appendonly", "appendfsync", "maxmemory-policy", "save"):
        [_, value] = await guard.ask("CONFIG", "GET", name)
        settings[name] = value.decode()
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
