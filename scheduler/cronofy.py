"""Cronofy's API as an app calls it: one request, and what is repeated of it."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from config.apps import App
from network.outgoing import Outgoing
from network.refusals import Unreached
from workers.retry_after import retry_after

WAITS_S: Final = (1.0, 2.0, 4.0)
"""Before each repetition, where Cronofy does not say how long to wait."""
_LONGEST_WAIT_S = 10.0

_log = structlog.get_logger()


class CronofyAnswer(msgspec.Struct, frozen=True):
    """What Cronofy said, to be passed on as it is."""

    status: int
    body: bytes
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked."""
        return 200 <= self.status < 300


class CronofyUnreachable(Exception):
    """No answer came; `unknown` where Cronofy may have done what it was asked all the same."""

    def __init__(self, code: str, *, unknown: bool) -> None:
        super().__init__(code)
        self.code = code
        self.unknown = unknown


class Cronofy:
    """Asks Cronofy.

    Args:
        outgoing: the way there.
        timeout_s: how long one of them may take.
        waits_s: the pauses before each repetition.
    """

    def __init__(self, outgoing: Outgoing, *, timeout_s: float, waits_s: tuple[float, ...] = WAITS_S) -> None:
        self._outgoing = outgoing
        self._timeout_s = timeout_s
        self._waits_s = waits_s

    async def send(
        self,
        app: App,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        repeatable: bool,
        headers: Mapping[str, str] | None = None,
    ) -> CronofyAnswer:
        """Asks with an app's secret as API key: the first one, or where Cronofy does not know it, the next.

        What was not even begun (429, no connection) is repeated; what may have been done only where it is
        `repeatable`, so that nothing is made twice. Raises `CronofyUnreachable`, and `SecretError`.
        """
        for wait_s in (*self._waits_s, None):
            try:
                answer = await self._with_a_key(app, method, path, body, headers or {})
            except CronofyUnreachable as error:
                if wait_s is None or (error.unknown and not repeatable):
                    raise
            else:
                again = answer.status == 429 or (answer.status >= 500 and repeatable)
                if not again or wait_s is None:
                    return answer
                asked = wait_s if answer.retry_after is None else min(answer.retry_after, _LONGEST_WAIT_S)
                await asyncio.sleep(asked)
                continue
            await asyncio.sleep(wait_s)
        raise AssertionError  # the last round returns or raises

    async def _with_a_key(
        self, app: App, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> CronofyAnswer:
        for secret in app.client_secrets:
            answer = await self._answer(
                method,
                f"{app.cronofy_url}{path}",
                body,
                {**headers, "Authorization": f"Bearer {secret.value()}"},
            )
            if answer.status != 401:
                break
        return answer

    async def _answer(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> CronofyAnswer:
        content = {"Content-Type": "application/json; charset=utf-8"} if body is not None else {}
        try:
            async with self._outgoing.request(
                method, url, body=body, headers={**headers, **content}, timeout_s=self._timeout_s
            ) as response:
                read = await response.read()
        except Unreached as error:
            raise CronofyUnreachable(error.code, unknown=error.sent) from None
        _log.info("cronofy_answered", method=method, status=response.status)
        return CronofyAnswer(response.status, read, retry_after(response.headers))
