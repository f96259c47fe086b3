"""Google Calendar v3. google-api-python-client builds each request, our own session sends it.

Our key is the event's id: a second insert under it cannot succeed, and reading by it is exact.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from config.accounts import GoogleAccount
from workers.calendars import google_api, google_event
from workers.calendars.google_errors import is_ambiguous, raise_for_answer
from workers.calendars.http import Answer, ProviderHttp
from workers.calendars.port import Draft, Found
from workers.calendars.reading import each, rfc3339
from workers.event import Event

_WRITERS = ("writerWithoutPrivateAccess", "writer", "owner")


class GoogleCalendar:
    """One Google calendar; see `workers.calendars.port.Calendar`."""

    looks_before_create = False
    revives = True

    def __init__(self, account: GoogleAccount, calendar_id: str, http: ProviderHttp) -> None:
        self._calendar_id = calendar_id or "primary"
        self._send_updates = account.send_updates
        self._http = http
        self.lane = http.lane
        self._events = google_api.events(account.api_endpoint)

    def draft(
        self, event: Event, *, key: str, revision: int, named_zone: bool = True, conference: bool = True
    ) -> Draft:
        """Maps a part into Google's fields, our identity among its private properties."""
        return google_event.draft(
            event, key=key, revision=revision, named_zone=named_zone, conference=conference
        )

    async def find(self, key: str) -> list[Found]:
        """The event with our id, cancelled or not."""
        found = await self.get(key)
        return [] if found is None else [found]

    def proof(self, key: str) -> str:
        """The id, which is our key: a copy gets one of its own."""
        return key

    async def find_elsewhere(self, key: str) -> list[Found]:
        """None: an event that is moved keeps its id, which is asked for where it was made."""
        del key
        return []

    async def marked(self, start: int, end: int) -> list[Found]:
        """By events.list, which filters by a property's value, but not by its being there."""
        pages = google_api.pages(
            self._http,
            self._events,
            calendarId=self._calendar_id,
            timeMin=rfc3339(start),
            timeMax=rfc3339(end),
            fields=google_event.MARKED,
        )
        return [found async for page in pages for found in each(page.get("items", []), google_event.marked)]

    async def stands(self, event_id: str) -> bool:
        """Always: a deleted event says of itself that it is cancelled."""
        del event_id
        return True

    async def get(self, event_id: str) -> Found | None:
        """One event by id."""
        answer = await self._send(self._events.get(calendarId=self._calendar_id, eventId=event_id))
        if answer.status == 404 and answer.error:
            return None
        return google_event.found(raise_for_answer(answer, calendar=is_ambiguous(answer)))

    async def create(self, body: bytes) -> Found:
        """Inserts a journalled body under our id."""
        event = msgspec.json.decode(body)
        request = self._events.insert(
            calendarId=self._calendar_id, body=event, sendUpdates=self._send_updates, **_conference(event)
        )
        return google_event.found(raise_for_answer(await self._send(request), creating=event["id"]))

    async def update(self, found: Found, draft: Draft) -> Found:
        """Patches our fields; `status` among them brings a cancelled event back."""
        body = google_event.changed(found, draft)
        request = self._events.patch(
            calendarId=self._calendar_id,
            eventId=found.event_id,
            body=body,
            sendUpdates=self._send_updates,
            **_conference(body),
        )
        headers = {"If-Match": found.etag} if found.etag else {}
        answer = await self._send(request, headers)
        if is_ambiguous(answer) and (there := await self.get(found.event_id)) and not there.cancelled:
            raise_for_answer(answer, calendar=True)  # not a cancelled event is refused, but the change
        return google_event.found(raise_for_answer(answer))

    async def probe(self) -> bool:
        """Lists one event, which the scope for writing events allows; the list tells our access role."""
        request = self._events.list(calendarId=self._calendar_id, maxResults=1)
        listed = raise_for_answer(await self._send(request), calendar=True)
        return listed.get("accessRole") in _WRITERS

    async def delete(self, event_id: str) -> None:
        """Removes one event; Google's own 404 and 410 mean that it is gone."""
        request = self._events.delete(
            calendarId=self._calendar_id, eventId=event_id, sendUpdates=self._send_updates
        )
        answer = await self._send(request)
        gone = answer.status in (404, 410) and answer.error
        if answer.status == 204 or gone:
            return
        if is_ambiguous(answer) and (there := await self.get(event_id)) and there.cancelled:
            return
        raise_for_answer(answer, calendar=is_ambiguous(answer))  # it is the calendar: no event is in the way

    async def _send(self, request: Any, headers: Mapping[str, str] | None = None) -> Answer:
        return await google_api.send(self._http, request, headers)


def _conference(body: Mapping[str, Any]) -> dict[str, int]:
    """Only with this parameter does Google look at `conferenceData`; without it, what is there stays."""
    return {"conferenceDataVersion": 1} if "conferenceData" in body else {}
