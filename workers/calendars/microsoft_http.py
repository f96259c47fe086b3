"""Requests to Microsoft Graph about one calendar of a mailbox."""

import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from config.accounts import MicrosoftAccount
from workers.calendars.http import Answer, ProviderHttp
from workers.calendars.microsoft_errors import raise_for_answer
from workers.calendars.reading import MOST_PAGES, unreadable

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
        self._endpoint = account.graph_endpoint
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

    async def items(self, url: str, *, most_pages: int = MOST_PAGES) -> AsyncIterator[Any]:
        """The items of a list of the calendar's, of all its pages. Raises `CalendarError`."""
        for _ in range(most_pages):
            page = raise_for_answer(await self.send("GET", url), calendar=True)
            found = page.get("value")
            if not isinstance(found, list):
                raise unreadable("answer_unreadable")
            for item in found:
                yield item
            if not page.get("@odata.nextLink"):
                return
            url = str(page["@odata.nextLink"])
            if not url.startswith(f"{self._endpoint}/"):
                raise unreadable("next_page_elsewhere")  # it would be shown our token
        raise unreadable("too_many_pages")
