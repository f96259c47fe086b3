"""An event of ours at Google: what is sent of it, and what an answer says of it. No I/O."""

import html
from collections.abc import Mapping
from typing import Any

from workers.calendars import google_fields
from workers.calendars.differences import MEETING, left_over
from workers.calendars.google_fields import DIGEST, EMPTY, FIELDS, KEY, REVISION, TAGS
from workers.calendars.port import Draft, Found
from workers.event import Conferencing, Event, JoinLink

MARKED = (
    "nextPageToken,items(id,etag,status,start,end,created,htmlLink,recurrence,recurringEventId,"
    "extendedProperties/private)"
)
"""All that `marked` reads of a page of events: no text of a meeting comes over the wire."""


def draft(event: Event, *, key: str, revision: int, named_zone: bool, conference: bool) -> Draft:
    """The bodies of both requests, with our mark among the private properties."""
    mapped = google_fields.to_google(event, request_id=key, conference=conference, named_zone=named_zone)
    tags = mapped.owned.get("extendedProperties", {}).get("private", {})
    fields = (
        *(name for name in EMPTY if name in mapped.owned),
        *tags,
        *((MEETING,) if event.conferencing is Conferencing.DEFAULT else ()),
    )
    mark = {KEY: key, REVISION: str(revision), DIGEST: mapped.digest, FIELDS: " ".join(fields)}
    private = {**tags, **mark}
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


def changed(found: Found, draft: Draft) -> dict[str, Any]:
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


def found(event: Mapping[str, Any]) -> Found:
    """What Google's resource says of an event."""
    private = event.get("extendedProperties", {}).get("private", {})
    conference = event.get("conferenceData") or {}
    asked = conference.get("createRequest", {})
    revision = private.get(REVISION, "")
    states = {"pending": "pending", "failure": "failed", "success": "ready"}
    status = asked.get("status", {}).get("statusCode", "")
    state = states.get(status, "ready" if conference.get("entryPoints") else "")
    online = state in ("ready", "pending")
    ours = KEY in private and asked.get("requestId", "").startswith(private[KEY])
    return Found(
        event_id=event["id"],
        etag=event.get("etag", ""),
        key=private.get(KEY, ""),
        revision=int(revision) if revision.isdecimal() else 0,  # whoever may write there may change it
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


def marked(event: Mapping[str, Any]) -> Found | None:
    """The same of one that carries a key of ours; None of others, and of a single occurrence of a series."""
    shown = found(event)
    return shown if shown.key and "recurringEventId" not in event else None


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
