"""The plain fields of a Graph event: their defaults, and what a POST or PATCH makes of them. No I/O."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox import graph_schema
from sandbox.graph_errors import invalid, unreadable

OUT_OF_BOUNDS = "ErrorPropertyValidationFailure"
NO_PLACE: dict[str, Any] = {"displayName": "", "locationType": "default", "uniqueIdType": "unknown"}
DEFAULTS: dict[str, Any] = {
    "subject": "",
    "importance": "normal",
    "sensitivity": "normal",
    "showAs": "busy",
    "isAllDay": False,
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
    "categories": [],
    "attendees": [],
    "location": NO_PLACE,
    "locations": [],
}
MAX_SUBJECT = 255
"""UTF-16 units; documented (EWS reference, "Subject"). What is longer is cut, with "..." at its end, as
nylas/exchangelib pull request 68 reports."""
MAX_PLACE = 255
"""The same, of a location's name and street: MAPI's limit for such texts. Refusing it is a guess."""
MAX_BODY = 32_768
"""Bytes. Graph documents none; this one is reported (support.nylas.com, "Event Description Limits")."""
MAX_REMINDER_MINUTES = 2_629_800
"""Five years; documented (MS-OXWSCORE 2.2.5.5)."""
PROPERTY_ID = re.compile(
    r"\w+ (0x[0-9A-Fa-f]{1,8}"
    r"|\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\} (Name .+|Id 0x[0-9A-Fa-f]+))"
)
UNANSWERED = {"response": "none", "time": "0001-01-01T00:00:00Z"}


def check_body(body: object) -> dict[str, Any]:
    """The body, if it fits the event schema; else Graph's 400."""
    problems = graph_schema.problems(body)
    if problems or not isinstance(body, dict):
        raise unreadable(" ".join(problems))
    _check_lengths(body)
    if body.get("recurrence"):
        raise invalid("The sandbox keeps no recurring events; write each occurrence as an event of its own.")
    return body


def _check_lengths(body: Mapping[str, Any]) -> None:
    for place in [body.get("location"), *(body.get("locations") or [])]:
        texts = ((place or {}).get("displayName"), ((place or {}).get("address") or {}).get("street"))
        if any(_units(text) > MAX_PLACE for text in texts if text):
            raise invalid(f"The value of location is longer than {MAX_PLACE} characters.", OUT_OF_BOUNDS)
    if len(((body.get("body") or {}).get("content") or "").encode()) > MAX_BODY:
        raise invalid("The body of the event exceeds the maximum size.", "ErrorMessageSizeExceeded")
    minutes = body.get("reminderMinutesBeforeStart")
    if minutes is not None and not 0 <= minutes <= MAX_REMINDER_MINUTES:
        raise invalid("The value of reminderMinutesBeforeStart is out of range.", OUT_OF_BOUNDS)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _kept(subject: str) -> str:
    """A subject as it is stored."""
    if _units(subject) <= MAX_SUBJECT:
        return subject
    return subject.encode("utf-16-le")[: 2 * (MAX_SUBJECT - 3)].decode("utf-16-le", "ignore") + "..."


def merged_fields(old: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The plain fields after a write: those sent are replaced, a null goes back to the default."""
    fields = dict(old)
    for name, default in DEFAULTS.items():
        if name in body:
            fields[name] = default if body[name] is None else body[name]
    fields["subject"] = _kept(fields["subject"])
    if "location" in body:  # `location` overwrites `locations` (event-update.md)
        fields["location"] = {**NO_PLACE, **(body["location"] or {})}
        fields["locations"] = [fields["location"]] if fields["location"] != NO_PLACE else []
    elif "locations" in body:
        fields["location"] = {**NO_PLACE, **(body["locations"][0] if body["locations"] else {})}
    if "attendees" in body:
        fields["attendees"] = [
            {"type": "required", "status": UNANSWERED, **each} for each in body["attendees"]
        ]
    return fields


def check_properties(body: Mapping[str, Any]) -> dict[str, str]:
    """The extended properties a body sets; 400 for an id Graph cannot read."""
    properties: dict[str, str] = {}
    for item in body.get("singleValueExtendedProperties") or []:
        if not PROPERTY_ID.fullmatch(item["id"]):
            raise invalid(f"The extended property id '{item['id']}' is malformed.", "ErrorInvalidParameter")
        properties[item["id"]] = item.get("value") or ""
    return properties
