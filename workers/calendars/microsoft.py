"""Microsoft Graph calendars over REST.

Three guards against a second event, each for when another is blind: the id in our record, `transactionId`,
and our key in an indexed property of the event.
"""

from typing import Any
from urllib.parse import quote

import msgspec

from config.accounts import MicrosoftAccount
from workers.calendars import microsoft_event
from workers.calendars.http import Answer, ProviderHttp
from workers.calendars.microsoft_errors import raise_for_answer
from workers.calendars.microsoft_fields import KEY, VERSION
from workers.calendars.microsoft_http import MicrosoftHttp
from workers.calendars.outlook_body import splice_body
from workers.calendars.port import Draft, Found
from workers.calendars.reading import each, touches
from workers.errors import CalendarError, ErrorClass
from workers.event import Event

_PAGE = 1000  # the largest that Graph gives
_MOST_PAGES = 100
_MOST_CALENDARS = 50
"""Calendars of a mailbox that are searched for an event that was moved; Graph's pages hold more."""
_EXPAND = quote(f"singleValueExtendedProperties($filter=id eq '{KEY}' or id eq '{VERSION}')", safe="")


class MicrosoftCalendar:
    """One calendar of a mailbox; see `workers.calendars.port.Calendar`."""

    looks_before_create = True
    revives = False

    def __init__(
        self,
        account: MicrosoftAccount,
        mailbox: str,
        calendar_id: str,
        http: ProviderHttp,
    ) -> None:
        graph = MicrosoftHttp(account, mailbox, calendar_id, http)
        self._graph = graph
        self._calendar = graph.calendar
        self._event = graph.event
        self._user = graph.user
        self._send = graph.send
        self.lane = http.lane

    def draft(
        self, event: Event, *, key: str, revision: int, named_zone: bool = True, conference: bool = True
    ) -> Draft:
        """Maps a part into Graph's fields, our identity among its extended properties."""
        return microsoft_event.draft(
            event, key=key, revision=revision, named_zone=named_zone, conference=conference
        )

    def proof(self, key: str) -> str:
        """The `transactionId`: a copy has none."""
        return microsoft_event.proof(key)

    async def find(self, key: str) -> list[Found]:
        """The events that carry our key, oldest first. What was deleted does not show."""
        return await self._carriers(self._calendar, key)

    async def find_elsewhere(self, key: str) -> list[Found]:
        """Those in the mailbox's other calendars: classic Outlook moves an event by copying and deleting
        it.
        """
        answer = await self._send("GET", f"{self._user}/calendars?$select=id&$top={_MOST_CALENDARS}")
        others = [each["id"] for each in raise_for_answer(answer).get("value", ())]
        found = []
        for calendar_id in others:
            found += await self._carriers(f"{self._user}/calendars/{quote(calendar_id, safe='')}", key)
        return found

    async def marked(self, start: int, end: int) -> list[Found]:
        """By a filter for any value, as on Outlook's page of an add-in's metadata; the period is ours to
        look at.
        """
        where = quote(
            f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value ne null)", safe=""
        )
        read = f"$select={microsoft_event.MARKED}&$expand={_EXPAND}"
        url = f"{self._calendar}/events?$filter={where}&{read}&$top={_PAGE}"
        items = [item async for item in self._graph.items(url, most_pages=_MOST_PAGES)]
        return [found for found in each(items, microsoft_event.marked) if touches(found.when, start, end)]

    async def _carriers(self, calendar: str, key: str) -> list[Found]:
        where = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq '{key}')"
        url = f"{calendar}/events?$filter={quote(where, safe='')}&$expand={_EXPAND}&$top=10"
        answer = await self._send("GET", url)
        if answer.status == 404:
            raise_for_answer(answer, calendar=True)
        data = raise_for_answer(answer)
        events = [event for event in data.get("value", ()) if isinstance(event, dict)]
        return sorted((microsoft_event.found(event) for event in events), key=lambda found: found.created)

    async def get(self, event_id: str) -> Found | None:
        """One event by its immutable id."""
        event = await self._get(event_id)
        return None if event is None else microsoft_event.found(event)

    async def _get(self, event_id: str) -> dict[str, Any] | None:
        answer = await self._send("GET", f"{self._event(event_id)}?$expand={_EXPAND}")
        return None if _is_gone(answer) else raise_for_answer(answer)

    async def stands(self, event_id: str) -> bool:
        """Whether it is in a calendar: an immutable id may go on to answer in Deleted Items, which is
        none.
        """
        answer = await self._send("GET", f"{self._event(event_id)}/calendar?$select=id")
        if _is_gone(answer):
            return False
        raise_for_answer(answer)
        return True

    async def create(self, body: bytes) -> Found:
        """Posts a journalled body; the same body again gives the same event."""
        answer = await self._send("POST", f"{self._calendar}/events", body=body)
        event = raise_for_answer(answer, calendar=True)
        sent = msgspec.json.decode(body)
        # The reply does not carry our properties. One that does not look like what was sent may be an earlier
        # event: without a key in it, it is looked up.
        same = event.get("subject", "") == sent.get("subject", "")
        properties = sent["singleValueExtendedProperties"] if same else []
        return microsoft_event.found({**event, "singleValueExtendedProperties": properties})

    async def update(self, found: Found, draft: Draft) -> Found:
        """Patches our fields; of an online meeting's body only our own text, and only if that changed."""
        body = microsoft_event.changed(found, draft)
        if found.online and "body" in body:
            event = await self._get(found.event_id)
            if event is None:  # without its body, the meeting's own text would be lost
                raise CalendarError(ErrorClass.GONE, "ErrorItemNotFound")
            there = event.get("body", {}).get("content", "")
            spliced = splice_body(there, None, draft.text)
            del body["body"]
            if spliced is not None:
                body["body"] = {"contentType": "html", "content": spliced}
        headers = {"If-Match": found.etag} if found.etag else {}
        answer = await self._send(
            "PATCH", self._event(found.event_id), body=msgspec.json.encode(body), headers=headers
        )
        event = raise_for_answer(answer)
        properties = body["singleValueExtendedProperties"]
        return microsoft_event.found({**event, "singleValueExtendedProperties": properties})

    async def default_calendar_id(self) -> str:
        """The id of the mailbox's default calendar, which needs none."""
        answer = await self._send("GET", f"{self._user}/calendar?$select=id")
        return str(raise_for_answer(answer, calendar=True)["id"])

    async def probe(self) -> bool:
        """Reads the calendar's own properties."""
        answer = await self._send("GET", f"{self._calendar}?$select=id,canEdit")
        return raise_for_answer(answer, calendar=True).get("canEdit") is True

    async def delete(self, event_id: str) -> None:
        """Removes one event; Graph's own 404 means that it is gone."""
        answer = await self._send("DELETE", self._event(event_id))
        if answer.status in (202, 204) or _is_gone(answer):
            return
        if answer.status in (403, 410):  # said of an event that is cancelled already, too
            there = await self.get(event_id)
            if there is None or there.cancelled or not await self.stands(event_id):
                return
        raise_for_answer(answer)


def _is_gone(answer: Answer) -> bool:
    """Whether Graph says that there is no such event; not that there is no such mailbox."""
    return answer.status == 404 and answer.error.get("code") == "ErrorItemNotFound"
