"""The plain fields of a Graph event: their defaults, and what a POST or PATCH makes of them. No I/O."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox import graph_schema
from sandbox.graph_errors import invalid, unreadable

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
    if body.get("recurrence"):
        raise invalid("The sandbox keeps no recurring events; write each occurrence as an event of its own.")
    return body


def merged_fields(old: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The plain fields after a write: those sent are replaced, a null goes back to the default."""
    fields = dict(old)
    for name, default in DEFAULTS.items():
        if name in body:
            fields[name] = default if body[name] is None else body[name]
    if "location" in body:  # `location` overwrites `locations` (event-update.md)
        fields["location"] = {**NO_PLACE, **(body["location"] or {})}
        fields["locations"] = [fields["location"]] if body["location"] else []
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
