"""What goes wrong in a run's own tasks ends the run, loudly: it would find nothing more, and say so to nobody."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bookings.errors import EmbeddedRedisError
from tests.chaos.monkey import Monkey
from tests.chaos.run import meanwhile
from tests.chaos.world import Child, World


async def test_what_a_task_raises_ends_what_is_done_meanwhile() -> None:
    async def fail() -> None:
        raise LookupError

    with pytest.raises(ExceptionGroup) as raised:
        async with meanwhile(fail()):
            await asyncio.Event().wait()
    assert raised.group_contains(LookupError)


async def test_a_redis_that_does_not_come_back_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with World(1) as world:
        broken = tmp_path / "redis-server"
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with pytest.raises(ExceptionGroup) as raised:
            await without_redis(Monkey(world, 1))
        assert raised.group_contains(EmbeddedRedisError)


async def without_redis(monkey: Monkey) -> None:
    async with meanwhile(monkey.run()):
        monkey.strike("redis")
        await asyncio.Event().wait()


async def test_a_process_that_cannot_be_started_again_ends_the_run() -> None:
    async with World(1) as world:
        child = world.children["receiver"]
        child.command = ["/nowhere"]
        with pytest.raises(ExceptionGroup) as raised:
            await without(child, world)
        assert raised.group_contains(FileNotFoundError)
        child.running = None


async def without(child: Child, world: World) -> None:
    async with meanwhile(world.watch()):
        while True:
            child.signal(signal.SIGKILL)
            await asyncio.sleep(0.1)
