"""Requests to Microsoft Graph about one calendar of a mailbox."""

import uuid
from collections.abc import Mapping
from urllib.parse import quote

from config.accounts import MicrosoftAccount
from workers.calendars.http import Answer, ProviderHttp

_PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'


class MicrosoftHttp:
    """The addresses of a mailbox and of its calendar, and what goes with every request.

    Args:
        account: the account.
        mailbox: whose calendar it is.
        calendar_id: empty for the mailbox's default calendar.
        http: sends the requests.
    """

    def __init__(self, account: MicrosoftAccount, mailbox: str, calendar_id: str, http: ProviderHttp) -> None:
        calendar = f"calendars/{quote(calendar_id, safe='')}" if calendar_id else "calendar"
        self.user = f"{account.graph_endpoint}/users/{quote(mailbox, safe='@')}"
        self.calendar = f"{self.user}/{calendar}"
        self._http = http

    def event(self, event_id: str) -> str:
        """The address of an event."""
        return f"{self.user}/events/{quote(event_id, safe='')}"

    async def send(
        self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends one request. Raises `CalendarError` where no whole answer came."""
        own = {"Prefer": _PREFER, "client-request-id": str(uuid.uuid4()), "Accept": "application/json"}
        if body is not None:
            own["Content-Type"] = "application/json"
        return await self._http.send(method, url, headers={**own, **(headers or {})}, body=body)
