"""Google Calendar v3. google-api-python-client builds each request, our own session sends it.

Our key is the event's id: a second insert under it cannot succeed, and reading by it is exact.
"""

import html
from collections.abc import Mapping
from typing import Any

import msgspec

from config.accounts import GoogleAccount
from workers.calendars import google_api, google_fields
from workers.calendars.google_errors import is_ambiguous, raise_for_answer
from workers.calendars.google_fields import DIGEST, EMPTY, FIELDS, KEY, REVISION, TAGS
from workers.calendars.http import Answer, ProviderHttp
from workers.calendars.port import MEETING, Draft, Found, left_over
from workers.event import Conferencing, Event, JoinLink

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
        mapped = google_fields.to_google(event, request_id=key, conference=conference, named_zone=named_zone)
        tags = mapped.owned.get("extendedProperties", {}).get("private", {})
        fields = (
            *(name for name in EMPTY if name in mapped.owned),
            *tags,
            *((MEETING,) if event.conferencing is Conferencing.DEFAULT else ()),
        )
        private = {
            **tags,
            KEY: key,
            REVISION: str(revision),
            DIGEST: mapped.digest,
            FIELDS: " ".join(fields),
        }
        update = {**mapped.owned, "extendedProperties": {"private": private}}
        return Draft(
            key=key,
            revision=revision,
            digest=mapped.digest,
            create={**update, **mapped.create, "id": key},
            update=update,
            when=event.when,
            degraded=mapped.degraded,
            conference="conferenceData" in mapped.create,
            fields=fields,
            link=event.conferencing.url if isinstance(event.conferencing, JoinLink) else "",
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

    async def stands(self, event_id: str) -> bool:
        """Always: a deleted event says of itself that it is cancelled."""
        del event_id
        return True

    async def get(self, event_id: str) -> Found | None:
        """One event by id."""
        answer = await self._send(self._events.get(calendarId=self._calendar_id, eventId=event_id))
        if answer.status == 404 and answer.error:
            return None
        return _found(raise_for_answer(answer))

    async def create(self, body: bytes) -> Found:
        """Inserts a journalled body under our id."""
        event = msgspec.json.decode(body)
        request = self._events.insert(
            calendarId=self._calendar_id, body=event, sendUpdates=self._send_updates, **_conference(event)
        )
        return _found(raise_for_answer(await self._send(request), creating=event["id"]))

    async def update(self, found: Found, draft: Draft) -> Found:
        """Patches our fields; `status` among them brings a cancelled event back."""
        body = _changed(found, draft)
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
        return _found(raise_for_answer(answer))

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
        if answer.status != 204 and not gone:
            raise_for_answer(answer)

    async def _send(self, request: Any, headers: Mapping[str, str] | None = None) -> Answer:
        return await google_api.send(self._http, request, headers)


def _changed(found: Found, draft: Draft) -> dict[str, Any]:
    """The body of an update: what the draft sets, and nothing in place of what is left over.

    Whether a conference is ours is known of the event as it was when it had its etag. So a patch that insists
    on the etag never takes away, or replaces, one that a person added since.
    """
    gone = left_over(found, draft)
    body = draft.update | {name: EMPTY[name] for name in gone if name in EMPTY}
    if TAGS in gone:
        body["extendedProperties"] = {
            "private": {**draft.update["extendedProperties"]["private"], TAGS: None}
        }
    if MEETING in gone and found.online:
        body["conferenceData"] = None
    elif draft.conference and found.fields is not None and MEETING not in found.fields and not found.online:
        # Google ignores a request that is named as the one before: each revision has a name of its own.
        body["conferenceData"] = google_fields.new_conference(f"{draft.key}{draft.revision}")
    return body


def _conference(body: Mapping[str, Any]) -> dict[str, int]:
    """Only with this parameter does Google look at `conferenceData`; without it, what is there stays."""
    return {"conferenceDataVersion": 1} if "conferenceData" in body else {}


def _found(event: Mapping[str, Any]) -> Found:
    private = event.get("extendedProperties", {}).get("private", {})
    conference = event.get("conferenceData") or {}
    asked = conference.get("createRequest", {})
    states = {"pending": "pending", "failure": "failed", "success": "ready"}
    status = asked.get("status", {}).get("statusCode", "")
    state = states.get(status, "ready" if conference.get("entryPoints") else "")
    online = state in ("ready", "pending")
    ours = KEY in private and asked.get("requestId", "").startswith(private[KEY])
    return Found(
        event_id=event["id"],
        etag=event.get("etag", ""),
        key=private.get(KEY, ""),
        revision=int(private.get(REVISION, 0)),
        digest=private.get(DIGEST, ""),
        cancelled=event.get("status") == "cancelled",
        when=google_fields.instants(event),
        created=event.get("created", ""),
        url=event.get("htmlLink", ""),
        online=online,
        conference=state,
        fields=_fields(private, meeting=ours if online else None),
        text=_links(event),
        proof=event["id"],
        recurring=bool(event.get("recurrence")),
    )


def _fields(private: Mapping[str, str], *, meeting: bool | None) -> tuple[str, ...] | None:
    """What an event has from us; `meeting`: whether its conference is ours, None where it has none."""
    if FIELDS not in private:
        return None
    listed = dict.fromkeys(private[FIELDS].split())
    if meeting is False:
        listed.pop(MEETING, None)
    elif meeting:
        listed[MEETING] = None
    return tuple(listed)


def _links(event: Mapping[str, Any]) -> str:
    entry_points = (event.get("conferenceData") or {}).get("entryPoints") or ()
    texts = [event.get("location", ""), event.get("description", "")]
    texts += [entry_point.get("uri", "") for entry_point in entry_points]
    shown = "\n".join(texts)
    return f"{shown}\n{html.unescape(shown)}"
