"""How many callbacks a second one receiver verifies and stores, each on disk before it is answered."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from hashlib import sha256
from hmac import digest
from typing import NamedTuple

import psutil

from bench.callbacks import Signed, booking, signed
from bench.children import answers, child, cpu_seconds
from bench.figures import Bar, Figures, Findings, Row, ratio, take_turns
from bench.redis_server import RedisServer
from bench.tools import tool
from bench.world import World, world
from bench.wrk import Load
from cli.processes import free_ports

TITLE = "Receiver"
OURS, BARE, ARQ, WEBHOOK = "sequence-sync", "aiohttp, HMAC only", "aiohttp and arq", "webhook"
_CONNECTIONS = (1, 32, 128)
_SECONDS = 4
_CALLBACKS = 24_000


class Contender(NamedTuple):
    """A receiver: its process, where it listens, what it is sent and what it stores in."""

    process: psutil.Process
    url: str
    load: Load
    redis: RedisServer | None = None

    async def measure(self, connections: int) -> Figures:
        """Sends callbacks to it for a while."""
        if self.redis is not None:
            async with self.redis.client() as client:
                await client.flushall()
        before = cpu_seconds(self.process)
        seen = await self.load.send(self.url, connections=connections, seconds=_SECONDS)
        spent = cpu_seconds(self.process) - before
        if not {*seen.statuses} <= {200, 202, 401}:
            raise RuntimeError(f"{self.url} answered {seen}")
        return {
            "callbacks/s": seen.answers / seen.seconds,
            "p50 ms": seen.p50_ms,
            "p99 ms": seen.p99_ms,
            "CPU ms": 1000 * spent / seen.answers,
            "unanswered": seen.errors,
        }


async def run(rounds: int) -> Findings:
    """Measures."""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(world(sandbox=False))
        plain = [signed(booking(f"booking-{number}"), here.secret) for number in range(_CALLBACKS)]
        new, mixed = Load(here.folder / "new", plain), Load(here.folder / "mixed", _mixed(plain))
        receiver = await stack.enter_async_context(here.receiver())
        bare_process, bare_url = await stack.enter_async_context(here.reference_receiver("bare_receiver"))
        theirs = await stack.enter_async_context(RedisServer(here.folder / "theirs"))
        arq_process, arq_url = await stack.enter_async_context(
            here.reference_receiver("arq_receiver", theirs.url)
        )
        hooked = Load(here.folder / "hex", [_in_hex(each, here.secret) for each in plain])

        ours = Contender(receiver, here.url, new, here.redis)
        bare = Contender(bare_process, bare_url, new)
        contenders = {
            OURS: ours,
            BARE: bare,
            ARQ: Contender(arq_process, arq_url, new, theirs),
        }
        rows: list[Row] = []
        bars = []
        for connections in _CONNECTIONS:
            case = f"{connections} connection{'s' * (connections > 1)}"
            turns = {name: partial(each.measure, connections) for name, each in contenders.items()}
            turns[WEBHOOK] = partial(_webhook_turn, here, hooked, connections)
            found = {row.contender: row for row in await take_turns(case, turns, rounds)}
            rows += found.values()
            if connections == 1:
                continue  # one after the other: how soon each is on disk, and no throughput
            for reference, bar in ((BARE, 0.5), (ARQ, 2.5)):
                value = ratio(found[OURS], found[reference], "callbacks/s")
                bars.append(
                    Bar(f"callbacks/s at {case}, against {reference}", value, bar, at_least=True, unit="x")
                )
        with_mix = {
            OURS: partial(ours._replace(load=mixed).measure, 32),
            BARE: partial(bare._replace(load=mixed).measure, 32),
        }
        rows += await take_turns("32 connections, 5 % forged, 5 % repeated", with_mix, rounds)
        return Findings(rows, bars)


async def _webhook_turn(here: World, hooked: Load, connections: int) -> Figures:
    """It answers first and starts its programs then; those that are left end with it, and disturb nobody."""
    async with _webhook(here) as (process, url):
        return await Contender(process, url, hooked).measure(connections)


@asynccontextmanager
async def _webhook(here: World) -> AsyncIterator[tuple[psutil.Process, str]]:
    """Debian's webhook knows HMACs in hex only, and starts a program for each; `true` does the least."""
    [port] = free_ports(1)
    signature = {"source": "header", "name": "Cronofy-HMAC-SHA256"}
    rule = {"match": {"type": "payload-hmac-sha256", "secret": here.secret, "parameter": signature}}
    hook = {
        "id": "hiring",
        "execute-command": tool("true"),
        "trigger-rule": rule,
        "success-http-response-code": 202,
        "trigger-rule-mismatch-http-response-code": 401,
    }
    hooks, log = here.folder / "hooks.json", here.folder / "webhook.log"
    hooks.write_text(json.dumps([hook]))
    command = (tool("webhook"), "-hooks", str(hooks), "-ip", "127.0.0.1", "-port", str(port))
    async with child(*command, log=log) as process:
        await answers(f"http://127.0.0.1:{port}/", log)
        yield process, f"http://127.0.0.1:{port}/hooks/hiring"


def _in_hex(callback: Signed, secret: str) -> Signed:
    return Signed(callback.body, digest(secret.encode(), callback.body, sha256).hex())


def _mixed(callbacks: Sequence[Signed]) -> list[Signed]:
    """Of twenty callbacks, one has a wrong signature and one is the one before it once more."""
    mixed = list(callbacks)
    for number in range(1, len(mixed), 20):
        mixed[number] = mixed[number - 1]
    for number in range(10, len(mixed), 20):
        mixed[number] = Signed(mixed[number].body, mixed[number - 1].signature)
    return mixed
