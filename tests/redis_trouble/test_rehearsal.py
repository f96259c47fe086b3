"""A Redis that answers and lets a process not work: readiness and `check` say so, and by what name."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog
from redis.asyncio import Redis

from admin.health import Health
from bookings.rehearsal import rehearse
from bookings.roles import ALL, API, RECEIVER, WORKER, Role
from bookings.scripted import script
from bookings.store import Store
from cli.checks.finding import Level
from cli.checks.redis import redis as look_at_redis
from tests.conftest import Settle
from tests.redis_trouble.conftest import Rig, numbered, receiver_at
from tests.redis_trouble.server import DURABLE, RedisServer
from tests.waiting import unless_it_hangs

ROLES = {"receiver": RECEIVER, "worker": WORKER, "api": API, "all": ALL}
UNREADABLE = b"{"


class Limited(NamedTuple):
    """A record, and whoever may change what its user may do."""

    store: Store
    admin: Redis
    settle: Settle
    url: str

    async def allow(self, *rules: str) -> None:
        """Gives the user these permissions and no others."""
        keys = ("~sequence-sync:*", "~arq:*") if not any(each.startswith("~") for each in rules) else ()
        await self.admin.execute_command("ACL", "SETUSER", "default", "resetkeys", "+@all", *keys, *rules)

    async def refused(self, role: Role) -> dict[str, tuple[set[str], set[str]]]:
        """Commands and keys by the word for their refusal."""
        found: dict[str, tuple[set[str], set[str]]] = {}
        for each in await rehearse(self.store, role):
            commands, keys = found.setdefault(each.word, (set(), set()))
            commands.update(each.commands)
            keys.update(each.keys)
        return found


@pytest.fixture
async def limited(rig: Rig, settle: Settle) -> AsyncIterator[Limited]:
    await rig.server.ask("ACL", "SETUSER", "admin", "on", ">password", "~*", "&*", "+@all")
    async with Redis(port=rig.server.port, username="admin", password="password") as admin:
        yield Limited(rig.health.store, admin, settle, rig.server.url)


@pytest.mark.parametrize("role", ROLES)
async def test_where_all_is_allowed_nothing_is_refused_and_nothing_is_left_behind(
    limited: Limited, role: str
) -> None:
    store = Store(limited.store.redis, "sequence-sync")
    assert await rehearse(store, ROLES[role]) == []
    loaded = (await limited.admin.info("persistence"))["aof_current_size"]
    if not ROLES[role].loads:  # Redis 6 writes down each time that a script is loaded
        assert await rehearse(store, ROLES[role]) == []
        assert (await limited.admin.info("persistence"))["aof_current_size"] == loaded
    assert await limited.admin.keys() == []


async def test_it_disturbs_nothing_that_is_there(rig: Rig, limited: Limited) -> None:
    await rig.post(numbered(1))
    await rig.post(UNREADABLE)
    await limited.admin.set("sequence-sync:office:reconciler", "somebody", px=60_000)

    async def everything() -> dict[bytes, Any]:
        return {key: await limited.admin.dump(key) for key in await limited.admin.keys()}

    before = await everything()
    for role in ROLES.values():
        assert await rehearse(limited.store, role) == []
    assert await everything() == before
    assert await limited.admin.pttl("sequence-sync:office:reconciler") > 0


@pytest.mark.parametrize("role", ROLES)
async def test_each_command_that_is_not_allowed_is_named(limited: Limited, role: str) -> None:
    unseen = []
    for name in ("EVALSHA", *ROLES[role].commands()):
        await limited.allow(f"-{name}")
        found = await limited.refused(ROLES[role])
        if name not in found.get("NOPERM", (set(), set()))[0]:
            unseen.append((name, found))
    assert unseen == []


@pytest.mark.parametrize("role", ROLES)
async def test_each_kind_of_keys_that_is_not_allowed_is_named(limited: Limited, role: str) -> None:
    names = ROLES[role].kinds(limited.store.keys)
    for missing in names:
        patterns = {name.replace("none", "*") for name in names if name != missing}
        await limited.allow(*(f"~{each}" for each in patterns))
        assert await limited.refused(ROLES[role]) == {"NOPERM": (set(), {missing.replace("none", "*")})}
    await limited.allow("~arq:*")
    assert await limited.refused(ROLES[role]) == {"NOPERM": (set(), {"sequence-sync:*"})}


async def test_only_a_worker_waits_for_the_bell(limited: Limited) -> None:
    await limited.allow("-blpop")
    assert await rehearse(limited.store, RECEIVER) == []
    assert await limited.refused(WORKER) == {"NOPERM": ({"BLPOP"}, set())}


async def test_scripts_that_cannot_be_loaded_are_told_of(limited: Limited) -> None:
    await limited.admin.script_flush()
    await limited.allow("-script")
    assert await limited.refused(RECEIVER) == {"NOPERM": ({"SCRIPT|LOAD"}, set())}
    await limited.admin.script_load(script("rehearse").text.decode())
    assert await limited.refused(ALL) == {"NOPERM": ({"SCRIPT|LOAD"}, set())}


async def test_a_bell_that_may_not_be_rung_is_a_warning_and_costs_no_callback(
    rig: Rig, limited: Limited
) -> None:
    await limited.allow("-lpush")
    verdict = await rig.health.look()
    assert verdict.problems == []
    [warning] = verdict.warnings
    assert "(NOPERM): command LPUSH" in warning
    assert (await rig.post(numbered(1))).status == 202
    assert (await rig.health.store.counts()).items() >= {"open": 2, "dead": 0, "ready": 2}.items()


@pytest.mark.parametrize("rule", ["-evalsha", "-hset", "-zadd", "-hmget", "~sequence-sync:*", "~arq:*"])
async def test_a_refused_callback_is_told_of_by_readiness_by_check_and_in_the_log(
    rig: Rig, limited: Limited, rule: str
) -> None:
    await limited.allow(rule)
    with structlog.testing.capture_logs() as logs:
        answer = await rig.post(numbered(1))
        assert (answer.status, answer.data) == (503, {"error": "redis_unavailable"})
    [line] = [each for each in logs if each["event"] == "callback_refused"]
    assert "NOPERM" in line["error"]
    [problem] = await rig.health.problems_ready()
    missing = {"~sequence-sync:*": "arq:job:*", "~arq:*": "sequence-sync:*"}.get(rule, rule[1:].upper())
    assert problem.startswith("Redis refuses its user (NOPERM)")
    assert missing in problem
    findings = await look_at_redis(limited.settle(redis={"url": limited.url}))
    [finding] = [each for each in findings if each.level is Level.WRONG]
    assert missing in finding.words
    assert finding.remedy.startswith("ACL SETUSER")
    await limited.allow()
    assert (await rig.post(numbered(1))).status == 202
    assert await rig.health.problems_ready() == []


@asynccontextmanager
async def another(settle: Settle, folder: Path, *arguments: str) -> AsyncIterator[Rig]:
    """A receiver in front of a Redis that is started in another way."""
    async with (
        RedisServer(folder / "another", *arguments) as server,
        receiver_at(settle, server.url) as (receiver, store),
    ):
        yield Rig(receiver, Health(store), store.redis, server, None)  # type: ignore[arg-type]


async def everyone_tells(rig: Rig, settle: Settle, word: str) -> str:
    """A callback is refused, and all who are to tell why do; gives what readiness says."""
    with structlog.testing.capture_logs() as logs:
        assert (await rig.post(numbered(1))).status == 503
    [line] = [each for each in logs if each["event"] == "callback_refused"]
    assert word in line["error"]
    [problem] = await rig.health.problems_ready()
    findings = await look_at_redis(settle(redis={"url": rig.server.url}))
    wrong = [each for each in findings if each.level is Level.WRONG]
    assert any(word in each.words for each in wrong), wrong
    return problem


@pytest.mark.parametrize("name", ["EVALSHA", "SCRIPT", "HSET", "ZADD"])
async def test_a_command_that_is_disabled_is_named(settle: Settle, folder: Path, name: str) -> None:
    async with another(settle, folder, *DURABLE, "--rename-command", name, "") as rig:
        problem = await everyone_tells(rig, settle, "unknown command")
        assert problem.startswith("Redis does not know a command that is needed (unknown command)")
        assert name in problem


async def test_waiting_that_is_disabled_is_named_to_workers(settle: Settle, folder: Path) -> None:
    async with another(settle, folder, *DURABLE, "--rename-command", "BLPOP", "") as rig:
        assert await rig.health.problems_ready() == []
        [problem] = await Health(rig.health.store, WORKER).problems_ready()
        assert problem.startswith("Redis does not know a command that is needed (unknown command): BLPOP")


async def test_cluster_mode_is_named(settle: Settle, folder: Path) -> None:
    async with another(settle, folder, "--cluster-enabled", "yes", "--appendonly", "yes") as rig:
        await rig.server.ask("CLUSTER", "ADDSLOTS", *range(16384))
        async with unless_it_hangs():
            while "CROSSSLOT" not in (await rig.health.problems_ready())[0]:
                await asyncio.sleep(0.05)
        problem = await everyone_tells(rig, settle, "CROSSSLOT")
        assert problem.startswith("Redis runs in cluster mode, which is not supported (CROSSSLOT)")


@pytest.fixture
def unwritable(folder: Path) -> Iterator[None]:
    """Where a snapshot would go, there is a folder."""
    place = folder / "another" / "dump.rdb"
    place.mkdir(parents=True)
    yield
    place.rmdir()


@pytest.mark.usefixtures("unwritable")
async def test_a_snapshot_that_fails_is_a_warning_and_a_problem_once_redis_stops_for_it(
    settle: Settle, folder: Path
) -> None:
    options = ("--stop-writes-on-bgsave-error", "no", "--save", "", "--appendonly", "yes")
    async with another(settle, folder, *options) as rig:
        await rig.post(numbered(0))
        await rig.server.ask("BGSAVE")
        async with unless_it_hangs():
            while (await rig.server.info())["rdb_last_bgsave_status"] == "ok":
                await asyncio.sleep(0.05)
        verdict = await rig.health.look()
        assert (verdict.problems, len(verdict.warnings), verdict.redis_safe) == ([], 1, False)
        assert verdict.warnings[0].startswith("Redis could not write its last snapshot")
        assert (await rig.post(numbered(2))).status == 202
        await rig.server.ask("CONFIG", "SET", "save", "3600 1")
        await rig.server.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
        problem = await everyone_tells(rig, settle, "MISCONF")
        assert problem.startswith("Redis refuses to write (MISCONF); its last snapshot failed")
