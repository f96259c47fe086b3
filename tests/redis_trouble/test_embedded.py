"""The embedded Redis takes its time: to load its data, to save it, to end. What hangs is told from that."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bookings import redis_socket
from bookings.about_redis import Loading
from bookings.embedded import EmbeddedRedis, redis_server, socket_path
from bookings.errors import EmbeddedRedisError
from cli.processes import free_ports
from cli.up import Progress
from tests.waiting import comes, unless_it_hangs, until

KEYS = 20_000
CONFIG = """
[redis]
data_dir = "data"
[receiver]
host = "127.0.0.1"
port = {}
admin_host = "127.0.0.1"
admin_port = {}
[worker]
admin_host = "127.0.0.1"
admin_port = {}
[[apps]]
name = "hiring"
client_secrets = ["env:SECRET"]
"""

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""
SLOW = """
import signal, subprocess, sys, time
server = subprocess.Popen(sys.argv[1:])
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
signal.sigwait({signal.SIGTERM})
server.terminate()
server.wait()
end = time.process_time() + 2
while time.process_time() < end:
    pass
"""
"""A redis-server that takes two seconds of the processor after it was told to end."""

Serve = Callable[[str], None]


@pytest.fixture
def served_by(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Puts another redis-server before the real one: a shell script's last line, with `$REAL` for that."""
    real, before = redis_server(), os.environ["PATH"]

    def put(line: str) -> None:
        script = folder / "bin" / "redis-server"
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\nREAL="{real}"\n{line}\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}:{before}")

    return put


@pytest.fixture
async def data(folder: Path) -> Path:
    """A data directory with much in it."""
    async with EmbeddedRedis(folder / "data") as redis, client(redis.data_dir) as asked:
        pipe = asked.pipeline(transaction=False)
        for number in range(KEYS):
            pipe.set(f"filler:{number}", "y" * 50)
        await pipe.execute()
    return redis.data_dir


def client(data_dir: Path) -> Redis:
    return Redis(unix_socket_path=str(socket_path(data_dir)))


async def test_loading_is_waited_for_however_long_it_takes(data: Path, served_by: Serve) -> None:
    served_by('exec "$REAL" "$@" --key-load-delay 150')
    told: list[Loading] = []
    began = time.monotonic()
    async with EmbeddedRedis(data, tell=told.append, hanging_after_s=0.5), client(data) as asked:
        assert await asked.dbsize() == KEYS
    assert time.monotonic() - began > 2
    assert [each.loaded for each in told] == sorted(each.loaded or 0 for each in told)
    assert str(told[-1]).startswith("loading ")


async def test_a_server_that_does_nothing_is_given_up(folder: Path, served_by: Serve) -> None:
    served_by("exec sleep 1000")
    redis = EmbeddedRedis(folder / "data", hanging_after_s=0.5)
    with pytest.raises(EmbeddedRedisError, match="hangs: no answer and no work"):
        await redis.start()
    assert redis.process is None


async def test_a_server_that_ends_by_itself_is_told_of_at_once(folder: Path, served_by: Serve) -> None:
    served_by("exit 3")
    with pytest.raises(EmbeddedRedisError, match="ended by itself"):
        await EmbeddedRedis(folder / "data").start()


@pytest.mark.parametrize(
    ("magic", "server", "able"),
    [
        (b"REDIS0011", "Redis server v=6.2.14", "Redis 7"),
        (b"VALKEY080", "Redis server v=8.2.2", "Valkey 9"),
        (b"VALKEY080", "Valkey server v=8.1.4", "Valkey 9"),
    ],
)
async def test_a_server_that_cannot_read_the_data_is_refused(
    data: Path, served_by: Serve, magic: bytes, server: str, able: str
) -> None:
    [base] = (data / "appendonlydir").glob("*.base.rdb")
    base.write_bytes(magic + base.read_bytes()[9:])
    served_by(f'test "$1" = --version && echo "{server} sha=0:0" && exit; exec "$REAL" "$@"')
    with pytest.raises(EmbeddedRedisError, match=f"cannot read the data in .* put {able}"):
        await EmbeddedRedis(data).start()
    assert await redis_socket.info(socket_path(data)) is None


async def test_why_a_server_ended_is_said(data: Path) -> None:
    [base] = (data / "appendonlydir").glob("*.base.rdb")
    base.write_bytes(b"not a file of Redis")
    with pytest.raises(EmbeddedRedisError, match=r"ended by itself \(status 1: Bad file format"):
        await EmbeddedRedis(data).start()


async def test_data_of_the_server_that_was_embedded_before_is_taken_over(folder: Path) -> None:
    (folder / "data").mkdir()
    shutil.copy(Path(__file__).parent / "redis-6.2.aof", folder / "data" / "appendonly.aof")
    async with EmbeddedRedis(folder / "data"), client(folder / "data") as asked:
        assert await asked.get("kept") == b"from before"
        assert await asked.execute_command("HGET", "hash", "since") == b"6.2"


async def test_cancelled_while_it_loads_a_start_leaves_no_server_and_all_data(
    data: Path, served_by: Serve
) -> None:
    served_by('exec "$REAL" "$@" --key-load-delay 1000')
    told: list[Loading] = []
    redis = EmbeddedRedis(data, tell=told.append)
    starting = asyncio.create_task(redis.start())
    await until(lambda: told)
    with pytest.raises(EmbeddedRedisError, match="already runs"):
        await EmbeddedRedis(data).start()
    process = redis.process
    assert process is not None
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert process.returncode == 0
    served_by('exec "$REAL" "$@"')
    async with EmbeddedRedis(data), client(data) as asked:
        assert await asked.dbsize() == KEYS


async def test_a_server_that_is_just_ending_is_waited_for(folder: Path) -> None:
    (folder / "data").mkdir()
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(folder / "data" / "redis.lock")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    await holder.stdout.readline()
    redis = EmbeddedRedis(folder / "data")
    starting = asyncio.create_task(redis.start())
    await asyncio.sleep(0.3)
    assert redis.process is None
    holder.stdin.close()
    await starting
    await redis.stop()
    await holder.wait()


async def test_a_killed_server_s_helpers_keep_nobody_waiting(data: Path) -> None:
    """A helper that rewrites the file lives on for some seconds."""
    redis = EmbeddedRedis(data)
    await redis.start()
    async with client(data) as asked:
        await asked.config_set("rdb-key-save-delay", 100_000)
        await asked.bgrewriteaof()
        assert (await asked.info("persistence"))["aof_rewrite_in_progress"] == 1
    assert redis.process is not None
    redis.process.kill()
    await redis.ended()
    async with EmbeddedRedis(data, hanging_after_s=1), client(data) as asked:
        assert await asked.dbsize() == KEYS


async def test_a_server_that_does_not_end_keeps_its_data_to_itself(folder: Path) -> None:
    async with EmbeddedRedis(folder / "data") as redis:
        assert redis.process is not None
        os.kill(redis.process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(EmbeddedRedisError, match="neither answers nor ends"):
                await EmbeddedRedis(folder / "data", hanging_after_s=0.1).start()
        finally:
            os.kill(redis.process.pid, signal.SIGCONT)


async def test_a_server_that_works_at_its_end_is_waited_for(folder: Path, served_by: Serve) -> None:
    slow = folder / "slow.py"
    slow.write_text(SLOW)
    served_by(f'exec "{sys.executable}" "{slow}" "$REAL" "$@"')
    redis = EmbeddedRedis(folder / "data", hanging_after_s=0.5)
    await redis.start()
    process = redis.process
    assert process is not None
    await redis.stop()
    assert process.returncode == 0


async def test_a_server_that_does_not_end_and_does_nothing_is_killed(folder: Path) -> None:
    redis = EmbeddedRedis(folder / "data", hanging_after_s=0.5)
    await redis.start()
    process = redis.process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    await redis.stop()
    assert process.returncode == -signal.SIGKILL


async def test_the_file_does_not_get_longer_with_every_restart(folder: Path) -> None:
    path = socket_path(folder / "data")
    for _ in range(5):
        async with EmbeddedRedis(folder / "data"), client(folder / "data") as asked:
            for _ in range(24):
                await asked.set("often overwritten", os.urandom(2**20))
    async with EmbeddedRedis(folder / "data"), unless_it_hangs():
        while (info := await redis_socket.info(path)) is None or int(info["aof_current_size"]) > 40 * 2**20:
            await asyncio.sleep(0.05)


class Up:
    """`sequence-sync up` as a process, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        config = self.folder / "sequence-sync.toml"
        config.write_text(CONFIG.format(*free_ports(3)))
        with (self.folder / "said").open("wb") as said:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli.main", "up", "--config", str(config)),
                stdout=said,
                stderr=said,
                env={**os.environ, "SECRET": "a-secret-of-the-test", "COLUMNS": "200"},
            )

    def said(self) -> str:
        return (self.folder / "said").read_text()

    async def end(self, signum: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signum)
        return await self.process.wait()


@pytest.fixture
async def up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Up]:
    """Started by the test; killed with it."""
    up = Up(folder)
    yield up
    if up.process is not None and up.process.returncode is None:
        up.process.kill()
        await up.process.wait()


async def test_up_shows_how_far_it_is_and_starts_the_others_behind_it(
    data: Path, served_by: Serve, up: Up
) -> None:
    served_by('exec "$REAL" "$@" --key-load-delay 100')
    await up.start()
    await until(lambda: "Redis is loading" in up.said())
    assert "receiver_started" not in up.said()
    await until(lambda: "ready: callbacks at" in up.said())
    assert await up.end() == 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_up_ends_cleanly_in_the_middle_of_loading(
    data: Path, served_by: Serve, up: Up, signum: signal.Signals
) -> None:
    served_by('exec "$REAL" "$@" --key-load-delay 1000')
    await up.start()
    await until(lambda: "Redis is loading" in up.said())
    assert await up.end(signum) == 0
    assert "Traceback" not in up.said()
    assert await redis_socket.info(socket_path(data)) is None
    served_by('exec "$REAL" "$@"')
    async with EmbeddedRedis(data), client(data) as asked:
        assert await asked.dbsize() == KEYS


async def test_up_ends_when_its_redis_does(folder: Path, up: Up) -> None:
    await up.start()
    await until(lambda: "ready: callbacks at" in up.said())
    info = await redis_socket.info(socket_path(folder / "data"))
    assert info is not None
    os.kill(int(info["process_id"]), signal.SIGKILL)
    assert up.process is not None
    assert await comes(up.process.wait()) == 1
    assert "redis-server ended by itself" in up.said()


def test_progress_is_not_told_all_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(every_s=1000)
    for loaded in range(5):
        progress(Loading(loaded * 2**20, 500 * 2**20, 9))
    assert capsys.readouterr().err == "Redis is loading 0 of 500 MiB, about 9 s left\n"


# -- nobody else reads what it keeps


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_data_directory_that_was_open_is_closed_and_what_is_made_in_it_is_private(
    folder: Path,
) -> None:
    data = folder / "data"
    data.mkdir(mode=0o755)
    (data / "redis.log").touch()
    before = os.umask(0o022)
    try:
        async with EmbeddedRedis(data):
            assert mode_of(data) == 0o700
            made = [each for each in data.rglob("*") if each.name not in ("redis.log", "redis.sock")]
            assert made
            assert {mode_of(each) & 0o077 for each in made} == {0}
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777, 0o1777])
async def test_an_open_folder_that_holds_other_things_is_refused_and_left_as_it_is(
    folder: Path, mode: int
) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "letters").touch()
    data.chmod(mode)
    with pytest.raises(EmbeddedRedisError, match="open to others"):
        await EmbeddedRedis(data).start()
    assert mode_of(data) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
async def test_a_data_directory_of_another_user_is_refused(folder: Path) -> None:
    data = folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, 12345, -1)
    with pytest.raises(EmbeddedRedisError, match="belongs to another user"):
        await EmbeddedRedis(data).start()


def environment_of(pid: int) -> set[str]:
    """The names of the variables that a process was started with."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return {each.partition(b"=")[0].decode() for each in entries if each}


def umask_of(pid: int) -> str:
    [umask] = re.findall(r"^Umask:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return str(umask)


def children_of(pid: int) -> dict[str, int]:
    """The processes that one has started, by the last words of their command lines."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            line = (status.parent / "cmdline").read_bytes().decode().split("\0")
            if parent == pid:
                name = next((each for each in ("receiver", "worker") if each in line), "redis-server")
                found[name] = int(status.parent.name)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_each_process_of_up_has_the_secrets_that_it_uses_in_its_environment(up: Up) -> None:
    await up.start()
    await until(lambda: "ready: callbacks" in up.said())
    assert up.process is not None
    children = children_of(up.process.pid)
    assert children.keys() == {"redis-server", "receiver", "worker"}
    has = {name: environment_of(pid) for name, pid in children.items()}
    assert {name for name in has if "SECRET" in has[name]} == {"receiver"}
    assert has["redis-server"] <= {"PATH", "LD_LIBRARY_PATH", "TZ", "LANG", "LC_ALL", "TMPDIR"}
    umasks = {name: umask_of(pid) for name, pid in children.items()}
    assert umasks == dict.fromkeys(children, "0077")
    assert await up.end() == 0
