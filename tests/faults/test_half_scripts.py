"""Fault 40: half a script. Redis rolls nothing back, so what it refuses in the middle leaves the first half behind.

"Redis scripts … no rollback": with an access list that grants all but one command, a script died at that command, after
its writes: the callback was answered 503 and written all the same (redis/redis issues 5250 and 9024 are of the kind).
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, NamedTuple

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bookings.connection import connect
from bookings.scripted import script
from bookings.store import Store
from tests.conftest import Settle
from tests.faults.script_paths import PATHS, Path
from tests.house.project import ROOT

pytestmark = pytest.mark.fault(number=40)

KINDS = (
    *(
        "booking:*",
        "open",
        "open:*",
        "queue",
        "queue:*",
        "turns",
        "lanes",
        "bookings",
        "dead",
        "dead:*",
        "bell",
        "delivery:*",
        "link:*",
    ),
    *("link-called:*", "account:*", "accounts", "consent:*", "office:*", "delayed", "delayed:*", "seen"),
)
PATTERNS = ("arq:job:*", *(f"sequence-sync:{kind}" for kind in KINDS))
A_HINT = {"lpush", "llen", "sequence-sync:bell"}
"""The bell: a worker that does not hear it looks before long."""
TAKEN_BACK = {"close": {"srem"}}
"""What a script uses only where it was refused."""
TROUBLES = {
    "out of memory": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    "a read-only replica": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "short of replicas": ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
}

SHARED = {"clock", "delayed", "lines", "share", "wake"}
SCRIPTS = {each.stem for each in (ROOT / "bookings" / "scripts").glob("*.lua")} - SHARED - {"rehearse"}
_CALLED = re.compile(r"redis\.p?call\('([A-Z]+)'")
_SEEN = re.compile(r' lua\] "(\w+)"(?: "((?:[^"\\]|\\.)*)")?')


class Used(NamedTuple):
    """What a script asks of Redis: commands, and the kinds of keys."""

    commands: frozenset[str]
    patterns: frozenset[str]


@pytest.fixture
async def limited(redis: Redis, settle: Settle) -> AsyncIterator[Store]:
    """The record, opened as a user whose permissions a test takes away one by one."""
    settings = settle(
        redis={"username": "env:NAME", "password": "env:PASSWORD"},
        secrets={"NAME": "limited", "PASSWORD": "password"},
    )
    await allow(redis)
    async with aclosing(connect(settings.redis)) as client:
        yield Store(client, settings.redis.key_prefix)
    await redis.execute_command("ACL", "DELUSER", "limited")


async def allow(redis: Redis, *, but: str = "") -> None:
    """Gives the user every permission but one, a command or a kind of keys."""
    keys = [f"~{each}" for each in PATTERNS if each != but]
    commands = ["+@all", *([f"-{but}"] if but and but not in PATTERNS else [])]
    await redis.execute_command("ACL", "SETUSER", "limited", "reset", "on", ">password", *keys, *commands)


async def everything(redis: Redis) -> Mapping[bytes, tuple[bytes, bool]]:
    """Every key with its value, and whether it expires."""
    return {key: (await redis.dump(key), await redis.pttl(key) >= 0) for key in await redis.keys()}


@asynccontextmanager
async def watched(redis: Redis) -> AsyncIterator[list[str]]:
    """The lines of MONITOR while it is entered."""
    lines: list[str] = []
    connection: Any = await redis.connection_pool.get_connection()
    await connection.send_command("MONITOR")
    await connection.read_response()
    yield lines
    await redis.echo("the end")
    while '"the end"' not in (line := (await connection.read_response()).decode()):
        lines.append(line)
    await connection.disconnect()
    await redis.connection_pool.release(connection)


async def used(path: Path, redis: Redis, limited: Store) -> Used:
    """Takes the path with every permission, and sees what it uses."""
    act = await prepared(path, redis, limited)
    async with watched(redis) as lines:
        await act(limited)
    assert any(f'"{script(path.script).sha}"' in line for line in lines), "the script was not run"
    seen = [found for line in lines if (found := _SEEN.search(line))]
    names = {found[2] for found in seen if found[1].upper() != "TIME"}
    return Used(
        frozenset(found[1].lower() for found in seen),
        frozenset(each for each in PATTERNS for name in names if re.fullmatch(each.replace("*", ".*"), name)),
    )


async def prepared(path: Path, redis: Redis, limited: Store) -> Any:
    await redis.flushall()
    await allow(redis)
    return await path.prepare(Store(redis, limited.keys.prefix))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
async def test_what_redis_refuses_a_user_leaves_nothing_of_a_script_behind(
    path: Path, redis: Redis, limited: Store
) -> None:
    wanted = await used(path, redis, limited)
    left, taken = [], []
    for each in sorted(wanted.commands | wanted.patterns):
        act = await prepared(path, redis, limited)
        before = await everything(redis)
        await allow(redis, but=each)
        try:
            await act(limited)
        except ResponseError:
            left += [each] if await everything(redis) != before else []
        else:
            taken.append(each)
    assert left == []
    assert set(taken) <= A_HINT


async def test_every_command_of_every_script_is_on_one_of_these_paths(redis: Redis, limited: Store) -> None:
    assert {path.script for path in PATHS} == SCRIPTS
    seen: dict[str, set[str]] = {name: set() for name in SCRIPTS}
    for path in PATHS:
        seen[path.script] |= (await used(path, redis, limited)).commands
    for name in SHARED:
        seen[name] = set().union(*seen.values())
    for name in (*SCRIPTS, *SHARED):
        own = (ROOT / "bookings" / "scripts" / f"{name}.lua").read_text()
        assert {each.lower() for each in _CALLED.findall(own)} - seen[name] == TAKEN_BACK.get(name, set()), (
            name
        )


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_redis_in_trouble_carries_out_all_of_a_script_or_none_of_it(
    trouble: str, redis: Redis, limited: Store
) -> None:
    refused = set()
    begin, end = TROUBLES[trouble]
    for path in PATHS:
        act = await prepared(path, redis, limited)
        before = await everything(redis)
        await redis.execute_command(*begin.split())
        try:
            await act(limited)
        except ResponseError:
            refused.add(path.script)
            assert await everything(redis) == before, path.name
        finally:
            await redis.execute_command(*end.split())
    assert refused >= {"accept", "quarantine", "claim", "journal"}
