"""Microsoft Graph calendars over REST.

Three guards against a second event, each for when another is blind: the id in our record, `transactionId`,
and our key in an indexed property of the event.
"""

import html
import uuid
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from config.accounts import MicrosoftAccount
from workers.calendars import microsoft_fields
from workers.calendars.http import Answer, ProviderHttp
from workers.calendars.microsoft_errors import raise_for_answer
from workers.calendars.microsoft_fields import EMPTY, KEY, TAGS, TRANSACTIONS, VERSION
from workers.calendars.microsoft_http import MicrosoftHttp
from workers.calendars.port import MEETING, Draft, Found, left_over
from workers.errors import CalendarError, ErrorClass
from workers.event import Conferencing, Event, JoinLink

_MOST_CALENDARS = 50
"""Calendars of a mailbox that are searched for an event that was moved; Graph's pages hold more."""
_EXPAND = quote(f"singleValueExtendedProperties($filter=id eq '{KEY}' or id eq '{VERSION}')", safe="")

_TAGGED = "tags"


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
        self._calendar = graph.calendar
        self._event = graph.event
        self._user = graph.user
        self._send = graph.send
        self.lane = http.lane

    def draft(
        self, event: Event, *, key: str, revision: int, named_zone: bool = True, conference: bool = True
    ) -> Draft:
        """Maps a part into Graph's fields, our identity among its extended properties."""
        mapped = microsoft_fields.to_microsoft(event, named_zone=named_zone, conference=conference)
        fields = (
            *(name for name in EMPTY if name in mapped.owned),
            *((_TAGGED,) if mapped.tags is not None else ()),
            *((MEETING,) if event.conferencing is Conferencing.DEFAULT else ()),
        )
        properties = [
            {"id": KEY, "value": key},
            {"id": VERSION, "value": _version(revision, mapped.digest, fields)},
        ]
        if mapped.tags is not None:
            properties.append({"id": TAGS, "value": mapped.tags})
        update = {**mapped.owned, "singleValueExtendedProperties": properties}
        return Draft(
            key=key,
            revision=revision,
            digest=mapped.digest,
            create={**update, **mapped.create, "transactionId": self.proof(key)},
            update=update,
            when=event.when,
            degraded=mapped.degraded,
            text=mapped.text,
            conference="isOnlineMeeting" in mapped.create,
            fields=fields,
            link=event.conferencing.url if isinstance(event.conferencing, JoinLink) else "",
        )

    def proof(self, key: str) -> str:
        """The `transactionId`, which Graph keeps for the create that set it: a copy has none."""
        return str(uuid.uuid5(TRANSACTIONS, key))

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

    async def _carriers(self, calendar: str, key: str) -> list[Found]:
        where = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq '{key}')"
        url = f"{calendar}/events?$filter={quote(where, safe='')}&$expand={_EXPAND}&$top=10"
        answer = await self._send("GET", url)
        if answer.status == 404:
            raise_for_answer(answer, calendar=True)
        data = raise_for_answer(answer)
        events = [event for event in data.get("value", ()) if isinstance(event, dict)]
        return sorted((_found(event) for event in events), key=lambda found: found.created)

    async def get(self, event_id: str) -> Found | None:
        """One event by its immutable id."""
        event = await self._get(event_id)
        return None if event is None else _found(event)

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
        return _found({**event, "singleValueExtendedProperties": properties})

    async def update(self, found: Found, draft: Draft) -> Found:
        """Patches our fields; of an online meeting's body only our own text, and only if that changed."""
        body = _changed(found, draft)
        if found.online and "body" in body:
            event = await self._get(found.event_id)
            if event is None:  # without its body, the meeting's own text would be lost
                raise CalendarError(ErrorClass.GONE, "ErrorItemNotFound")
            there = event.get("body", {}).get("content", "")
            spliced = microsoft_fields.splice_body(there, None, draft.text)
            del body["body"]
            if spliced is not None:
                body["body"] = {"contentType": "html", "content": spliced}
        headers = {"If-Match": found.etag} if found.etag else {}
        answer = await self._send(
            "PATCH", self._event(found.event_id), body=msgspec.json.encode(body), headers=headers
        )
        event = raise_for_answer(answer)
        return _found({**event, "singleValueExtendedProperties": body["singleValueExtendedProperties"]})

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


def _changed(found: Found, draft: Draft) -> dict[str, Any]:
    """The body of an update: what the draft sets, and nothing in place of what is left over.

    An online meeting stays one (microsoft-graph-docs issue 17308), and is remembered to be ours.
    """
    gone = left_over(found, draft)
    body = dict(draft.update)
    for name in gone:
        body |= EMPTY.get(name, {})
    properties = {each["id"]: each["value"] for each in draft.update["singleValueExtendedProperties"]}
    if _TAGGED in gone:
        properties[TAGS] = "[]"  # a property cannot be deleted
    if MEETING in gone and found.online:
        properties[VERSION] = _version(draft.revision, draft.digest, (*draft.fields, MEETING))
    body["singleValueExtendedProperties"] = [
        {"id": name, "value": value} for name, value in properties.items()
    ]
    return body


def _version(revision: int, digest: str, fields: Collection[str]) -> str:
    """Our mark on an event: one property, since replies have to be asked for each."""
    return f"{revision} {digest} {','.join(fields)}"


def _is_gone(answer: Answer) -> bool:
    """Whether Graph says that there is no such event; not that there is no such mailbox."""
    return answer.status == 404 and answer.error.get("code") == "ErrorItemNotFound"


def _found(event: Mapping[str, Any]) -> Found:
    # A GUID is the same in either case, and no reply is promised to spell it as we do.
    given = event.get("singleValueExtendedProperties") or ()
    properties = {each["id"].lower(): each["value"] for each in given}
    revision, digest, *names = properties.get(VERSION.lower(), "0 ").split(" ")
    meeting = event.get("onlineMeeting") or {}
    return Found(
        event_id=event["id"],
        etag=event.get("@odata.etag", ""),
        key=properties.get(KEY.lower(), ""),
        revision=int(revision),
        digest=digest,
        cancelled=event.get("isCancelled") is True,
        when=microsoft_fields.instants(event),
        created=event.get("createdDateTime", ""),
        url=event.get("webLink", ""),
        online=event.get("isOnlineMeeting") is True,
        conference="ready" if meeting.get("joinUrl") else "",
        fields=tuple(filter(None, names[0].split(","))) if names else None,
        text=_links(event),
        proof=event.get("transactionId") or "",
        uid=event.get("iCalUId") or "",
        recurring=bool(event.get("recurrence")),
    )


def _links(event: Mapping[str, Any]) -> str:
    place, body = event.get("location") or {}, event.get("body") or {}
    shown = f"{place.get('displayName') or ''}\n{body.get('content') or ''}"
    return f"{shown}\n{html.unescape(shown)}"
