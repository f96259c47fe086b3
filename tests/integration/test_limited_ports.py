"""The API's port and the admin ports have the limits of the public one."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from admin.health import Health
from admin.metrics import REGISTRY
from admin.ports.applications import limited
from admin.ports.limits import Limits
from admin.server import admin_app
from bookings.store import Store
from tests.raw_http import Line, chunked, exchange, head, line_to, statuses
from tests.waiting import comes

BODY = 10_000


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@pytest.fixture
async def port(store: Store) -> AsyncIterator[int]:
    app = admin_app(Health(store))
    app.router.add_post("/callbacks/hiring", echo)
    limits = Limits(connections=3, body=BODY, head_s=4, body_s=4, write_s=0.5)
    runner = await limited(app, limits, port="admin", shutdown_timeout=1)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (b"GARBAGE\r\n\r\n", 400, "malformed"),
        (head("Content-Length: 5", "Transfer-Encoding: chunked"), 400, "malformed"),
        (head("Transfer-Encoding: gzip, chunked"), 501, "transfer_encoding_not_accepted"),
        (head(*(f"X-{each}: {'a' * 8000}" for each in range(5))), 431, "head_too_large"),
        (head(f"Content-Length: {BODY + 1}"), 413, "body_too_large"),
        (chunked(b"x" * BODY, size=1), 413, "body_in_too_many_chunks"),
        (head("Content-Length: 10")[:-2], 408, "head_too_slow"),
        (head("Content-Length: 10"), 408, "body_too_slow"),
        (head("Transfer-Encoding: chunked") + b"5\r\n", 408, "body_too_slow"),
    ],
)
async def test_what_is_refused_early_is_answered_as_json_and_counted(
    port: int, sent: bytes, status: int, error: str
) -> None:
    def counted() -> float:
        labels = {"port": "admin", "reason": error}
        return REGISTRY.get_sample_value("sequence_sync_port_refusals_total", labels) or 0

    before = counted()
    answer = await exchange(port, sent)
    assert statuses(answer) == [status]
    assert answer.endswith(b'{"error":"%s"}' % error.encode())
    assert b"Server:" not in answer
    assert counted() == before + 1


async def test_what_is_fine_is_answered(port: int) -> None:
    for size in (7, 100):
        answer = await exchange(port, chunked(b"x" * 1000, "Connection: close", size=size))
        assert statuses(answer) == [200]
        assert answer.endswith(b"x" * 1000)
        assert b"Server:" not in answer


async def test_requests_sent_ahead_are_answered_in_their_order_one_after_the_other(port: int) -> None:
    ahead = [head(f"Content-Length: {each}") + b"x" * each for each in range(200)]
    answer = await exchange(port, b"".join(ahead) + head("Connection: close", "Content-Length: 0"))
    lengths = [int(part.split(b"\r\n")[0]) for part in answer.split(b"Content-Length: ")[1:]]
    assert lengths == [*range(200), 0]


async def test_a_peer_that_does_not_read_its_answers_is_left(port: int) -> None:
    async with line_to(port) as line:
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sending = asyncio.create_task(_send_without_end(line))
        with pytest.raises(ConnectionError):
            await comes(sending)
        assert REGISTRY.get_sample_value(
            "sequence_sync_port_refusals_total", {"port": "admin", "reason": "answer_not_read"}
        )


async def _send_without_end(line: Line) -> None:
    while True:
        await line.send((head(f"Content-Length: {BODY}") + b"x" * BODY) * 10)


async def test_one_connection_too_many_has_the_oldest_that_waits_give_way(port: int) -> None:
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    for _, writer in lines:
        writer.write(head("Content-Length: 10"))
    await asyncio.sleep(0.05)
    assert statuses(await exchange(port, head("Connection: close", method="GET", target="/livez"))) == [200]
    assert statuses(await lines[0][0].read()) == [503]
    lines[2][1].write(b"x" * 10)
    assert b"200 OK" in await lines[2][0].readuntil(b"\r\n\r\n")
    for _, writer in lines:
        writer.close()
