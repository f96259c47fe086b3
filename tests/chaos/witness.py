"""Looks for what must never be seen: meeting texts and secrets in logs, metrics, arq's keys and the queue."""

import asyncio
import json
from collections import Counter

import aiohttp
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.chaos.world import CALENDARS, World

_EVERY_S = 0.5
_ALARMS = {
    "write_crashed": "the worker met a defect of ours",
    "duplicate_event_removed": "a second event stood in a calendar",
    "foreign_event_under_our_id": "an id belonged to another event",
}


class Witness:
    """Samples until it is cancelled; `leaks` says what was seen where, `sampled` how much was looked at."""

    def __init__(self, world: World, nonce: str) -> None:
        self.leaks: Counter[str] = Counter()
        self.alarms: Counter[str] = Counter()
        self.sampled: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()
        self._world = world
        self._planted = [f"planted-{nonce}", *(address for _, address in CALENDARS)]

    async def run(self) -> None:
        """Looks at metrics and at arq's keys every half a second."""
        client = self._world.client()
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session:
                while True:
                    await self._metrics(session)
                    try:
                        await self._arq(client)
                    except (RedisError, OSError):
                        self.sampled["times that Redis was away"] += 1
                    await asyncio.sleep(_EVERY_S)
        finally:
            await client.aclose()

    async def _metrics(self, session: aiohttp.ClientSession) -> None:
        for name, url in self._world.admin_urls.items():
            try:
                async with session.get(f"{url}/metrics") as response:
                    text = await response.text()
            except (aiohttp.ClientError, TimeoutError, OSError):
                continue
            self.sampled["metrics pages"] += 1
            self._look(f"metrics of {name}", text)

    async def _arq(self, client: Redis) -> None:
        keys = [key async for key in client.scan_iter("arq:*", count=1000)]
        text = " ".join(key.decode() for key in keys)
        for key, value in zip(keys, await client.mget(keys) if keys else [], strict=True):
            text += f" {key.decode()} {(value or b'').decode(errors='replace')}"
        queue = f"{self._world.settings.redis.key_prefix}:queue"
        jobs = await client.zrange(queue, 0, -1)
        self.sampled["arq keys and jobs"] += len(keys) + len(jobs)
        self._look("arq's keys", text + " " + " ".join(job.decode() for job in jobs))

    def read_logs(self) -> None:
        """Reads every log file, once all is over."""
        for path in self._world.logs():
            text = path.read_text(errors="replace")
            self._look(path.name, text)
            for line in text.splitlines():
                self.sampled["log lines"] += 1
                try:
                    entry = json.loads(line)
                except ValueError:  # Redis's own, or the last words of a killed process
                    continue
                self._count(entry)

    def _count(self, entry: dict[str, object]) -> None:
        match entry.get("event"):
            case "write_done":
                self.effects[str(entry["outcome"])] += 1
            case "write_failed":
                self.effects[f"{entry['state']} ({entry['error_class']})"] += 1
            case str(event) if event in _ALARMS:
                self.alarms[f"{event}: {_ALARMS[event]}"] += 1

    def _look(self, where: str, text: str) -> None:
        for value in [*self._planted, *self._world.secrets()]:
            if value in text:
                at = text.index(value)
                self.leaks[f"{where}: …{text[max(0, at - 80) : at + 60]}…"] += 1
