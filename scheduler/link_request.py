"""Requests for links: what Cronofy is sent of them, and which of our calendars each part goes to. Pure.

Only what we need is checked; the rest is Cronofy's to judge.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from pydantic import TypeAdapter, ValidationError

from bookings.links import LinkKind, LinkTarget
from bookings.record import Part
from bookings.routing import route
from config.apps import App
from config.fields import WebTarget
from config.leave import Leave
from config.settings import Calendar, Settings
from scheduler.api.problems import Key, Problems
from scheduler.api.values import Object, Value

LONGEST_QUERY = timedelta(days=35)
LATEST_END = timedelta(days=366)
"""No token is good for longer than this, and as long as bookings are kept then."""
LONGEST_MESSAGE = 500
_MOST_SLOTS = 512
_TAG = re.compile(r"<[A-Za-z/!?][^>]*>")
"""HTML, as a browser takes it; any other "<" is text."""

_WEB_TARGET = TypeAdapter(WebTarget)


class Prepared(msgspec.Struct, frozen=True):
    """A request as it leaves, and what is registered before it does."""

    request: dict[str, Any]
    targets: dict[str, tuple[LinkTarget, ...]]
    forward_to: tuple[str, ...]
    keep_s: float
    """How long its token is good: until its last period is over, and as long as bookings are kept then."""


class _Part(msgspec.Struct, frozen=True):
    sequence_id: str
    subs: tuple[str, ...]
    at: Value


def prepare(
    kind: LinkKind,
    data: object,
    *,
    app: App,
    settings: Settings,
    token: str,
    now: datetime,
    pass_targets: bool,
) -> Prepared:
    """Reads a request for a link.

    Args:
        kind: which of the two.
        data: the body.
        app: whose it is.
        settings: the calendars, people and routes.
        token: what its callback URL ends with.
        now: the present.
        pass_targets: whether Cronofy is told of the target calendars, and so writes there, too.

    Raises:
        Invalid: with everything that is wrong.
    """
    problems = Problems()
    body = Value(data, "", problems).object()
    if settings.receiver.public_url is None:
        problems.add(
            "callback_url", Key.INVALID, "we have none: set receiver.public_url in the configuration"
        )
    if body is None or not isinstance(data, dict):
        problems.check()
        raise AssertionError  # it was no object
    request = dict(data)
    if "availability" not in request and "availablity" in request:  # as the C# library spells it
        request["availability"] = request.pop("availablity")
        body = Object(request, "", problems)
    availability = body["availability"].object()
    parts = _parts(kind, availability) if availability is not None else []
    targets = _targets(body, parts, app, settings)
    forward_to = _own_callbacks(request, body)
    keep = _last_end(availability, now) - now + timedelta(seconds=settings.worker.keep_bookings)
    problems.check()
    if not pass_targets:
        request.pop("target_calendars", None)
    callback_url = f"{settings.receiver.public_url}/callbacks/{app.name}/{token}"
    if kind is LinkKind.SEQUENCING:
        request["callback_url"] = callback_url
    urls = request.get("callback_urls")
    if kind is LinkKind.SCHEDULING or urls is not None:  # Cronofy would rather call what stands in there
        request["callback_urls"] = {**(urls if isinstance(urls, dict) else {}), "completed_url": callback_url}
    return Prepared(request, targets, forward_to, keep.total_seconds())


def _parts(kind: LinkKind, availability: Object) -> list[_Part]:
    if kind is LinkKind.SCHEDULING:
        whole = availability["participants"]
        return [_Part("", _subs(whole), whole)]
    parts = []
    for item in availability["sequence"].items(1, 5):
        part = item.object()
        if part is None:
            continue
        named = part["sequence_id"].identifier()
        parts.append(_Part("" if named is None else str(named), _subs(part["participants"]), item))
    return parts


def _subs(groups: Value) -> tuple[str, ...]:
    subs = []
    for group in groups.items(1):
        members = group.object()
        for member in members["members"].items(1) if members else ():
            person = member.object()
            sub = person["sub"].text() if person else None
            if sub is not None:
                subs.append(sub)
    return tuple(dict.fromkeys(subs))


def _targets(
    body: Object, parts: Iterable[_Part], app: App, settings: Settings
) -> dict[str, tuple[LinkTarget, ...]]:
    """Where each part goes: its target calendars, else by the routes, else its members' own calendars."""
    parts = list(parts)
    leave = settings.leave(app.name)
    asked = _asked_targets(body, settings, leave)
    everybody = {sub for part in parts for sub in part.subs}
    targets = {}
    for part in parts:
        found = [
            LinkTarget(calendar.name, sub if sub in everybody else None)
            for sub, calendar in asked
            if sub in part.subs or sub not in everybody
        ]
        routed = Part(sequence_id=part.sequence_id or None, subs=part.subs)
        if not found and not route(app.name, routed, settings.routes):
            found = [
                LinkTarget(person.calendars[0], sub)
                for sub in part.subs
                if sub in leave.people
                and (person := settings.person(sub))
                and person.calendars[0] in leave.calendars
            ]
            if not found:
                part.at.wrong(
                    Key.UNKNOWN,
                    "nothing says which of our calendars this part goes to; add target_calendars to the "
                    "request, or to the configuration a [[routes]] or the [[people]] who take part",
                )
        if found:
            targets[part.sequence_id] = tuple(dict.fromkeys(found))
    return targets


def _asked_targets(body: Object, settings: Settings, leave: Leave) -> list[tuple[str, Calendar]]:
    given = body.get("target_calendars")
    found = []
    for item in given.items() if given else ():
        target = item.object()
        if target is None:
            continue
        sub, calendar_id = target["sub"].text(), target["calendar_id"].text()
        if calendar_id is None:
            continue
        calendar = settings.calendar_of_cronofy(calendar_id) or settings.calendar(calendar_id)
        if calendar is None or calendar.name not in leave.calendars:
            target["calendar_id"].wrong(
                Key.UNKNOWN,
                "the app has no calendar that Cronofy calls so; add it to a [[calendars]] as its cronofy_id, "
                "and that to the app's own",
            )
        elif sub is not None:
            found.append((sub, calendar))
    return found


def _own_callbacks(request: dict[str, Any], body: Object) -> tuple[str, ...]:
    """The callback URLs that the request names itself: what comes to ours is passed on to them."""
    request.pop("callback_url", None)
    urls = body.get("callback_urls")
    several = urls.object() if urls else None
    named = (body.get("callback_url"), several.get("completed_url") if several else None)
    found = [_web_target(each) for each in named if each is not None]
    return tuple(dict.fromkeys(url for url in found if url is not None))


def _web_target(value: Value) -> str | None:
    url = value.text()
    if url is None:
        return None
    try:
        return _WEB_TARGET.validate_python(url)
    except ValidationError:
        value.wrong(Key.INVALID, "must be an address such as https://host/path")
        return None


def _last_end(availability: Object | None, now: datetime) -> datetime:
    """When the last period or slot of a query ends; where that cannot be read, as late as it may be."""
    if availability is None:
        return now + LONGEST_QUERY
    periods = availability.get("query_periods") or availability.get("available_periods")
    slots, duration = availability.get("query_slots"), availability.get("required_duration")
    lasting = timedelta(minutes=(duration.minutes() if slots and duration else None) or 0)
    ends = [
        *_times(periods.items(0, 50) if periods else (), "end"),
        *(start + lasting for start in _times(slots.items(0, _MOST_SLOTS) if slots else (), "start")),
    ]
    return min(max([now, *ends]), now + LATEST_END) if ends else now + LONGEST_QUERY


def _times(items: Iterable[Value], name: str) -> Iterator[datetime]:
    for item in items:
        whole = item.object()
        time = whole[name].time() if whole else None
        if time is not None:
            yield time


def prepare_disabling(data: object) -> dict[str, Any]:
    """Reads a request to disable a link. Raises `Invalid`."""
    problems = Problems()
    body = Value(data, "", problems).object()
    message = body["display_message"].text() if body else None
    if message is not None and body is not None and (len(message) > LONGEST_MESSAGE or _TAG.search(message)):
        body["display_message"].wrong(
            Key.INVALID, f"must have at most {LONGEST_MESSAGE} characters and no HTML"
        )
    problems.check()
    return dict(data) if isinstance(data, Mapping) else {}


def prepare_scheduler_request(data: object, *, impersonate: str) -> dict[str, Any]:
    """Reads a scheduler request: its host is named in exactly one of three ways. Raises `Invalid`."""
    problems = Problems()
    body = Value(data, "", problems).object()
    if body is None:
        problems.check()
        raise AssertionError  # it was no object
    ways = [name for name in ("host", "scheduler_group_rule") if body.get(name) is not None]
    if len(ways) + bool(impersonate) != 1:
        problems.add(
            "host",
            Key.INVALID if ways else Key.REQUIRED,
            "name the host in one way: `host`, `scheduler_group_rule`, or the header Cronofy-Impersonate",
        )
    for name, inner in (("host", "sub"), ("scheduler_group_rule", "id")):
        given = body.get(name)
        whole = given.object() if given else None
        if whole is not None:
            whole[inner].text()
    for item in body["recipients"].items(1, 1):
        recipient = item.object()
        if recipient is not None:
            recipient["email"].text()
    event = body["event"].object()
    if event is not None:
        event["summary"].text()
    problems.check()
    return dict(data) if isinstance(data, Mapping) else {}
