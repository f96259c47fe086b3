"""The public port of a receiver as it runs, on the event loop it runs on."""

import contextlib

import pytest

from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING
from tests.raw_http import exchange, head, line_to, signed, statuses


async def test_the_limits_of_the_public_port_hold_in_the_process_itself(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__RECEIVER__HEAD_TIMEOUT", "2s")
    monkeypatch.setenv("SEQUENCE_SYNC__RECEIVER__BODY_TIMEOUT", "5s")
    monkeypatch.setenv("SEQUENCE_SYNC__RECEIVER__MAX_CONNECTIONS", "3")
    await service.start("receiver")
    port, proper = service.ports.receiver, signed(SEQUENCING, "Connection: close", secret=service.secrets[0])
    for request, status in (
        (proper, 202),
        (b"", None),
        (head()[:-2], 408),
        (head("Content-Length: 10"), 408),
        (head("Content-Length: 99999999"), 413),
        (head("X: " + "a" * 9000), 400),
        (head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + proper, 400),
        (head("Connection: upgrade", "Upgrade: websocket") + proper, 400),
        (proper.replace(b"Host: x", b"Host: x\r\nContent-Encoding: gzip"), 415),
        (head("Connection: close", target="/metrics", method="GET"), 404),
    ):
        assert statuses(await exchange(port, request)) == ([status] if status else []), request

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            line = await stack.enter_async_context(line_to(port))
            await line.send(head("Content-Length: 10"))
        assert statuses(await exchange(port, proper)) == [200]  # the oldest of them gave way
    assert "Traceback" not in service.log("receiver")
