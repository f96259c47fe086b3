"""What somebody without a secret may do to a port. `python -m bench.attacks NAME PORT` does it."""

import asyncio
import contextlib
import itertools
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import uvloop

from bench.children import child

_AGAIN_AFTER_S = 0.2
_DRIP_S = 0.5
_LARGE = 262_000

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Attack(NamedTuple):
    """So many connections, each of which does the same over and over."""

    connections: int
    go: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


def head(*lines: str, method: str = "POST", target: str = "/callbacks/hiring") -> bytes:
    """The head of a request."""
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: x", *lines, "", "")).encode()


async def _one_byte_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" * _LARGE + b"0\r\n\r\n")
    await reader.read()


async def _small_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head("Transfer-Encoding: chunked") + b"8\r\n" + b"x" * 8 + b"\r\n" * (_LARGE // 8))
    await reader.read()


async def _endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head()[:-2])
    for number in itertools.count():
        writer.write(b"X-%d: %s\r\n" % (number, b"a" * 8000))
        await writer.drain()
        if reader.at_eof() or writer.is_closing():
            return
        if number >= 125:
            await reader.read()


async def _head_that_drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head("X: " + "a" * 4000)[:-2])
    await _drip(reader, writer, b"X: y\r\n")


async def _body_that_drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head(f"Content-Length: {_LARGE}") + b" " * (_LARGE - 10_000))
    await _drip(reader, writer, b" ")


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, drop: bytes) -> None:
    while not reader.at_eof() and not writer.is_closing():
        writer.write(drop)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1000), _DRIP_S)


async def _deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del reader
    writer.transport.pause_reading()  # type: ignore[attr-defined] # of what came
    many = head(method="GET", target="/") * 200
    while not writer.is_closing():
        writer.write(many)
        await writer.drain()


async def _large_bodies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    signature = "Cronofy-HMAC-SHA256: " + "a" * 43 + "="
    writer.write(head(f"Content-Length: {_LARGE}", "Connection: close", signature) + b" " * _LARGE)
    await reader.read()


ATTACKS = {
    "one-byte chunks, 1 connection": Attack(1, _one_byte_chunks),
    "one-byte chunks, 16 connections": Attack(16, _one_byte_chunks),
    "eight-byte chunks, 16 connections": Attack(16, _small_chunks),
    "large forged bodies, 16 connections": Attack(16, _large_bodies),
    "endless heads, 100 connections": Attack(100, _endless_head),
    "heads that drip, 700 connections": Attack(700, _head_that_drips),
    "bodies that drip, 700 connections": Attack(700, _body_that_drips),
    "pipelining, never reading, 520 connections": Attack(520, _deaf),
}


@asynccontextmanager
async def attacked(name: str, port: int, log: Path) -> AsyncIterator[psutil.Process]:
    """Has a process of its own attack a port as long as it is entered; all its connections have begun."""
    said = log.stat().st_size if log.exists() else 0
    async with child(sys.executable, "-m", "bench.attacks", name, str(port), log=log) as process:
        async with asyncio.timeout(60):
            while b"begun" not in log.read_bytes()[said:]:
                await asyncio.sleep(0.05)
        yield process


async def _attack(name: str, port: int) -> None:
    attack = ATTACKS[name]
    begun = 0

    async def again_and_again() -> None:
        nonlocal begun
        for turn in itertools.count():
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                if not turn:
                    begun += 1
                    if begun == attack.connections:
                        sys.stderr.write("begun\n")
                try:
                    await attack.go(reader, writer)
                finally:
                    writer.transport.abort()
            await asyncio.sleep(random.uniform(0, 2 * _AGAIN_AFTER_S))  # noqa: S311 - not all in one moment

    async with asyncio.TaskGroup() as group:
        for _ in range(attack.connections):
            group.create_task(again_and_again())


if __name__ == "__main__":
    uvloop.run(_attack(sys.argv[1], int(sys.argv[2])))
