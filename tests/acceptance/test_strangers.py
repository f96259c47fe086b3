"""Somebody without a secret takes up all that a port gives them: the process stays small, and others are served."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psutil
import pytest

from bench.attacks import ATTACKS, attacked
from bench.callbacks import signed
from bench.hostile import honest
from cli.processes import free_ports
from tests.acceptance.conftest import Service
from tests.callbacks import moved
from tests.raw_http import exchange, head, statuses
from tests.waiting import until

MOST_MIB = 128
LARGE = 250_000


def head_of_32_kib() -> bytes:
    return head(*(f"X-{number}: {'a' * 8000}" for number in range(4)))[:-2]


def many_small_headers() -> bytes:
    return head(*(f"{number}: " for number in range(120)))[:-2]


def body_but_its_last_byte() -> bytes:
    return head(f"Content-Length: {LARGE}") + b" " * (LARGE - 1)


def small_body_but_its_last_byte() -> bytes:
    return head("Content-Length: 12000") + b" " * 11_999


def chunks_without_an_end() -> bytes:
    return head("Transfer-Encoding: chunked") + b"40\r\n" + b"x" * 64 + b"\r\n" * 3900


def requests_sent_ahead() -> bytes:
    return head(method="GET", target="/") * 5000


HOLDS = [
    head_of_32_kib,
    many_small_headers,
    body_but_its_last_byte,
    small_body_but_its_last_byte,
    chunks_without_an_end,
    requests_sent_ahead,
]


@asynccontextmanager
async def held(port: int, sent: bytes, *, connections: int) -> AsyncIterator[None]:
    """Holds so many connections, each of which has sent as much of this as was taken."""
    async with contextlib.AsyncExitStack() as stack:
        writers = []
        for _ in range(connections):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.transport.abort)
            writers.append(writer)
        for writer in writers:
            writer.write(sent)
        await until(
            lambda: all(each.is_closing() or not each.transport.get_write_buffer_size() for each in writers)
        )
        yield


def resident_mib(child: asyncio.subprocess.Process) -> float:
    return float(psutil.Process(child.pid).memory_info().rss) / 2**20


@pytest.mark.parametrize("sent", HOLDS, ids=lambda each: each.__name__)
async def test_a_receiver_whose_connections_are_all_held_stays_small(
    service: Service, sent: Callable[[], bytes]
) -> None:
    receiver = await service.start("receiver")
    for hours in range(3):
        async with held(service.ports.receiver, sent(), connections=520):
            assert resident_mib(receiver) <= MOST_MIB
            status, _, _ = await service.post(moved(hours))
            assert status == 202
            assert resident_mib(receiver) <= MOST_MIB


@pytest.mark.parametrize("sent", HOLDS, ids=lambda each: each.__name__)
async def test_so_does_an_api(
    service: Service, sent: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, admin_port = free_ports(2)
    monkeypatch.setenv("SEQUENCE_SYNC__API__PORT", str(port))
    monkeypatch.setenv("SEQUENCE_SYNC__API__ADMIN_PORT", str(admin_port))
    api = await service.processes.start("api", "--config", str(service.config))
    await service.processes.ready(f"http://127.0.0.1:{admin_port}/readyz", api)
    before = resident_mib(api)
    for at in (port, admin_port):
        async with held(at, sent(), connections=600):
            assert resident_mib(api) <= max(MOST_MIB, before + 48)
            answer = await exchange(
                port, head("Connection: close", "Content-Length: 0", target="/v1/nothing")
            )
            assert statuses(answer) == [404]
            assert b"Server:" not in answer


@pytest.mark.parametrize("attack", ATTACKS)
async def test_honest_callbacks_are_taken_beside_an_attack(service: Service, attack: str) -> None:
    receiver = await service.start("receiver")
    callbacks = [signed(moved(hours), service.secrets[0]) for hours in range(60)]
    async with attacked(attack, service.ports.receiver, service.folder / "attack.log"):
        _, seen = await honest(service.ports.receiver, callbacks)
        assert resident_mib(receiver) <= MOST_MIB
    assert dict(seen) == {202: 60}
    log = service.log("receiver")
    assert "Traceback" not in log
    assert log.count("request_refused") < 11 * 60
