"""What the campaign found, each by itself."""

import asyncio
import logging

import pytest

from tests.callbacks import SEQUENCING
from tests.fuzz.wire import request
from tests.integration.conftest import Receiver


@pytest.mark.parametrize(
    "line", [b"POST /callbacks/hiring", b"POST /", b"GET /callbacks/hiring", b"CONNECT x:1"]
)
async def test_an_expectation_that_is_no_text_is_not_met(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    answer = await receiver.exchange(
        line + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: \xff\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 417")
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_what_is_no_http_is_refused_and_not_repeated_in_the_log(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    whole = request(SEQUENCING).replace(b"Content-Length: ", b"Content-Length: 2\r\nX: ")
    answer = await receiver.exchange(whole)  # the rest of the body is read as the next request
    assert b" 400 Bad Request" in answer
    assert "event_id" not in caplog.text


async def test_a_sender_that_goes_away_in_the_middle_is_no_error_of_ours(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    for head in (
        request(SEQUENCING)[:-10],
        request(SEQUENCING).replace(b"Host: x", b"Expect: 100-continue")[:-900],
    ):
        _reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
        writer.write(head)
        await writer.drain()
        writer.transport.abort()
    await asyncio.sleep(0.1)
    assert (await receiver.post(SEQUENCING)).status == 202
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_a_request_without_a_target_is_answered_and_its_connection_closed(receiver: Receiver) -> None:
    answer = await receiver.exchange(b"CONNECT  \r\nHost: x\r\n\r\n")
    assert b" 404 Not Found" in answer
