"""Kills and stops processes at random, and once throws everything away that is arq's."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from redis.exceptions import RedisError

from tests.chaos.world import LEASE_S, Child, World

_EVERY_S = (0.3, 2.5)
_VICTIMS = {"worker-1": 5, "worker-2": 5, "receiver": 5, "redis": 5, "stop a worker": 5, "everything": 1}
_REDIS_AWAY_S = 1.0


class Monkey:
    """Runs until it is cancelled, and leaves everything running behind it; until a blow fails, which it raises."""

    def __init__(self, world: World, seed: int) -> None:
        self.struck: Counter[str] = Counter()
        self._world = world
        self._random = random.Random(f"{seed} monkey")  # noqa: S311 - repeatable chance
        self._redis_is_up = asyncio.Event()
        self._redis_is_up.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """One blow after the other."""
        try:
            while True:
                await asyncio.wait({self._failed}, timeout=self._random.uniform(*_EVERY_S))
                if self._failed.done():
                    return self._failed.result()
                [victim] = self._random.choices(list(_VICTIMS), list(_VICTIMS.values()))
                self.strike(victim)
        finally:
            await asyncio.gather(*self._tasks)
            self._failed.cancel()

    def strike(self, victim: str) -> None:
        """One blow."""
        pause, away = self._random.uniform(1.2, 3) * LEASE_S, self._random.uniform(0, _REDIS_AWAY_S)
        children = self._world.children
        match victim:
            case "stop a worker":
                worker = children[self._random.choice(["worker-1", "worker-2"])]
                self._begin(self._stop(worker, pause))
            case "everything":
                self._kill_redis(away)
                for child in children.values():
                    self._kill(child)
            case "redis":
                self._kill_redis(away)
            case name:
                self._kill(children[name])

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._failed.done():
            self._failed.set_exception(error)

    def _kill(self, child: Child) -> None:
        if child.signal(signal.SIGKILL):
            self.struck[f"killed {child.name}"] += 1

    async def _stop(self, worker: Child, for_s: float) -> None:
        """Longer than its lease: another worker takes over, and this one finds out when it wakes up."""
        if worker.signal(signal.SIGSTOP):
            self.struck[f"stopped {worker.name}"] += 1
            stopped = worker.process
            await asyncio.sleep(for_s)
            if stopped is worker.process:
                worker.signal(signal.SIGCONT)

    def _kill_redis(self, away_s: float) -> None:
        if self._redis_is_up.is_set():
            self._redis_is_up.clear()
            self._begin(self._redis_dies(away_s))

    async def _redis_dies(self, away_s: float) -> None:
        redis = self._world.redis
        assert redis.process is not None
        redis.process.kill()
        await redis.process.wait()
        self.struck["killed redis"] += 1
        await asyncio.sleep(away_s)
        await redis.start()
        self._redis_is_up.set()

    async def delete_arq(self) -> None:
        """Deletes every key of arq's and the queue, in one step, as soon as Redis lets us."""
        client: Any = (
            self._world.client()
        )  # redis-py 5 annotates its commands for both of its clients at once
        prefix = self._world.settings.redis.key_prefix
        script = """
            local names = redis.call('KEYS', 'arq:*')
            for _, name in ipairs(names) do redis.call('DEL', name) end
            return #names + redis.call('DEL', KEYS[1])"""
        try:
            while True:
                try:
                    self.struck["deleted arq keys"] += int(await client.eval(script, 1, f"{prefix}:queue"))
                except (RedisError, OSError):
                    await asyncio.sleep(0.05)
                else:
                    return
        finally:
            await client.aclose()
