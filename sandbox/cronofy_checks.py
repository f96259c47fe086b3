"""The rules for what Cronofy is asked: which fields are needed, and how long they may be. No I/O.

Source: docs.cronofy.com/developers/api/scheduling/{real-time-sequencing,real-time-scheduling}/ and
…/api-alpha/scheduler-requests/create/
"""

import re
from typing import Any

from yarl import URL

from sandbox.cronofy_availability import MOST_PARTS, check_part, check_periods, check_slots
from sandbox.cronofy_fields import Fields
from sandbox.cronofy_link import CronofyApp, Kind

MOST_SUMMARY = 1024
MOST_DESCRIPTION = 4096
MOST_MESSAGE = 500
_HTML = re.compile(r"<[A-Za-z/!]")


def check(kind: Kind, body: dict[str, Any], now: float) -> None:
    """Whether a link can be made. Raises Refused, which names every wrong field."""
    fields = Fields(body, "", {})
    if query := fields.object("availability", required=True):
        (_sequence if kind is Kind.SEQUENCING else _single)(query, now)
    _event(fields)
    for target in fields.objects("target_calendars", none_too=True):
        target.text("sub", required=True)
        target.text("calendar_id", required=True)
    _addresses(fields)
    fields.zone("tzid")
    fields.one_of("selection_mode", ("no_confirm", "confirm"))
    fields.one_of("event_creation", ("default", "single"))
    fields.minutes("minimum_notice")
    fields.close()


def check_request(app: CronofyApp, body: dict[str, Any], impersonated: str) -> str:
    """Whether a scheduler request can be made; gives its host, or nothing for a group rule."""
    fields = Fields(body, "", {})
    host, rule = fields.object("host"), fields.object("scheduler_group_rule")
    sub = (host.text("sub", required=True) if host else None) or impersonated
    if bool(host) + bool(rule) + bool(impersonated) != 1:
        fields.add("host", "one of host, scheduler_group_rule and Cronofy-Impersonate", "errors.required")
    if sub and sub not in app.impersonate:
        fields.add("host.sub", "must be a member of the organizational unit")
    if rule and (rule.text("id", required=True) or "") not in app.group_rules:
        rule.add("id", "must be a group rule of the organizational unit")
    for recipient in fields.objects("recipients", required=True, most=1):
        recipient.text("display_name")
        if "@" not in (recipient.text("email", required=True) or "@"):
            recipient.add("email", "must be an email address")
    if event := fields.object("event", required=True):
        event.text("summary", required=True, most=MOST_SUMMARY)
        event.zone("tzid")
    fields.zone("tzid")
    fields.close()
    return sub


def check_message(body: dict[str, Any]) -> str:
    """What visitors of a disabled link are told. Raises Refused."""
    fields = Fields(body, "", {})
    message = fields.text("display_message", required=True, most=MOST_MESSAGE) or ""
    if _HTML.search(message):
        fields.add("display_message", "must not contain HTML")
    fields.close()
    return message


def _sequence(query: Fields, now: float) -> None:
    check_periods(query, now)
    seen: set[str] = set()
    for part in query.objects("sequence", required=True, most=MOST_PARTS):
        sequence_id = part.values.get("sequence_id")  # an integer from older Ruby clients
        if type(sequence_id) is not int:
            sequence_id = part.text("sequence_id", required=True)
        if sequence_id is not None and str(sequence_id) in seen:
            part.add("sequence_id", "must be unique", "errors.not_unique")
        seen.add(str(sequence_id))
        part.whole("ordinal")
        check_part(part, now)
        _event(part)
    _excluded(query)


def _single(query: Fields, now: float) -> None:
    if query.has("query_slots"):
        check_slots(query, now)
    else:
        check_periods(query, now)
    check_part(query, now)
    _excluded(query)


def _excluded(query: Fields) -> None:
    for event in query.objects("excluded_events", none_too=True):
        if not event.has("event_id") and not event.has("event_uid"):
            event.add("event_id", "required", "errors.required")


def _event(owner: Fields) -> None:
    event = owner.object("event", required=True)
    if event is None:
        return
    event.text("event_id", required=True)
    event.text("summary", required=True, most=MOST_SUMMARY)
    event.text("description", most=MOST_DESCRIPTION)
    event.zone("tzid")
    for name in ("start", "end", "attendees"):
        if event.has(name):
            event.add(name, "is not supported")


def _addresses(fields: Fields) -> None:
    _address(fields, "callback_url")
    if found := fields.object("callback_urls"):
        for name in ("completed_url", "no_times_suitable_url", "no_times_displayed_url"):
            _address(found, name)
    if found := fields.object("redirect_urls"):
        _address(found, "completed_url")


def _address(owner: Fields, name: str) -> None:
    text = owner.text(name)
    if text and not _is_address(text):
        owner.add(name, "must be an address")


def _is_address(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
