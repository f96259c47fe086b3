"""What a reader sees of a stored Graph event."""

import re
from collections.abc import Iterable
from typing import Any

from sandbox import graph_times
from sandbox.clock import stamp
from sandbox.graph_mailbox import TEAMS, GraphEvent, Mailbox
from sandbox.graph_odata import Preferences

PREVIEW_LENGTH = 255
GUID = re.compile(r"\{[0-9A-Fa-f-]{36}\}")


def shown(
    event: GraphEvent,
    mailbox: Mailbox,
    preferences: Preferences,
    *,
    expand: Iterable[str] = (),
    select: frozenset[str] | None = None,
    listed: bool = False,
) -> dict[str, Any]:
    """The event as Graph shows it. Extended properties only come when expanded by id.

    In a list that selects onlineMeeting without isOnlineMeeting the link is missing, as users found.
    """
    all_day = event.fields["isAllDay"]
    person = {"emailAddress": {"name": mailbox.address, "address": mailbox.address}}
    fields: dict[str, Any] = {
        "createdDateTime": stamp(event.created, digits=7),
        "lastModifiedDateTime": stamp(event.modified, digits=7),
        "changeKey": event.change_key,
        "iCalUId": event.uid,
        "originalStartTimeZone": event.start.zone,
        "originalEndTimeZone": event.end.zone,
        "hasAttachments": False,
        "bodyPreview": event.body_text[:PREVIEW_LENGTH],
        "isCancelled": event.is_cancelled,
        "isDraft": False,
        "isOrganizer": event.is_organizer,
        "type": "seriesMaster" if event.recurrence else "singleInstance",
        "seriesMasterId": None,
        "recurrence": event.recurrence,
        "webLink": f"https://outlook.office365.com/owa/?itemid={event.mutable_id}",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": event.join_url is not None,
        "onlineMeetingProvider": TEAMS if event.join_url else "unknown",
        "onlineMeeting": {"joinUrl": event.join_url} if event.join_url else None,
        "organizer": person,
        "responseStatus": {"response": event.response, "time": "0001-01-01T00:00:00Z"},
        **event.fields,
        "body": {"contentType": "text", "content": event.body_text}
        if preferences.text_body
        else {"contentType": "html", "content": event.body_html},
        "start": graph_times.shown(event.start, mailbox.zone_rules, preferences.zone, all_day=all_day),
        "end": graph_times.shown(event.end, mailbox.zone_rules, preferences.zone, all_day=all_day),
    }
    if event.transaction_id is not None:
        fields["transactionId"] = event.transaction_id
    if select is not None:
        fields = {name: value for name, value in fields.items() if name in select}
        if listed and "isOnlineMeeting" not in select:
            fields.pop("onlineMeeting", None)
    properties = [
        {"id": _spelt(property_id, mailbox), "value": event.properties[property_id]}
        for property_id in expand
        if property_id in event.properties
    ]
    if properties:
        fields["singleValueExtendedProperties"] = properties
    event_id = event.immutable_id if preferences.immutable_ids else event.mutable_id
    return {"@odata.etag": event.etag, "id": event_id, **fields}


def _spelt(property_id: str, mailbox: Mailbox) -> str:
    """`String {guid} Name name` as the mailbox server spells it."""
    return GUID.sub(lambda guid: guid[0].upper(), property_id) if mailbox.capital_guids else property_id
