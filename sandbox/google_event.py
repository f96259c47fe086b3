"""The body of a Google event: which values are refused, and what a PATCH makes of the stored one. No I/O."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox import google_schema
from sandbox.google_errors import bad_payload, invalid, refused

CLIENT_ID = re.compile(r"[a-v0-9]{5,1024}")
MAX_PROPERTY_NAME = 44
"""Characters; what is named longer is dropped without a word (documented: guide to extended properties)."""
MAX_PROPERTY_VALUE = 1024
"""Characters; what is longer is cut without a word (the same page)."""
MAX_REMINDERS = 5
"""Documented: discovery document."""
MAX_REMINDER_MINUTES = 40_320
"""Four weeks; documented there, too."""
MAX_LENGTH = {"summary": 1024, "location": 1024, "description": 8192}
"""Characters; none of them is documented.

For the description, 8,192 is reported (support.nylas.com, "Event Description Limits"), as is what the refusal
says (kewisch/gdata-provider issue 713). The other two are guesses: Cronofy's own limit.
"""
READ_ONLY = frozenset(
    """
    kind id etag htmlLink created updated creator organizer hangoutLink iCalUID sequence recurringEventId
    originalStartTime locked privateCopy endTimeUnspecified eventType attendeesOmitted
    """.split()  # noqa: SIM905 - a block of names reads better than a list of strings
)
"""Fields the vendor keeps itself; sent, they are passed over."""
CHOICES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
}


def check_schema(schema: str, body: object) -> dict[str, Any]:
    """The body, if it fits the vendor's schema; else the vendor's 400."""
    problems = google_schema.problems(schema, body)
    if problems or not isinstance(body, dict):
        raise bad_payload(problems)
    return body


def check_client_id(event_id: str) -> None:
    """Client-chosen ids are 5 to 1024 characters of lowercase base32hex (discovery document)."""
    if not CLIENT_ID.fullmatch(event_id):
        raise invalid("Invalid resource id value.")


def check_no_recurrence(body: Mapping[str, Any]) -> None:
    """Refuse a series from a client; one that a person made is kept and shown."""
    if body.get("recurrence"):
        raise invalid("The sandbox keeps no recurring events; write each occurrence as an event of its own.")


def writable(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields a client may write, without those it left null."""
    return {name: value for name, value in body.items() if name not in READ_ONLY and value is not None}


def merged(old: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge: objects merge, arrays are replaced whole, null clears."""
    result = dict(old)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            before = result.get(name)
            result[name] = merged(before if isinstance(before, dict) else {}, value)
        else:
            result[name] = value
    return result


def check_values(fields: Mapping[str, Any]) -> None:
    """Refuse values that the schema cannot tell apart: choices, lengths and counts."""
    for name, allowed in CHOICES.items():
        if fields.get(name, allowed[0]) not in allowed:
            raise invalid(f"Invalid value for: {fields[name]} is not a valid value", name)
    if any(len(fields.get(name) or "") > most for name, most in MAX_LENGTH.items()):
        raise invalid("A provided value exceeds the allowed size limit.")
    _check_reminders(fields.get("reminders") or {})
    if any(not attendee.get("email") for attendee in fields.get("attendees") or []):
        raise refused(400, "required", "Missing attendee email.")


def kept_properties(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The `extendedProperties` as they are stored, where there are any: the vendor cuts them silently."""
    if not fields.get("extendedProperties"):
        return {}
    kept = {
        kind: {
            name: value[:MAX_PROPERTY_VALUE]
            for name, value in (properties or {}).items()
            if value is not None and len(name) <= MAX_PROPERTY_NAME
        }
        for kind, properties in fields["extendedProperties"].items()
    }
    return {"extendedProperties": kept}


def _check_reminders(reminders: Mapping[str, Any]) -> None:
    overrides = reminders.get("overrides") or []
    if overrides and reminders.get("useDefault"):
        raise refused(
            400,
            "cannotUseDefaultRemindersAndSpecifyOverride",
            "Cannot specify both default reminders and overrides at the same time.",
        )
    if len(overrides) > MAX_REMINDERS:
        raise invalid(f"Reminders: at most {MAX_REMINDERS} overrides are allowed.")
    for override in overrides:
        if override.get("method") not in ("email", "popup"):
            raise invalid("Invalid value for: reminder method")
        minutes = override.get("minutes")
        if minutes is None or not 0 <= minutes <= MAX_REMINDER_MINUTES:
            raise invalid(f"Reminder minutes must be between 0 and {MAX_REMINDER_MINUTES}.")
