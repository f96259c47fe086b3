"""Carries callbacks to where they were asked for, again and again until somebody takes them."""

import asyncio
from dataclasses import dataclass, field

import aiohttp
import msgspec
from aiohttp import web

from sandbox.cronofy_callback import HEADER, signature
from sandbox.cronofy_link import Attempt, CronofyApp, CronofyLink
from sandbox.state import State

ANSWER_SECONDS = 7
"""How long an answer may take: as for event triggers (docs.cronofy.com/developers/api/event-triggers/)."""


@dataclass(slots=True)
class Courier:
    """The callbacks under way. To be made where an event loop runs, and to be closed."""

    state: State
    session: aiohttp.ClientSession = field(default_factory=aiohttp.ClientSession)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def send(self, link: CronofyLink) -> asyncio.Task[None]:
        """Send a completed link's callback; the task ends when it was taken, or given up."""
        task = asyncio.create_task(self._deliver(self.state.cronofy.apps[link.client_id], link))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        return task

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self.under_way:
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)
        await self.session.close()

    async def _deliver(self, app: CronofyApp, link: CronofyLink) -> None:
        if not link.callback_url:
            return
        body = msgspec.json.encode(link.callback)
        headers = {"Content-Type": "application/json; charset=utf-8", HEADER: signature(body, app.secrets)}
        for pause in (0, *app.pauses):
            await asyncio.sleep(pause)
            attempt = await self._attempt(link.callback_url, body, headers)
            self.state.cronofy.note(link.id, attempt)
            if attempt.accepted:
                return

    async def _attempt(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        post = self.session.post(
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        )
        try:
            async with post as answer:
                return Attempt(self.state.clock(), answer.status)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Attempt(self.state.clock(), 0, f"{type(error).__name__}: {error}")


COURIER = web.AppKey("courier", Courier)
