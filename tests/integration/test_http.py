"""What the public port says on the wire, as HTTP has it."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aiohttp import web

from bookings.store import Store
from config.settings import Settings
from receiver.public_port import PublicPort
from receiver.server import receiver_runner
from tests.callbacks import SEQUENCING, moved
from tests.integration.conftest import Receiver
from tests.raw_http import head, line_to, signed, statuses
from tests.waiting import comes


def parsed(answer: bytes) -> tuple[bytes, dict[str, str], bytes]:
    """The first line, the headers and the body of one answer."""
    first, _, rest = answer.partition(b"\r\n")
    lines, _, body = rest.partition(b"\r\n\r\n")
    return first, dict([line.split(": ") for line in lines.decode().split("\r\n")]), body


async def test_an_answer_is_json_of_the_length_that_it_says(receiver: Receiver) -> None:
    first, headers, body = parsed(await receiver.exchange(signed(SEQUENCING, "Connection: close")))
    assert first == b"HTTP/1.1 202 Accepted"
    assert headers["Content-Type"] == "application/json"
    assert int(headers["Content-Length"]) == len(body) > 0
    assert abs(parsedate_to_datetime(headers["Date"]) - datetime.now(UTC)) < timedelta(seconds=10)
    assert headers["Connection"] == "close"


async def test_a_connection_stays_without_a_word_in_1_1_and_with_one_in_1_0(receiver: Receiver) -> None:
    async with line_to(receiver.port) as line:
        await line.send(signed(SEQUENCING) + signed(moved(2), "Connection: close"))
        assert (await line.rest()).count(b"Connection: ") == 1
    old = signed(SEQUENCING).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    _, headers, _ = parsed(await receiver.exchange(old))
    assert "Connection" not in headers
    staying = old.replace(b"Host: x", b"Connection: keep-alive")
    _, headers, rest = parsed(await receiver.exchange(staying + old))
    assert headers["Connection"] == "keep-alive"
    assert statuses(rest) == [200]


async def test_a_head_request_is_answered_without_the_body(receiver: Receiver) -> None:
    first, headers, body = parsed(await receiver.exchange(head("Connection: close", method="HEAD")))
    assert first == b"HTTP/1.1 405 Method Not Allowed"
    assert (int(headers["Content-Length"]) > 0, body) == (True, b"")


async def test_a_body_is_asked_for_only_where_it_is_wanted(receiver: Receiver) -> None:
    whole = signed(SEQUENCING, "Expect: 100-continue", "Connection: close")
    async with line_to(receiver.port) as line:
        await line.send(whole[: -len(SEQUENCING)])
        assert await comes(line.reader.readuntil(b"\r\n\r\n")) == b"HTTP/1.1 100 Continue\r\n\r\n"
        await line.send(SEQUENCING)
        assert statuses(await line.rest()) == [202]
    waiting = ("Expect: 100-continue", "Content-Length: 9")
    assert statuses(await receiver.exchange(head(*waiting, target="/callbacks/nobody"))) == [404]
    assert statuses(await receiver.exchange(head("Expect: 200-ok", "Content-Length: 9"))) == [417]


async def test_a_path_may_be_written_with_escapes(receiver: Receiver) -> None:
    escaped = signed(SEQUENCING, "Connection: close").replace(b"/hiring", b"/%68iring?x=1")
    assert statuses(await receiver.exchange(escaped)) == [202]
    further = head("Connection: close", target="/callbacks/hiring/a/b")
    assert statuses(await receiver.exchange(further)) == [404]


async def test_who_is_about_to_leave_takes_callbacks_and_closes_then_takes_none(
    settings: Settings, store: Store
) -> None:
    port = PublicPort(settings, store)
    runner = receiver_runner(port, settings)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        port.leaving = True
        async with line_to(runner.addresses[0][1]) as line:
            await line.send(signed(SEQUENCING))
            first, headers, _ = parsed(await line.rest())
            assert (first, headers["Connection"]) == (b"HTTP/1.1 202 Accepted", "close")
        port.draining = True
        async with line_to(runner.addresses[0][1]) as line:
            await line.send(signed(moved(2)))
            first, headers, body = parsed(await line.rest())
            assert (first, headers["Retry-After"]) == (b"HTTP/1.1 503 Service Unavailable", "5")
            assert body == b'{"error":"draining"}'
    finally:
        await runner.cleanup()
