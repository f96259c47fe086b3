"""What all tests share: a real Redis for each test process, and settings made as an operator would."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from redis.asyncio import Redis

from bookings import embedded
from bookings.connection import connect
from bookings.store import Store
from config.load import parse
from config.settings import Settings
from tests.waiting import HANGS_AFTER_S

# No process of a test trusts the authorities of the public web, which each would take a twentieth of a second
# to read, and none of them is to reach it.
os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull

hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no defect
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=10_000)  # --hypothesis-profile
hypothesis.settings.load_profile("patient")

# Whatever started the suite may ignore them (nohup does, and shells for what runs in the background); processes
# of tests would inherit that, and some are ended by these signals.
for _number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

Settle = Callable[..., Settings]

FIRST_SECRET = "first-client-secret"
SECOND_SECRET = "second-client-secret"


@pytest.fixture(scope="session")
def redis_dir() -> Iterator[Path]:
    """The data directory of a running redis-server: one for each test process, ended with it however it ends."""
    folder = Path(tempfile.mkdtemp(prefix="sync-"))
    process = subprocess.Popen(
        embedded.command(folder),
        stdout=subprocess.DEVNULL,
        preexec_fn=embedded.end_with_parent,  # noqa: PLW1509 - it takes no lock that a thread may hold
    )
    try:
        deadline = time.monotonic() + HANGS_AFTER_S
        while not listens(folder / "redis.sock"):
            assert process.poll() is None, (folder / "redis.log").read_text()
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.01)
        yield folder
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def listens(path: Path) -> bool:
    """Whether connections are taken at a socket; its file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def tables(data_dir: Path) -> dict[str, Any]:
    """A small configuration: one app with two secrets, and the embedded Redis of `data_dir`."""
    return {
        "redis": {"data_dir": str(data_dir)},
        "apps": [{"name": "hiring", "client_secrets": ["env:FIRST", "env:SECOND"]}],
    }


@pytest.fixture
def settle(redis_dir: Path) -> Settle:
    """Makes settings from tables laid over the small configuration."""

    def make(secrets: dict[str, str] | None = None, **changes: Any) -> Settings:
        whole = tables(redis_dir)
        for name, value in changes.items():
            whole[name] = {**whole.get(name, {}), **value} if isinstance(value, dict) else value
        environ = {"FIRST": FIRST_SECRET, "SECOND": SECOND_SECRET, **(secrets or {})}
        return parse(whole, folder=redis_dir, environ=environ)

    return make


@pytest.fixture
async def redis(settle: Settle) -> AsyncIterator[Redis]:
    """A client of an empty Redis."""
    client = connect(settle().redis)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def store(redis: Redis) -> Store:
    return Store(redis, "sequence-sync")
