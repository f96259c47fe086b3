"""Graph's lists of events, their pages, and getSchedule."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from yarl import URL

from sandbox import zones
from sandbox.graph_errors import invalid, invalid_query
from sandbox.graph_mailbox import GraphCalendar, GraphEvent, Mailbox
from sandbox.graph_odata import Preferences, Query
from sandbox.graph_store import GraphStore
from sandbox.graph_times import moment, parse_instant
from sandbox.graph_view import shown

MAX_SCHEDULES = 20
INTERVALS = range(5, 1441)
VIEW_DIGITS = {"free": "0", "tentative": "1", "busy": "2", "oof": "3", "workingElsewhere": "4"}


def events(mailbox: Mailbox, calendar: GraphCalendar, query: Query, now: float) -> list[GraphEvent]:
    """A calendar's live events in the order asked for; by extended property an index answers."""
    if query.property_filter is not None:
        found = mailbox.with_property(calendar, *query.property_filter, now)
    else:
        found = [mailbox.events[event_id] for event_id in calendar.event_ids]
    if query.order == "start":
        found.sort(key=lambda event: (event.start.at, event.serial), reverse=query.descending)
    elif query.order == "created" and query.descending:
        found.reverse()
    return found


def view(
    mailbox: Mailbox, calendar: GraphCalendar, query: Query, options: Mapping[str, str]
) -> list[GraphEvent]:
    """A calendarView: the events that touch a period, by start."""
    if query.property_filter is not None:
        raise invalid_query("calendarView does not filter by extended property.")
    if "startDateTime" not in options or "endDateTime" not in options:
        raise invalid(
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime.",
            "ErrorInvalidParameter",
        )
    begins = parse_instant(options["startDateTime"], "startDateTime")
    ends = parse_instant(options["endDateTime"], "endDateTime")
    return _touching((mailbox.events[event_id] for event_id in calendar.event_ids), begins, ends)


def page(
    found: list[GraphEvent], mailbox: Mailbox, preferences: Preferences, query: Query, url: URL
) -> dict[str, Any]:
    """One page of a list, with the link to the next one if there is more."""
    last = query.skip + query.top
    answer: dict[str, Any] = {
        "value": [
            shown(event, mailbox, preferences, expand=query.expand, select=query.select, listed=True)
            for event in found[query.skip : last]
        ]
    }
    if len(found) > last:
        answer["@odata.nextLink"] = str(url.update_query({"$skip": str(last)}))
    return answer


def schedules(store: GraphStore, asking: Mailbox, body: object) -> list[dict[str, Any]]:
    """getSchedule: when default calendars are taken, as items and as one digit per interval."""
    if not isinstance(body, dict) or not isinstance(body.get("schedules"), list):
        raise invalid("The schedules to look at are missing.")
    if len(body["schedules"]) > MAX_SCHEDULES:
        raise invalid(f"At most {MAX_SCHEDULES} schedules can be asked for at once.")
    minutes = body.get("availabilityViewInterval", 30)
    if minutes not in INTERVALS:
        raise invalid("The availabilityViewInterval is between 5 and 1440 minutes.")
    begins = moment(body.get("startTime"), asking.zone_rules, "startTime").at
    ends = moment(body.get("endTime"), asking.zone_rules, "endTime").at
    if ends <= begins:
        raise invalid("The end of the period must be after its start.")
    return [_schedule(store, str(name), begins, ends, minutes) for name in body["schedules"]]


def _schedule(store: GraphStore, name: str, begins: datetime, ends: datetime, minutes: int) -> dict[str, Any]:
    mailbox = store.mailboxes.get(name.lower())
    if mailbox is None or not mailbox.rest_enabled:
        error = {"message": f"No mailbox for {name}.", "responseCode": "ErrorMailRecipientNotFound"}
        return {"scheduleId": name, "availabilityView": "", "scheduleItems": [], "error": error}
    ids = mailbox.calendar(None).event_ids
    taken = [
        event
        for event in _touching((mailbox.events[event_id] for event_id in ids), begins, ends)
        if not event.free
    ]
    return {
        "scheduleId": name,
        "availabilityView": _digits(taken, begins, ends, minutes),
        "scheduleItems": [_item(event) for event in taken],
        "workingHours": {"timeZone": {"name": mailbox.time_zone}},
    }


def _digits(taken: list[GraphEvent], begins: datetime, ends: datetime, minutes: int) -> str:
    """One digit per interval: the highest of the events in it; working elsewhere counts as free."""
    step = minutes * 60
    digits = ["0"] * -(-int((ends - begins).total_seconds()) // step)
    for event in taken:
        digit = VIEW_DIGITS.get(event.fields["showAs"], "0")
        first = max(0, int((event.start.at - begins).total_seconds() // step))
        last = -(-int((event.end.at - begins).total_seconds()) // step)
        for place in range(first, min(last, len(digits))):
            digits[place] = max(digits[place], "0" if digit == "4" else digit)
    return "".join(digits)


def _item(event: GraphEvent) -> dict[str, Any]:
    private = event.fields["sensitivity"] in ("private", "confidential")
    item: dict[str, Any] = {
        "status": event.fields["showAs"],
        "isPrivate": private,
        "start": {"dateTime": _utc(event.start.at), "timeZone": "UTC"},
        "end": {"dateTime": _utc(event.end.at), "timeZone": "UTC"},
    }
    if not private:
        item |= {"subject": event.fields["subject"], "location": event.fields["location"]["displayName"]}
    return item


def _utc(at: datetime) -> str:
    return f"{zones.wall_clock(at, zones.UTC_ZONE):%Y-%m-%dT%H:%M:%S.%f}0"


def _touching(events: Iterable[GraphEvent], begins: datetime, ends: datetime) -> list[GraphEvent]:
    touching = [event for event in events if event.start.at < ends and event.end.at > begins]
    return sorted(touching, key=lambda event: (event.start.at, event.serial))
