"""Reads the notification that a time was chosen for a scheduler request as a booking with one part. Pure.

docs.cronofy.com/developers/embedded-scheduler/receiving-updates/ shows the request with its id, summary,
duration and event, and not where the chosen time stands in it: it is looked for where Cronofy has times
elsewhere, in the event or beside it.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from bookings.errors import Unreadable

TIME_CHOSEN = "scheduling_request_time_chosen"


class Chosen(msgspec.Struct, frozen=True):
    """What was picked: a booking under the request's id."""

    event_id: str | int
    event: msgspec.Raw


def read_chosen(request: msgspec.Raw) -> Chosen:
    """Reads `scheduling_request`. Raises `Unreadable`, and `msgspec.DecodeError`."""
    data = msgspec.json.decode(request) if request else None
    if not isinstance(data, dict):
        raise Unreadable("`scheduling_request` is missing")
    named = data.get("scheduling_request_id")
    if not isinstance(named, str | int) or named == "" or isinstance(named, bool):
        raise Unreadable("`scheduling_request.scheduling_request_id` is missing")
    given = data.get("event")
    event: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
    for name in ("summary", "start", "end"):
        if event.get(name) is None and data.get(name) is not None:
            event[name] = data[name]
    if event.get("start") is None:
        raise Unreadable("neither `scheduling_request` nor its `event` has a `start`")
    if event.get("end") is None:
        event["end"] = _end(event["start"], data.get("duration"))
    event["event_id"] = named
    return Chosen(named, msgspec.Raw(msgspec.json.encode(event)))


def _end(start: Any, duration: Any) -> Any:
    """The start and the duration, as a time of the same form."""
    minutes: Any = duration.get("minutes") if isinstance(duration, dict) else None
    text: Any = start.get("time") if isinstance(start, dict) else start
    try:
        ended = (datetime.fromisoformat(text) + timedelta(minutes=minutes)).isoformat()
    except (TypeError, ValueError, OverflowError):
        what = "no `end`, and no `duration` in minutes after a `start` that can be read"
        raise Unreadable(f"`scheduling_request` has {what}") from None
    return {**start, "time": ended} if isinstance(start, dict) else ended
