"""A Redis that does not tell all of itself, as managed ones do not: what is unknown is a warning, never an error."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from admin.health import Health
from admin.server import start_admin
from bookings.about_redis import AboutRedis, Loading
from cli.checks.finding import Level
from cli.checks.redis import redis as look_at_redis
from cli.checks.redis import version
from tests.conftest import Settle
from tests.redis_trouble.conftest import Rig, numbered, receiver_at
from tests.redis_trouble.server import RedisServer
from tests.redis_trouble.terse import TerseProxy
from tests.redis_trouble.test_admin_port import AdminPort

READ = (
    *("redis_version", "loading", "role", "maxmemory_policy", "maxmemory", "maxmemory_human", "used_memory"),
    *("used_memory_human", "mem_not_counted_for_evict", "aof_enabled", "aof_last_write_status"),
    *("rdb_last_bgsave_status", "cluster_enabled", "total_system_memory"),
)
UNTOLD = "Redis does not tell {}: see in its configuration that it keeps everything"
ENTERPRISE = """\
# Server\r
redis_version:7.4.0\r
redis_mode:standalone\r
process_id:7463228\r
config_file:\r
# Clients\r
connected_clients:391\r
# Memory\r
used_memory:1054058256\r
used_memory_human:1005.22M\r
maxmemory:2147483648\r
mem_allocator:jemalloc-5.1.0\r
# Persistence\r
loading:0\r
rdb_last_bgsave_status:ok\r
# Replication\r
role:master\r
connected_slaves:1\r
"""
"""What one of Redis Enterprise Cloud says, cut short (sidekiq/sidekiq#5086): no policy, no append-only file."""


@pytest.fixture
async def proxy(server: RedisServer) -> AsyncIterator[TerseProxy]:
    async with TerseProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def admin(settle: Settle, server: RedisServer, proxy: TerseProxy) -> AsyncIterator[AdminPort]:
    """The admin port of a receiver whose Redis says what the proxy lets through."""
    async with receiver_at(settle, proxy.url) as (receiver, store):
        health = Health(store)
        runner = await start_admin(health, "127.0.0.1", 0)
        async with aiohttp.ClientSession() as session:
            rig = Rig(receiver, health, store.redis, server, proxy)
            yield AdminPort(rig, runner.addresses[0][1], session)
        await runner.cleanup()


@pytest.mark.parametrize("field", READ)
async def test_a_field_that_is_not_told_costs_no_probe_and_no_metric(
    admin: AdminPort, proxy: TerseProxy, field: str
) -> None:
    proxy.leave_out(field)
    status, answer = await admin.ready()
    assert (status, answer["problems"]) == (200, [])
    assert await admin.metric("sequence_sync_ready") == 1
    assert await admin.metric("sequence_sync_open_parts") == 0
    of_field = {"maxmemory_policy": "maxmemory-policy", "aof_enabled": "whether it keeps an append-only file"}
    assert answer["warnings"] == ([UNTOLD.format(of_field[field])] if field in of_field else [])
    assert await admin.metric("sequence_sync_redis_safe") == (None if field in of_field else 1)


@pytest.mark.parametrize("text", [ENTERPRISE, "# Server\r\n", ""], ids=["enterprise", "one line", "nothing"])
async def test_a_redis_that_tells_little_is_worked_with(
    admin: AdminPort, proxy: TerseProxy, settle: Settle, text: str
) -> None:
    proxy.says = lambda _: text
    status, answer = await admin.ready()
    assert (status, answer["problems"]) == (200, [])
    assert answer["warnings"] == [UNTOLD.format("maxmemory-policy or whether it keeps an append-only file")]
    assert (await admin.rig.post(numbered(1))).status == 202
    assert await admin.metric("sequence_sync_open_parts") == 2
    assert await admin.metric("sequence_sync_redis_safe") is None
    found = {each.subject: each for each in await look_at_redis(settle(redis={"url": proxy.url}))}
    assert {name for name, each in found.items() if each.level is Level.WRONG} == set()
    for name in ("redis eviction", "redis persistence"):
        assert found[name].level is Level.WARNING
        assert "not told" in found[name].words
        assert found[name].remedy


async def test_a_redis_that_refuses_info_is_worked_with(
    admin: AdminPort, server: RedisServer, settle: Settle
) -> None:
    await server.ask("ACL", "SETUSER", "default", "-info")
    status, answer = await admin.ready()
    assert (status, answer["problems"]) == (200, [])
    [warning] = answer["warnings"]
    assert warning.startswith("Redis does not tell of itself (INFO: NoPermissionError: NOPERM)")
    assert (await admin.rig.post(numbered(1))).status == 202
    assert await admin.metric("sequence_sync_open_parts") == 2
    findings = await look_at_redis(settle(redis={"url": server.url}))
    assert {each.level for each in findings} == {Level.RIGHT, Level.WARNING}


@pytest.mark.parametrize(
    ("key", "gone", "left"),
    [
        ("accounts", "sequence_sync_accounts_closed", "sequence_sync_open_parts"),
        ("open", "sequence_sync_open_parts", "sequence_sync_redis_safe"),
    ],
)
async def test_figures_that_cannot_be_had_take_none_of_the_others_with_them(
    admin: AdminPort, server: RedisServer, key: str, gone: str, left: str
) -> None:
    await server.ask("SET", f"sequence-sync:{key}", "of another type")
    assert await admin.metric(gone) is None
    assert await admin.metric(left) is not None
    assert await admin.metric("sequence_sync_ready") == 1


async def test_what_an_account_s_clock_lacks_takes_no_figures_with_it(
    admin: AdminPort, server: RedisServer
) -> None:
    await server.ask("SADD", "sequence-sync:accounts", "google-hr")
    await server.ask("HSET", "sequence-sync:account:clock:google-hr", "state", "parked")
    assert await admin.metric("sequence_sync_open_parts") == 0
    assert (await admin.ready())[0] == 200


async def test_a_redis_that_is_loading_says_how_far_it_is(rig: Rig) -> None:
    async with Redis(port=rig.server.port) as client:
        pipe = client.pipeline(transaction=False)
        for number in range(40_000):
            pipe.set(f"filler:{number}", "y" * 100)
        await pipe.execute()
    await rig.server.kill()
    await rig.server.start("--key-load-delay", "50", loaded=False)
    verdict = await rig.health.look()
    assert verdict.problems == ["Redis is still loading its data; wait"]
    [progress] = verdict.warnings
    assert progress.startswith("Redis is loading")


def test_progress_is_told_as_far_as_it_is_known() -> None:
    assert str(Loading(300 * 2**20, 500 * 2**20, 9)) == "loading 300 of 500 MiB, about 9 s left"
    assert str(Loading(300 * 2**20, 500 * 2**20, -1)) == "loading 300 of 500 MiB"
    assert str(Loading(None, None, None)) == "loading its data"


@given(
    st.dictionaries(
        st.sampled_from([*READ, "server_name", "master_host", "min_slaves_good_slaves", "odd_version"]),
        st.none() | st.text() | st.integers() | st.floats() | st.dictionaries(st.text(), st.text()),
    )
)
def test_whatever_a_redis_says_of_itself_is_read(info: dict[str, object]) -> None:
    about = AboutRedis.read(info)
    assert about.title
    assert version(info, "redis://h").words


@pytest.mark.parametrize(
    ("info", "level", "words"),
    [
        ({"redis_version": "7.4.6", "gcc_version": "12.2.0"}, Level.RIGHT, "Redis 7.4.6 at redis://h"),
        (
            {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.1.4"},
            Level.RIGHT,
            "Valkey 8.1.4, compatible with Redis 7.2.4 at redis://h",
        ),
        (
            {"redis_version": "7.4.0", "dragonfly_version": "df-v1.40.1"},
            Level.RIGHT,
            "Dragonfly df-v1.40.1, compatible with Redis 7.4.0 at redis://h",
        ),
        (
            {"redis_version": "5.0.1", "garnet_version": "1.0.2"},
            Level.WRONG,
            "Garnet 1.0.2, compatible with Redis 5.0.1",
        ),
        ({"redis_version": "unstable"}, Level.WARNING, "Redis at redis://h does not tell it"),
        ({"redis_version": "6.2"}, Level.RIGHT, "Redis 6.2 at redis://h"),
        ({}, Level.WARNING, "Redis at redis://h does not tell it"),
    ],
)
def test_a_server_is_called_what_it_calls_itself(info: dict[str, str], level: Level, words: str) -> None:
    finding = version(info, "redis://h")
    assert (finding.level, finding.words) == (level, words)
    assert finding.remedy or level is Level.RIGHT
