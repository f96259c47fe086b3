"""What operators are shown of bookings and dead letters, as plain data for JSON, tables and pages.

What meetings say is left out unless it is asked for: nobody reads it by accident over a shoulder.
"""

from typing import Any

import msgspec

from bookings.clock import moment
from bookings.dead_letters import DeadLetter
from bookings.record import Booking, Part, Write

HIDDEN = "(hidden until revealed)"
_TELLING_NOTHING = ("start", "end", "event_id")


def booking_summary(booking: Booking) -> dict[str, Any]:
    """A booking in one line."""
    return {
        "booking": booking.id,
        "app": booking.app,
        "event_id": booking.event_id,
        "revision": booking.revision,
        "accepted_at": moment(booking.accepted_at),
        "expires_at": moment(booking.expires_at) if booking.expires_at else None,
        "link": booking.link,
        "state": booking.state,
        "waits_for": waits_for(booking),
        "parts": len(booking.parts),
    }


def waits_for(booking: Booking) -> list[str]:
    """The calendars that a booking waits for, each with how: `interviews (parked)`."""
    delayed = [write for part in booking.parts for write in part.writes if write.is_delayed]
    return list(dict.fromkeys(f"{write.calendar} ({write.state})" for write in delayed))


def whole_booking(booking: Booking, *, reveal: bool) -> dict[str, Any]:
    """A booking with its parts and their writes."""
    parts = [
        {
            "part": part.id,
            "sequence_id": part.part.sequence_id,
            "revision": part.revision,
            "state": part.state,
            "listed": part.listed,
            "subs": part.part.subs,
            "event": shown_event(part.part, reveal=reveal),
            "writes": [shown_write(write, reveal=reveal) for write in part.writes],
        }
        for part in booking.parts
    ]
    return {**booking_summary(booking), "parts": parts}


def letter_summary(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter in one line."""
    return {
        "dead_letter": letter.id,
        "died_at": moment(letter.died_at),
        "app": letter.app,
        "event_id": letter.event_id or None,
        "sequence_id": letter.sequence_id,
        "calendar": letter.calendar or None,
        "account": letter.account or None,
        "provider": letter.provider or None,
        "reason": letter.reason,
        "detail": letter.detail,
        "revision": letter.revision or None,
        "overtaken": letter.overtaken,
    }


def whole_letter(letter: DeadLetter, *, reveal: bool) -> dict[str, Any]:
    """A dead letter with what was to be written and its attempts."""
    data = letter_summary(letter)
    if letter.part is not None:
        data["event"] = shown_event(letter.part, reveal=reveal)
    if letter.write is not None:
        data["write"] = shown_write(letter.write, reveal=reveal)
    if letter.delivery is not None:
        data["link"] = letter.link or None
        data["body"] = (
            letter.body.decode(errors="replace") if reveal else f"{len(letter.body)} bytes {HIDDEN}"
        )
    return data


def shown_event(part: Part, *, reveal: bool) -> Any:
    """What the part says; without `reveal` only its times, which tell nothing of the meeting."""
    event = _read(part.event)
    if reveal or not isinstance(event, dict):
        return event if reveal else HIDDEN
    return {name: value if name in _TELLING_NOTHING else HIDDEN for name, value in event.items()}


def shown_write(write: Write, *, reveal: bool) -> dict[str, Any]:
    """A write with readable times; what is about to be sent only with `reveal`."""
    data: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(write, intent=None))
    intent = write.intent
    if intent is not None:
        body = bytes(intent.body)
        data["intent"] = {
            "operation": intent.operation,
            "revision": intent.revision,
            "generation": intent.generation,
            "at": moment(intent.at),
            "body": (_read(body) if reveal else HIDDEN) if body else None,
        }
    for name in ("due_at", "failing_since", "updated_at"):
        if name in data:
            data[name] = moment(data[name])
    for attempt in data.get("attempts", ()):
        attempt["at"] = moment(attempt["at"])
    return data


def _read(json: bytes | msgspec.Raw) -> Any:
    """JSON as data; as its text where no data holds it: an endless number, half a character, a deep well."""
    try:
        return msgspec.json.decode(json)
    except (msgspec.DecodeError, RecursionError):
        return bytes(json).decode(errors="replace")
