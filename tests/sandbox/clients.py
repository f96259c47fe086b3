"""Plain HTTP clients of the look-alikes, as small as tests can read."""

import re
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

PROPERTY = "String {00020329-0000-0000-C000-000000000046} Name key"
RECRUITER = "recruiter@globex.com"
PANEL = "panel@globex.com"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the JSON of the body (or its text), and the headers."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def reason(self) -> str:
        """Google's reason of a refusal."""
        return str(self.body["error"]["errors"][0]["reason"])

    @property
    def code(self) -> str:
        """Graph's code of a refusal."""
        return str(self.body["error"]["code"])


@dataclass(slots=True)
class Client:
    """Calls below one address with one token; `prefer` goes with every call."""

    http: aiohttp.ClientSession
    base: str
    token: str = ""
    prefer: str = ""

    async def __call__(
        self,
        method: str,
        path: str = "",
        json: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Answer:
        sent = {**(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if self.prefer:
            sent.setdefault("Prefer", self.prefer)
        url = self.base + path
        params = {re.sub("^_", "$", name): value for name, value in query.items()}
        async with self.http.request(method, url, json=json, headers=sent, params=params) as answer:
            raw = await answer.read()
            try:
                body = msgspec.json.decode(raw)
            except msgspec.DecodeError:
                body = raw.decode()
            return Answer(answer.status, body, dict(answer.headers))

    async def get(self, path: str = "", /, **query: str) -> Answer:
        """A GET with query options; a leading underscore stands for OData's dollar."""
        return await self("GET", path, None, headers=None, **query)


def google_event(**fields: Any) -> dict[str, Any]:
    """A meeting on 6 October 2026, nine to ten in Berlin."""
    return {
        "id": "meeting1",
        "summary": "Interview",
        "start": {"dateTime": "2026-10-06T09:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-10-06T10:00:00", "timeZone": "Europe/Berlin"},
        **fields,
    }


def graph_event(**fields: Any) -> dict[str, Any]:
    """The same meeting as Graph takes it."""
    return {
        "subject": "Interview",
        "start": {"dateTime": "2026-10-06T09:00:00", "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": "2026-10-06T10:00:00", "timeZone": "W. Europe Standard Time"},
        **fields,
    }
