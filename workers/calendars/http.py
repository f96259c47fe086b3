"""One request to a provider, over the process's way out. What an answer means is not known here."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from network.outgoing import Outgoing
from network.refusals import Unreached
from workers.calendars.lane import FreeLane, Lane
from workers.calendars.renewals import Renewals
from workers.calendars.tokens import Tokens
from workers.errors import CalendarError, ErrorClass
from workers.metrics import PROVIDER_SECONDS
from workers.retry_after import retry_after
from workers.trail import request_trail

_READS = frozenset({"GET", "HEAD"})

UNMISTAKABLE = frozenset({401, 412, 413, 429})
"""Statuses that mean what they say, with whatever body: the provider, or somebody before it, did nothing."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none (an HTML page, nothing at all)."""
        try:
            data = json.loads(self.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}

    @property
    def error(self) -> dict[str, Any]:
        """The provider's own account of a refusal; empty where somebody in between may have spoken."""
        error = self.json().get("error")
        return error if isinstance(error, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """How many seconds it asks to wait, where it does."""
        return retry_after(self.headers)


class ProviderHttp:
    """Sends the requests of one lane.

    Args:
        outgoing: the way to the provider.
        tokens: the account's tokens.
        lane: what has to be asked before each request.
        refuses_account: whether an answer speaks of the account, and not of what was asked for.
        refuses_rights: whether a token that was issued later may be taken for the same request.
        provider: `google` or `microsoft`, for the metrics.
        timeout_s: how long one request may take.
        ca_file: an authority that the account trusts in addition.
        headers: what goes with every request of the account.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        tokens: Tokens | Renewals,
        lane: Lane | FreeLane,
        *,
        refuses_account: Callable[[Answer], bool],
        provider: str,
        timeout_s: float,
        refuses_rights: Callable[[Answer], bool] = lambda _answer: False,
        ca_file: Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.outgoing = outgoing
        self.tokens = tokens if isinstance(tokens, Renewals) else Renewals(tokens)
        self.lane = lane
        self.provider = provider
        self._refuses_account = refuses_account
        self._refuses_rights = refuses_rights
        self._timeout_s = timeout_s
        self._ca_file = ca_file
        self._headers = headers or {}

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Sends one request; a refused token is replaced once.

        Raises `CalendarError` where no whole answer came, with `unknown` set where the request may have
        been carried out.
        """
        async with self.lane.admitted() as admission:
            token = await self.tokens.token()
            answer = await self._exchange(method, url, headers, body, token)
            if answer.status == 401 or (self._refuses_rights(answer) and self.tokens.is_old(token)):
                token = await self.tokens.token(instead_of=token)
                answer = await self._exchange(method, url, headers, body, token)
            if answer.status == 401 or self._refuses_rights(answer):
                self.tokens.refused(token, of_account=self._refuses_account(answer))
            if answer.status < 500 and not self._refuses_account(answer):
                await admission.went_well()
        return answer

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, token: str
    ) -> Answer:
        with request_trail(method, url) as request:
            answer = await self._answer(method, url, headers, body, token)
            request.note({"http.response.status_code": answer.status})
            if answer.status >= 400:
                request.fail(str(answer.status))
            return answer

    async def _answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, token: str
    ) -> Answer:
        started = time.perf_counter()
        status = "none"
        try:
            async with self.outgoing.request(
                method,
                url,
                headers={**self._headers, **headers, "Authorization": f"Bearer {token}"},
                body=body,
                timeout_s=self._timeout_s,
                ca_file=self._ca_file,
            ) as response:
                status = str(response.status)
                return Answer(response.status, response.headers, await response.read(), url)
        except Unreached as error:
            unknown = error.sent and method not in _READS
            raise CalendarError(ErrorClass.TRANSIENT, error.code, unknown=unknown) from None
        finally:
            PROVIDER_SECONDS.labels(self.provider, method, status).observe(time.perf_counter() - started)
