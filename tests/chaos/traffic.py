"""Sends as Cronofy does: signed, and again until it is acknowledged. Keeps what the answers promised."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp

from receiver.signature import signature
from tests.chaos.plan import Delivery, Kind, Step, Story
from tests.chaos.world import World

_LANES = 24
_ANSWER_TIMEOUT_S = 4
_GIVE_UP_S = 120
_EXPECTED = {
    Kind.BOOKING: {(202, "accepted"), (200, "duplicate")},
    Kind.UNREADABLE: {(202, "quarantined")},
    Kind.NOTICE: {(200, "ignored")},
    Kind.FORGED: {(401, "")},
}


class Traffic:
    """The whole traffic of a run. `deliveries` by booking, and `problems` with how they were answered."""

    def __init__(self, world: World, seed: int, *, rate: float) -> None:
        self.nonce = f"c{seed:x}"
        self.bookings: dict[str, list[Delivery]] = {}
        self.unreadable: list[Delivery] = []
        self.sent = 0
        self.answers: Counter[str] = Counter()
        self.problems: list[str] = []
        self._world = world
        self._seed = seed
        self._pause_s = 1 / rate
        self._next_at = 0.0
        self._stories = 0
        self._chance = random.Random(f"{seed} traffic")  # noqa: S311 - repeatable chance
        self._secret = world.cronofy_secret

    async def run(self, more: Callable[[int], bool]) -> None:
        """Tells stories side by side as long as `more(callbacks sent)` says so; ends with all acknowledged."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await asyncio.gather(*(self._lane(session, more) for _ in range(_LANES)))

    async def _lane(self, session: aiohttp.ClientSession, more: Callable[[int], bool]) -> None:
        while more(self.sent):
            self._stories += 1
            story = Story(self._seed, self._stories, self.nonce)
            for step in story.steps():
                await self._step(session, story.event_id, step)
                if self._chance.random() < 0.5:
                    await asyncio.sleep(self._chance.uniform(0, 1.5))

    async def _step(self, session: aiohttp.ClientSession, event_id: str, step: Step) -> None:
        known = self.bookings.setdefault(event_id, [])
        newest = max((delivery.revision for delivery in known), default=0)
        fresh = {delivery for delivery in step if delivery.kind is Kind.BOOKING and not delivery.revision}
        known += fresh
        self.unreadable += [delivery for delivery in step if delivery.kind is Kind.UNREADABLE]
        await asyncio.gather(*(self._send(session, delivery) for delivery in step))
        for delivery in fresh:
            if 0 < delivery.revision <= newest:
                self.problems.append(f"{event_id}: revision {delivery.revision} does not follow {newest}")

    async def _send(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        now = time.monotonic()
        self._next_at = max(now, self._next_at + self._pause_s)
        await asyncio.sleep(self._next_at - now)
        self.sent += 1
        signed = signature(delivery.body, secret=self._secret).decode()
        headers = {"Cronofy-HMAC-SHA256": "forged" if delivery.kind is Kind.FORGED else signed}
        deadline = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < deadline:
            try:
                async with session.post(
                    self._world.receiver_url, data=delivery.body, headers=headers
                ) as response:
                    status, answer = response.status, _read(await response.read())
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.answers[f"repeated after {type(error).__name__}"] += 1
            else:
                if status < 500:
                    self._note(delivery, status, answer)
                    return
                self.answers[f"repeated after {status}"] += 1
            await asyncio.sleep(self._chance.uniform(0.05, 0.4))
        self.problems.append(f"{delivery.event_id or delivery.kind}: not acknowledged in {_GIVE_UP_S} s")

    def _note(self, delivery: Delivery, status: int, answer: dict[str, Any]) -> None:
        result = str(answer.get("status", ""))
        self.answers[f"{status} {result}".strip()] += 1
        name = delivery.event_id or delivery.kind
        if (status, result) not in _EXPECTED[delivery.kind]:
            self.problems.append(f"{name}: answered {status} {answer}")
        elif delivery.kind is Kind.UNREADABLE:
            delivery.kept_as = str(answer["delivery"])
        elif delivery.kind is Kind.BOOKING:
            delivery.accepted += result == "accepted"
            if delivery.accepted > 1:
                self.problems.append(f"{name}: equal bytes were accepted twice")
            if delivery.revision not in (0, answer["revision"]):
                self.problems.append(
                    f"{name}: equal bytes are revision {delivery.revision} and {answer['revision']}"
                )
            delivery.revision = max(delivery.revision, int(answer["revision"]))


def _read(answer: bytes) -> dict[str, Any]:
    try:
        data = json.loads(answer)
    except ValueError:
        data = None
    return data if isinstance(data, dict) else {"not JSON": answer.decode(errors="replace")}
