"""An event of ours at Microsoft: what is sent of it, and what an answer says of it. No I/O."""

import html
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from workers.calendars import microsoft_fields
from workers.calendars.differences import MEETING, left_over
from workers.calendars.microsoft_fields import EMPTY, KEY, TAGS, TRANSACTIONS, VERSION
from workers.calendars.port import Draft, Found
from workers.event import Conferencing, Event, JoinLink

MARKED = (
    "id,createdDateTime,start,end,isAllDay,isCancelled,originalStartTimeZone,originalEndTimeZone,"
    "transactionId,iCalUId,recurrence,webLink"
)
"""All that `marked` reads of an event, beside our own properties: no text of a meeting."""
_TAGGED = "tags"


def draft(event: Event, *, key: str, revision: int, named_zone: bool, conference: bool) -> Draft:
    """The bodies of both requests, with our mark among the extended properties."""
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
        create={**update, **mapped.create, "transactionId": proof(key)},
        update=update,
        when=event.when,
        degraded=mapped.degraded,
        text=mapped.text,
        conference="isOnlineMeeting" in mapped.create,
        fields=fields,
        link=event.conferencing.url if isinstance(event.conferencing, JoinLink) else "",
    )


def proof(key: str) -> str:
    """The `transactionId`, which Graph keeps for the create that set it: a copy has none."""
    return str(uuid.uuid5(TRANSACTIONS, key))


def changed(found: Found, draft: Draft) -> dict[str, Any]:
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


def found(event: Mapping[str, Any]) -> Found:
    """What Graph's resource says of an event."""
    # A GUID is the same in either case, and no reply is promised to spell it as we do.
    given = event.get("singleValueExtendedProperties") or ()
    properties = {each["id"].lower(): each["value"] for each in given}
    revision, _, rest = properties.get(VERSION.lower(), "").partition(" ")
    digest, *names = rest.split(" ")
    meeting = event.get("onlineMeeting") or {}
    return Found(
        event_id=event["id"],
        etag=event.get("@odata.etag", ""),
        key=properties.get(KEY.lower(), ""),
        revision=int(revision) if revision.isdecimal() else 0,  # whoever may write there may change it
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


def marked(event: Mapping[str, Any]) -> Found | None:
    """The same of one that carries a key of ours; None of others, and of one that is cancelled."""
    shown = found(event)
    return shown if shown.key and not shown.cancelled else None


def _links(event: Mapping[str, Any]) -> str:
    place, body = event.get("location") or {}, event.get("body") or {}
    shown = f"{place.get('displayName') or ''}\n{body.get('content') or ''}"
    return f"{shown}\n{html.unescape(shown)}"
