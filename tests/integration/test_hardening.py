"""What the public port does not put up with, on real sockets."""

import asyncio
import contextlib
import stat
import tempfile
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bookings.embedded import EmbeddedRedis, socket_path
from tests.callbacks import SEQUENCING, moved
from tests.integration.conftest import Receiver
from tests.raw_http import chunked, head, line_to, signed, statuses
from tests.waiting import until

# -- sizes


@pytest.mark.parametrize(
    "request_",
    [
        head("X: " + "a" * 9000),
        head(*(f"X-{number}: y" for number in range(200))),
        head(target="/callbacks/" + "a" * 9000),
        head("Cronofy-HMAC-SHA256: " + "," * 9000),
    ],
    ids=["a long header", "many headers", "a long target", "a long signature"],
)
async def test_a_head_that_is_too_large_is_refused(receiver: Receiver, redis: Redis, request_: bytes) -> None:
    answer = await receiver.exchange(request_)
    assert statuses(answer) == [400]
    assert await redis.keys() == []


async def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(receiver: Receiver) -> None:
    answer = await receiver.exchange(head("Content-Length: 99999999"))
    assert statuses(answer) == [413]


async def test_an_endless_head_is_refused_while_it_is_sent(receiver: Receiver) -> None:
    async with line_to(receiver.port) as line:
        await line.send(b"POST /callbacks/hiring HTTP/1.1\r\nX: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(10):
                await line.send(b"a" * 1000)
        assert statuses(await line.rest()) == [400]


@pytest.mark.parametrize("at_once", [True, False])
async def test_many_headers_that_are_each_small_enough_are_too_large_together(
    receiver: Receiver, at_once: bool
) -> None:
    def of(size: int) -> bytes:
        line = b"X-%d: " + b"a" * (size // 8 - 20)
        whole = b"\r\n".join([line % number for number in range(8)])
        begun, end = head("Connection: close", method="GET")[:-2], b"\r\n\r\n"
        return begun + whole + b"a" * (size - len(begun + whole + end)) + end

    for size, status in ((32_768, 405), (32_769, 431)):
        async with line_to(receiver.port) as line:
            for at in range(0, size, size if at_once else 5000):
                line.writer.write(of(size)[at : at + (size if at_once else 5000)])
                await asyncio.sleep(0)
            assert statuses(await line.rest()) == [status]


async def test_a_body_with_more_framing_than_body_is_refused_before_it_is_read(receiver: Receiver) -> None:
    async with line_to(receiver.port) as line:
        line.writer.write(chunked(b"x" * 262_000, size=1))
        answer = await line.rest()
    assert statuses(answer) == [413]
    assert answer.endswith(b'{"error":"body_in_too_many_chunks"}')


async def test_a_small_body_may_come_in_chunks_of_one_byte(receiver: Receiver) -> None:
    assert statuses(await receiver.exchange(chunked(SEQUENCING, "Connection: close", size=1))) == [202]


# -- what is no request


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00", b"GARBAGE secret\r\n\r\n", head("X\0: secret"), head("Content-Length: secret")],
)
async def test_what_is_no_request_is_answered_the_same_whatever_it_is(
    receiver: Receiver, sent: bytes
) -> None:
    before = signed(SEQUENCING)
    async with line_to(receiver.port) as line:
        await line.send(before)
        assert await line.status() == 202
        await line.send(sent)
        answer = await line.rest()
    begun, _, body = answer.partition(b"\r\n\r\n")
    assert begun.startswith(b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n")
    assert b"Connection: close" in begun
    assert b"Server" not in begun
    assert body == b'{"error":"malformed"}'


# -- slowness


@pytest.mark.settings(receiver={"head_timeout": "200ms"})
@pytest.mark.parametrize(
    "sent",
    [b"", b"POST", b"POST /callbacks/hiring HTTP/1.1\r\nHost: x\r\n"],
    ids=["nothing", "a word", "all but the end"],
)
async def test_a_head_that_never_ends_is_given_up(receiver: Receiver, sent: bytes) -> None:
    answer = await receiver.exchange(sent)
    assert statuses(answer) == ([408] if sent else [])


@pytest.mark.settings(receiver={"head_timeout": "300ms"})
async def test_a_head_that_drips_is_given_up_all_the_same(receiver: Receiver) -> None:
    async with line_to(receiver.port) as line:
        await line.send(b"POST /callbacks/hiring HTTP/1.1\r\n")

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    await line.send(b"X: y\r\n")
                    await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert statuses(await line.rest()) == [408]
        await dripping


@pytest.mark.settings(receiver={"head_timeout": "1s"})
async def test_the_head_of_a_later_request_has_no_longer(receiver: Receiver) -> None:
    async with line_to(receiver.port) as line:
        await line.send(signed(SEQUENCING))
        assert await line.status() == 202
        await line.send(b"POST /call")
        assert statuses(await line.rest()) == [408]


@pytest.mark.settings(receiver={"head_timeout": "500ms"})
async def test_a_connection_may_rest_between_requests_and_a_body_has_its_own_time(
    receiver: Receiver,
) -> None:
    async with line_to(receiver.port) as line:
        await line.send(signed(SEQUENCING))
        assert await line.status() == 202
        await asyncio.sleep(0.6)
        whole = signed(moved(2))
        await line.send(whole[:-10])
        await asyncio.sleep(0.6)
        await line.send(whole[-10:])
        assert await line.status() == 202


# -- numbers


@pytest.mark.settings(receiver={"max_connections": 3})
async def test_one_connection_too_many_is_told_so_and_those_that_are_being_answered_go_on(
    receiver: Receiver, redis: Redis
) -> None:
    await redis.client_pause(2500)  # so that answers take as long
    async with contextlib.AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(line_to(receiver.port)) for _ in range(3)]
        for hours, line in enumerate(lines):
            await line.send(signed(moved(hours)))
        await asyncio.sleep(0.1)  # until they are being answered
        too_many = await receiver.exchange(signed(SEQUENCING))
        assert statuses(too_many) == [503]
        assert b"Retry-After: 5\r\n" in too_many
        assert too_many.endswith(b'{"error":"too_many_connections"}')
        assert [await line.status() for line in lines] == [202, 202, 202]


@pytest.mark.parametrize(
    "unfinished",
    [b"", head()[:-2], signed(SEQUENCING)[:-10], chunked(SEQUENCING)[:-10]],
    ids=["nothing", "a head", "a body", "chunks"],
)
@pytest.mark.settings(receiver={"max_connections": 3})
async def test_the_oldest_connection_without_a_whole_request_gives_way(
    receiver: Receiver, unfinished: bytes
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        oldest, second, third = [await stack.enter_async_context(line_to(receiver.port)) for _ in range(3)]
        for line in (oldest, second, third):
            await line.send(unfinished)
        await asyncio.sleep(0.05)
        one_more = await receiver.exchange(signed(moved(1), "Connection: close"))
        assert statuses(one_more) == [202]
        said = await oldest.rest()
        assert statuses(said) == ([503] if unfinished else [])


@pytest.mark.settings(receiver={"max_connections": 3})
async def test_peers_that_send_on_and_never_read_do_not_keep_others_out(receiver: Receiver) -> None:
    many = head(target="/", method="GET") * 5000
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(6):
            line = await stack.enter_async_context(line_to(receiver.port))
            line.writer.write(many)
        for hours in range(5):
            assert statuses(await receiver.exchange(signed(moved(hours), "Connection: close"))) == [202]


@pytest.mark.settings(receiver={"max_connections": 3})
async def test_a_connection_that_rests_makes_way_and_a_busy_one_does_not(receiver: Receiver) -> None:
    whole = signed(SEQUENCING)
    async with contextlib.AsyncExitStack() as stack:
        busy, *resting = [await stack.enter_async_context(line_to(receiver.port)) for _ in range(3)]
        for line in (busy, *resting):
            await line.send(head(target="/", method="GET"))
            assert await line.status() == 404
        await busy.send(whole[:-10])
        for hours in (1, 2):
            one_more = await receiver.exchange(signed(moved(hours), "Connection: close"))
            assert statuses(one_more) == [202]
        assert await resting[0].rest() == b""
        await busy.send(whole[-10:])
        assert await busy.status() == 202


@pytest.mark.settings(receiver={"max_connections": 2, "head_timeout": "1s"})
async def test_a_crowd_that_holds_every_connection_does_not_hold_it_for_long(receiver: Receiver) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            line = await stack.enter_async_context(line_to(receiver.port))
            with contextlib.suppress(ConnectionError):
                await line.send(b"POST /callbacks/hiring HTTP/1.1\r\nX: ")

        async def one_is_taken() -> bool:
            return statuses(await receiver.exchange(signed(SEQUENCING, "Connection: close"))) == [202]

        await until(one_is_taken)


# -- what could be understood in two ways


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: 5, 5",),
        ("Content-Length: +5",),
        ("Content-Length: 5_0",),
        ("Transfer-Encoding:",),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: chunked,",),
        ("Transfer-Encoding: gzip", "Content-Length: 5"),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding:\x0bchunked",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("X: y", " Transfer-Encoding: chunked"),
        ("X: y\nTransfer-Encoding: chunked",),
        ("X\0: y",),
        ("Content-Length",),
    ],
)
async def test_a_length_that_two_servers_could_read_differently_is_refused(
    receiver: Receiver, redis: Redis, lines: tuple[str, ...]
) -> None:
    smuggled = signed(SEQUENCING, "Connection: close")
    answer = await receiver.exchange(head(*lines) + b"0\r\n\r\n" + smuggled)
    assert statuses(answer) == [400]
    assert await redis.keys() == []


@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: identity",),
        ("transfer-encoding: xchunked",),
        ("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"),
    ],
)
async def test_a_transfer_encoding_other_than_chunked_is_not_spoken(
    receiver: Receiver, redis: Redis, lines: tuple[str, ...]
) -> None:
    answer = await receiver.exchange(head(*lines) + b"0\r\n\r\n" + signed(SEQUENCING))
    assert statuses(answer) == [501]
    assert answer.endswith(b'{"error":"transfer_encoding_not_accepted"}')
    assert await redis.keys() == []


@pytest.mark.parametrize(
    "chunk",
    [
        b"5;\n\r\nhello\r\n",
        b"-5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5\r\nhelloX\r\n",
        b"5\nhello\n",
        b"g\r\n",
    ],
)
async def test_a_chunk_that_is_none_ends_the_connection(
    receiver: Receiver, redis: Redis, chunk: bytes
) -> None:
    answer = await receiver.exchange(
        head("Transfer-Encoding: chunked") + chunk + b"0\r\n\r\n" + signed(SEQUENCING)
    )
    assert 202 not in statuses(answer)
    assert await redis.keys() == []


async def test_requests_in_one_packet_are_answered_in_their_order(receiver: Receiver) -> None:
    together = (
        signed(SEQUENCING)
        + head(target="/", method="GET")
        + chunked(moved(2))
        + signed(SEQUENCING)[:-1]
        + b" "
    )
    answer = await receiver.exchange(together + signed(SEQUENCING, "Connection: close"))
    assert statuses(answer) == [202, 404, 202, 401, 200]


async def test_chunks_are_put_together(receiver: Receiver) -> None:
    assert statuses(await receiver.exchange(chunked(SEQUENCING, "Connection: close"))) == [202]


# -- what is not spoken here


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.0", "x"])
@pytest.mark.parametrize("target", ["/callbacks/hiring", "/"])
async def test_no_other_protocol_is_changed_to(
    receiver: Receiver, redis: Redis, protocol: str, target: str
) -> None:
    upgrade = ("Connection: Upgrade", f"Upgrade: {protocol}", "HTTP2-Settings: AAMAAABkAAQAAP__")
    answer = await receiver.exchange(head(*upgrade, target=target) + signed(SEQUENCING))
    assert statuses(answer) == [400]
    assert await redis.keys() == []


async def test_http_2_is_no_request(receiver: Receiver) -> None:
    assert 200 not in statuses(await receiver.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/console", "/console/", "//metrics"])
async def test_what_is_for_operators_is_not_on_the_public_port(receiver: Receiver, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await receiver.exchange(head("Connection: close", target=path, method=method))
        assert statuses(answer) == [404]


# -- on the machine


async def test_the_folder_of_the_embedded_redis_is_for_its_user_only() -> None:
    with tempfile.TemporaryDirectory(prefix="sync-") as folder:
        async with EmbeddedRedis(Path(folder) / "data") as redis:
            assert stat.S_IMODE(redis.data_dir.stat().st_mode) == 0o700
            assert stat.S_IMODE(socket_path(redis.data_dir).stat().st_mode) == 0o700
