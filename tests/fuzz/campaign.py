"""Sends hostile inputs to a receiver and keeps count of its answers."""

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings

from bookings.identity import booking_id
from bookings.store import Store
from tests.callbacks import SEQUENCING
from tests.fuzz import bodies, wire

ANSWERED_WITHIN_S = 2.0
AT_ONCE = 16
QUIET_S = 0.05
"""After so long without a byte, a connection that was sent no whole request is taken to wait for more."""

_ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n(.*?)\r\n\r\n", re.DOTALL)
_LENGTH = re.compile(rb"(?im)^content-length: (\d+)\r?$")
WIRE_BOOKING = "qTtZdczOccgaPncGJaCiLg"


class Failed(AssertionError):
    """The receiver did what it must not; the text gives the input."""


def structured(count: int, *, number: int) -> list[bytes]:
    """Bodies in the form of callbacks, by hypothesis."""
    made: list[bytes] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(bodies.callbacks())
    def make(body: bytes) -> None:
        made.append(body)

    make()
    return made[:count]


class Campaign:
    """One receiver under attack; every method raises `Failed` at the first answer that must not be."""

    def __init__(self, port: int, store: Store) -> None:
        self.port = port
        self.store = store
        self.answers: Counter[str] = Counter()
        self.inputs: Counter[str] = Counter()
        self._bookings: set[str] = set()
        self._quarantined: set[str] = set()

    async def attack(self, count: int, *, number: int) -> None:
        """Sends `count` inputs made from the seed `number`, then sees what is left in Redis, and empties it."""
        random = Random(number)  # noqa: S311 - repeatable on purpose
        half, quarter = count // 2, count // 4
        signed = structured(half, number=number)
        self.inputs["callbacks in form"] += len(signed)
        await self._post_all(signed)
        self.inputs["changed and raw bodies"] += quarter
        await self._post_all([bodies.mutated(random) for _ in range(quarter)])
        streams = [wire.stream(random) for _ in range(count - len(signed) - quarter)]
        self.inputs["raw connections"] += len(streams)
        limit = asyncio.Semaphore(4 * AT_ONCE)
        await asyncio.gather(*(self._connect(stream, limit) for stream in streams))
        await self._look_into_redis()

    async def still_serves(self) -> None:
        """A normal callback is accepted."""
        await self.store.redis.flushall()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            status, _headers, _body = await self._exchange(reader, writer, SEQUENCING)
        finally:
            writer.close()
        if status != 202:
            raise Failed(f"a normal callback is answered {status}")

    async def _post_all(self, posts: Sequence[bytes]) -> None:
        await asyncio.gather(*(self._post_each(posts[start::AT_ONCE]) for start in range(AT_ONCE)))

    async def _post_each(self, posts: Sequence[bytes]) -> None:
        """Posts signed bodies over one connection, as long as it lasts."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for body in posts:
            status, headers, data = await self._exchange(reader, writer, body)
            self._count(status, headers, data, body)
            if b"connection: close" in headers.lower():
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes
    ) -> tuple[int, bytes, bytes]:
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                writer.write(wire.request(body))
                head = await reader.readuntil(b"\r\n\r\n")
                answer = _ANSWER.fullmatch(head)
                length = _LENGTH.search(head)
                if answer is None or length is None:
                    raise Failed(f"no HTTP: {head!r} to {body[:300]!r}")
                return int(answer[1]), head, await reader.readexactly(int(length[1]))
        except (OSError, EOFError, TimeoutError) as error:
            raise Failed(f"no answer ({error!r}) to {body[:300]!r}") from error

    def _count(self, status: int, headers: bytes, data: bytes, sent: bytes) -> None:
        self._check(status, headers, sent)
        answer = json.loads(data)
        self.answers[f"{status} {answer.get('status') or answer['error']}"] += 1
        match answer.get("status"):
            case "accepted" | "duplicate":
                self._bookings.add(booking_id("hiring", str(answer["event_id"])))
            case "quarantined":
                self._quarantined.add(answer["delivery"])

    def _check(self, status: int, headers: bytes, sent: bytes) -> None:
        if status == 501 and b"transfer-encoding" in sent.lower():
            return
        if status >= 500 and (status != 503 or b"retry-after:" not in headers.lower()):
            raise Failed(f"{status} to {sent[:2000]!r}")

    async def _connect(self, stream: wire.Stream, limit: asyncio.Semaphore) -> None:
        async with limit:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            got = bytearray()
            with contextlib.suppress(OSError):
                for piece in stream.pieces:
                    if writer.transport.is_closing():
                        break
                    writer.write(piece)
                    await asyncio.sleep(stream.pause_s)
                if stream.half_close:
                    writer.write_eof()
            with contextlib.suppress(OSError, TimeoutError):
                while data := await asyncio.wait_for(
                    reader.read(65536), QUIET_S if got else ANSWERED_WITHIN_S / 2
                ):
                    got += data
            writer.close()
        found = list(_ANSWER.finditer(bytes(got)))
        for answer in found:
            self._check(int(answer[1]), answer[2], b"".join(stream.pieces))
            self.answers[f"{answer[1].decode()} raw"] += 1
        if not found:
            self.answers["closed or waiting raw"] += 1

    async def _look_into_redis(self) -> None:
        """Redis holds what was answered 2xx, and nothing else. Raw connections may send the documented one."""
        known = {booking_id("hiring", WIRE_BOOKING), *self._bookings}
        redis, keys = self.store.redis, self.store.keys
        stored = {bid.decode() for bid in await redis.zrange(keys.index, 0, -1)}
        if not self._bookings <= stored <= known:
            raise Failed(f"bookings in Redis: {stored ^ self._bookings} are there or missing")
        dead = {member.decode().removeprefix("delivery:") for member in await redis.zrange(keys.dead, 0, -1)}
        if not self._quarantined <= dead:
            raise Failed(f"not kept: {self._quarantined - dead}")
        kinds = Counter([key.decode().split(":")[1] async for key in redis.scan_iter(count=5000)])
        if (kinds["booking"], kinds["delivery"]) != (len(stored), len(dead)):
            raise Failed(f"{kinds} in Redis, but {len(stored)} bookings and {len(dead)} deliveries are known")
        await redis.flushall()
        self._bookings.clear()
        self._quarantined.clear()
