"""Graph's answers to a reader: calendarView and getSchedule (v1.0). No I/O.

Whole days come as midnights whatever zone is asked for (microsoft-graph-docs issues 1802, 16798), with the
zone they were made in beside them. Where that is "UTC" it may be the zone of a program and not of a person
(issue 2804: a day of the Pacific's, said to be UTC's): the mailbox's own zone counts then.
"""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any
from uuid import UUID

import msgspec

from workers.calendars import microsoft_fields
from workers.calendars.microsoft_fields import KEY, TAGS
from workers.calendars.reading import CalendarEvent, Shown, each, ical_uid, seconds, unreadable
from workers.calendars.windows_zones import zone_of
from workers.errors import CalendarError, ErrorClass
from workers.times import AllDay

SELECT = (
    "id,start,end,isAllDay,isCancelled,showAs,responseStatus,originalStartTimeZone,originalEndTimeZone,"
    "transactionId,iCalUId"
)
"""All that is read of an event, beside our own properties: no text of a meeting comes over the wire."""

_SHOWN = {"free": Shown.FREE, "workingelsewhere": Shown.FREE, "tentative": Shown.TENTATIVE}
_UNRESOLVED = frozenset({"5009", "ErrorMailRecipientNotFound"})


def read_view(items: list[Any], zone: tzinfo | None) -> list[CalendarEvent]:
    """The events of a calendarView; `zone` is the mailbox's, as far as it is known."""
    return each(items, lambda item: _event(item, zone))


def lack_zone(items: Iterable[Any]) -> bool:
    """Whether there are whole days of which only the mailbox's zone tells when they begin."""
    return any(
        isinstance(item, dict) and item.get("isAllDay") is True and _own_zone(item) is None for item in items
    )


def lack_properties(items: Iterable[Any]) -> list[str]:
    """The ids of events that may be ours and came without their properties.

    Graph's calendarView is reported to leave them out although they were asked for (microsoft-graph-docs
    issue 13385). What we create carries a name-based UUID as its `transactionId`, and hardly anything else
    does.
    """
    return [
        item["id"]
        for item in items
        if isinstance(item, dict)
        and isinstance(item.get("id"), str)
        and not item.get("singleValueExtendedProperties")
        and _is_name_based(item.get("transactionId"))
    ]


def read_schedule(answer: Mapping[str, Any]) -> list[CalendarEvent]:
    """When the one mailbox that was asked about is taken.

    Raises PERMANENT where Graph does not know it by that address: its calendar may be there all the same.
    """
    return each(_schedule(answer).get("scheduleItems"), _item)


def read_zone(answer: Mapping[str, Any]) -> tzinfo | None:
    """The zone of a mailbox's working hours, which is the only one Graph tells without further permission."""
    try:
        return zone_of(_schedule(answer)["workingHours"]["timeZone"]["name"])
    except (AttributeError, CalendarError, KeyError, TypeError):
        return None


def _schedule(answer: Mapping[str, Any]) -> dict[str, Any]:
    schedules = answer.get("value")
    if not isinstance(schedules, list) or len(schedules) != 1 or not isinstance(schedules[0], dict):
        raise unreadable("answer_unreadable")
    schedule: dict[str, Any] = schedules[0]
    if error := schedule.get("error"):
        code = str(error.get("responseCode", "")) if isinstance(error, dict) else ""
        if code in _UNRESOLVED:
            raise CalendarError(ErrorClass.PERMANENT, code)
        raise unreadable(code or "schedule_error")
    return schedule


def _event(item: Mapping[str, Any], zone: tzinfo | None) -> CalendarEvent | None:
    if item.get("isCancelled") is True or (item.get("responseStatus") or {}).get("response") == "declined":
        return None
    when = microsoft_fields.instants(item)
    days = isinstance(when, AllDay)
    start, end = seconds(when, (_own_zone(item) or zone) if days else None)
    return CalendarEvent(
        start,
        end,
        _shown(item.get("showAs")),
        uid=item["id"],
        tags=_tags(item),
        ical_uid=ical_uid(item.get("iCalUId")),
        all_day=days,
    )


def _item(item: Mapping[str, Any]) -> CalendarEvent:
    start, end = seconds(microsoft_fields.instants(item), None)
    return CalendarEvent(start, end, _shown(item.get("status")))


def _shown(status: Any) -> Shown:
    """`showAs`, or the status of a schedule's item, which the documentation spells in both cases."""
    return _SHOWN.get(str(status).lower(), Shown.BUSY)


def _own_zone(item: Mapping[str, Any]) -> tzinfo | None:
    name = item.get("originalStartTimeZone")
    return zone_of(name) if isinstance(name, str) and name.upper() not in ("UTC", "ETC/UTC") else None


def _tags(item: Mapping[str, Any]) -> frozenset[str]:
    given = item.get("singleValueExtendedProperties") or ()
    properties = {one["id"].lower(): one["value"] for one in given}
    if KEY.lower() not in properties or TAGS.lower() not in properties:
        return frozenset()
    return msgspec.json.decode(properties[TAGS.lower()], type=frozenset[str])


def _is_name_based(transaction: Any) -> bool:
    try:
        return UUID(transaction).version == 5
    except (AttributeError, TypeError, ValueError):
        return False
