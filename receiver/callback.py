"""Reads a signed body as what Cronofy sends to a `callback_url`. Pure.

Real-Time Sequencing and Real-Time Scheduling callbacks carry no type: a `sequence` tells the first, a chosen
`event.start` the second, whatever else stands beside it. What else arrives at the same URL with the same
signature carries a `notification` with a `type`. Anything else is unreadable, since a booking may be in it.
Only what tells the parts apart is read here; what one part holds is read by the worker.
"""

import json
import re
from typing import Any

import msgspec

from bookings.errors import Unreadable
from bookings.record import NO_JSON, NULL, Part
from receiver.chosen_time import TIME_CHOSEN, read_chosen

MOST_PARTS = 100
"""Cronofy allows 5; more than this is not one of its callbacks."""
DEEPEST = 200
"""How deeply what is stored may be nested: whoever reads it later may be deep in calls of its own."""


class Callback(msgspec.Struct, frozen=True):
    """A booking: what was picked."""

    event_id: str | int
    parts: tuple[Part, ...]


class Notification(msgspec.Struct, frozen=True):
    """Signed and readable, but no booking: a channel verification, a change notice and the like."""

    type: str

    @property
    def kind(self) -> str:
        """The type as logs may show it: one that is no name such as `change` may be any text."""
        return self.type if _KIND.fullmatch(self.type) else "other"


class _OuterEvent(msgspec.Struct):
    event_id: str | int | None = None
    start: Any = None
    tzid: Any = None


class _Item(msgspec.Struct):
    sequence_id: str | int | None = None
    event: msgspec.Raw = NO_JSON
    start: msgspec.Raw = NO_JSON
    end: msgspec.Raw = NO_JSON
    participants: Any = None


class _Body(msgspec.Struct):
    event: msgspec.Raw = NO_JSON
    sequence: list[_Item] | None = None
    participants: Any = None
    notification: Any = None
    scheduling_request: msgspec.Raw = NO_JSON


_SIGNS = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)
"""Texts, whole or to the end of the body, so that each byte is looked at once; and what is nested."""
_KIND = re.compile(r"[a-z_]{1,64}")
_NO_EVENT = _OuterEvent()
_BODY = msgspec.json.Decoder(_Body)
_OUTER = msgspec.json.Decoder(_OuterEvent | None)


def read_callback(body: bytes, *, scheduler_requests: bool = False) -> Callback | Notification:
    """Reads a signed body.

    Args:
        body: as it came.
        scheduler_requests: whether a time that was chosen for a scheduler request is a booking.

    Raises:
        Unreadable: it is neither a booking nor a notification.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8 (byte {error.start})") from None
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(body) > DEEPEST:
        raise Unreadable("the body is nested too deeply")
    try:
        return _read(body, scheduler_requests)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Unreadable(_words(error)) from None
    except msgspec.DecodeError as error:
        repaired = _without_lone_surrogates(body)
        if repaired is None:
            raise Unreadable(f"the body is not JSON: {error}") from None
    try:
        return _read(repaired, scheduler_requests)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(_words(error)) from None


def _depth(body: bytes) -> int:
    """How deeply its objects and lists are nested."""
    depth = deepest = 0
    for sign in _SIGNS.findall(body):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(sign, 0)  # else it is a text
        deepest = max(deepest, depth)
    return deepest


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the body is nested too deeply"
    return f"the body does not have a callback's form: {error}"


def _read(body: bytes, scheduler_requests: bool) -> Callback | Notification:
    data = _BODY.decode(body)
    outer = (_OUTER.decode(data.event) if data.event else None) or _NO_EVENT
    if data.sequence is None and outer.start is None:
        return _without_booking(data, body, scheduler_requests=scheduler_requests)
    if outer.event_id is None or outer.event_id == "":
        raise Unreadable("`event.event_id` is missing")
    zone = _zone(outer)
    if data.sequence is not None:
        return Callback(outer.event_id, _parts(data.sequence, zone))
    part = Part(sequence_id=None, event=data.event, subs=_subs(data.participants), zone=zone)
    return Callback(outer.event_id, (part,))


def _without_booking(data: _Body, body: bytes, *, scheduler_requests: bool) -> Callback | Notification:
    """What a body is that has neither a `sequence` nor a chosen start."""
    if data.notification is None:
        raise Unreadable(
            "there is no `sequence`, and `event.start` is missing"
            if data.event
            else "the body has neither an `event` nor a `notification`"
        )
    kind = data.notification.get("type") if isinstance(data.notification, dict) else None
    if not isinstance(kind, str) or not kind:
        raise Unreadable("`notification` has no `type`, and no booking stands beside it")
    if b'"sequence_id"' in body:  # no notification that Cronofy documents names a part
        raise Unreadable("the body is a notification, and names a `sequence_id`")
    if scheduler_requests and kind == TIME_CHOSEN:
        chosen = read_chosen(data.scheduling_request)
        return Callback(chosen.event_id, (Part(sequence_id=None, event=chosen.event),))
    return Notification(type=kind)


def _parts(items: list[_Item], zone: str | None) -> tuple[Part, ...]:
    if not 0 < len(items) <= MOST_PARTS:
        raise Unreadable(f"`sequence` has {len(items)} parts; it must have between 1 and {MOST_PARTS}")
    parts: dict[str, Part] = {}
    for position, item in enumerate(items):
        if item.sequence_id is None or item.sequence_id == "":
            raise Unreadable(f"`sequence[{position}].sequence_id` is missing")
        text = str(item.sequence_id)
        if text in parts:
            raise Unreadable(f"`sequence[{position}].sequence_id` is the same as that of an earlier part")
        parts[text] = Part(
            sequence_id=item.sequence_id,
            event=item.event or NULL,
            start=item.start,
            end=item.end,
            subs=_subs(item.participants),
            zone=zone,
        )
    return tuple(parts.values())


def _zone(outer: _OuterEvent) -> str | None:
    """The zone of the outer event, which parts without one take; read as leniently as they are."""
    start = outer.start
    for zone in (start.get("tzid") if isinstance(start, dict) else None, outer.tzid):
        if isinstance(zone, str):
            return zone
    return None


def _subs(participants: Any) -> tuple[str, ...]:
    if not isinstance(participants, list):
        return ()
    subs: dict[str, None] = {}
    for item in participants:
        if isinstance(item, dict) and isinstance(sub := item.get("sub"), str):
            subs[sub] = None
    return tuple(subs)


def _without_lone_surrogates(body: bytes) -> bytes | None:
    """JSON in which a text holds half a surrogate pair, with U+FFFD in its place; None where it is no JSON.

    Python's own reader accepts such text, as do senders; msgspec and the providers do not.
    """
    try:
        data = json.loads(body)
        text = json.dumps(data, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
