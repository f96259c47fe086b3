"""IPv6: a service listens for both families, or for the one that is asked of it, and is found there."""

import re
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.commands import command
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING


def listen_at(service: Service, host: str | None) -> None:
    """Sets every address that is listened on; None leaves the defaults."""
    text = service.config.read_text()
    line = rf'\1 = "{host}"' if host is not None else ""
    service.config.write_text(re.sub(r'^(host|admin_host) = "127.0.0.1"$', line, text, flags=re.MULTILINE))


async def callback(service: Service, tmp_path: Path) -> int:
    """Sends one by the command, which finds the receiver by itself."""
    file = tmp_path / "callback.json"
    file.write_bytes(SEQUENCING)
    return (await command("send", str(file), "--config", str(service.config))).status


@pytest.mark.parametrize("host", ["::", None])
async def test_everywhere_is_both_families(service: Service, host: str | None, tmp_path: Path) -> None:
    listen_at(service, host)
    await service.start("receiver")  # is ready at 127.0.0.1
    await service.start("worker")
    assert await callback(service, tmp_path) == 0
    async with aiohttp.ClientSession() as session:
        for port in (service.ports.receiver_admin, service.ports.worker_admin):
            for address in ("127.0.0.1", "[::1]"):
                async with session.get(f"http://{address}:{port}/readyz") as answer:
                    assert answer.status == 200
    await service.written()
    assert len(service.events()) == 2


async def test_one_address_of_ipv6_is_listened_on_and_sent_to(service: Service, tmp_path: Path) -> None:
    listen_at(service, "::1")
    children = [
        await service.processes.start(name, "--config", str(service.config))
        for name in ("receiver", "worker")
    ]
    for child, port in zip(children, (service.ports.receiver_admin, service.ports.worker_admin), strict=True):
        await service.processes.ready(f"http://[::1]:{port}/readyz", child)
    assert await callback(service, tmp_path) == 0
    await service.written()
    assert len(service.events()) == 2
