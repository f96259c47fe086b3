"""The control API under /_sandbox: what a test in another process needs to arrange and to look at."""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from sandbox import control_specs as specs
from sandbox import inspection
from sandbox.answers import json_answer
from sandbox.control_body import body, explained
from sandbox.person import Person
from sandbox.state import STATE

BASE = "/_sandbox"


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the control API."""
    routes: list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]] = [
        ("GET", "/events", events),
        ("POST", "/events/{event}/{act}", act_on_event),
        ("GET", "/requests", requests),
        ("GET", "/counters", counters),
        ("GET", "/notifications", notifications),
        ("POST", "/calendars", put_calendar),
        ("GET", "/faults", list_faults),
        ("POST", "/faults", add_fault),
        ("DELETE", "/faults", clear_faults),
        ("POST", "/release", release),
        ("POST", "/reset", reset),
    ]
    for method, path, handle in routes:
        router.add_route(method, BASE + path, explained(handle))


async def events(request: web.Request) -> web.Response:
    """All events and tombstones; ?provider= and ?calendar= narrow it down."""
    query = request.query
    return json_answer(inspection.events(request.app[STATE], query.get("provider"), query.get("calendar")))


async def act_on_event(request: web.Request) -> web.Response:
    """A person does something with an event; a copy and a drag give the id of the new one."""
    person, event_id = Person(request.app[STATE]), request.match_info["event"]
    act = await body(request, specs.ActSpec)
    match request.match_info["act"]:
        case "edit":
            person.edits(act.provider, act.calendar, event_id, act.fields)
        case "delete":
            person.deletes(act.provider, act.calendar, event_id)
        case "move":
            person.moves(act.provider, act.calendar, event_id, act.to)
        case "copy":
            return json_answer({"id": person.copies(act.provider, act.calendar, event_id, act.to)})
        case "drag":
            return json_answer({"id": person.drags(act.provider, act.calendar, event_id, act.to)})
        case "repeat":
            person.repeats(act.provider, act.calendar, event_id)
        case "purge":
            person.empties_trash(act.provider, act.calendar, event_id)
        case "burn":
            person.burns(act.provider, act.calendar, event_id)
        case "give-away":
            person.gives_away(act.provider, act.calendar, event_id)
        case unknown:
            acts = "edit, delete, move, copy, drag, repeat, purge, burn, give-away"
            return json_answer({"error": f"no act {unknown!r}; there are {acts}"}, 404)
    return json_answer({})


async def requests(request: web.Request) -> web.Response:
    """The newest requests to the look-alikes, oldest first."""
    return json_answer([record.shown() for record in request.app[STATE].journal.requests])


async def counters(request: web.Request) -> web.Response:
    """Totals of requests, notifications and violations of the concurrency limit."""
    return json_answer(request.app[STATE].journal.counters())


async def notifications(request: web.Request) -> web.Response:
    """The mails that would have gone out."""
    return json_answer(list(request.app[STATE].journal.notifications))


async def put_calendar(request: web.Request) -> web.Response:
    """Make or change a Google calendar, a mailbox, or a calendar in one."""
    state = request.app[STATE]
    shapes = specs.GoogleCalendarSpec | specs.MailboxSpec
    spec = msgspec.json.decode(await request.read(), type=shapes)
    if isinstance(spec, specs.GoogleCalendarSpec):
        return json_answer({"id": state.google.put_calendar(spec.id, **spec.flags()).id}, 201)
    mailbox = state.microsoft.put_mailbox(spec.mailbox, **spec.mailbox_flags())
    calendar = state.microsoft.put_calendar(spec.mailbox, spec.id, **spec.calendar_flags())
    return json_answer({"mailbox": mailbox.address, "id": calendar.id}, 201)


async def list_faults(request: web.Request) -> web.Response:
    """The queued faults, and how many replies are held back now."""
    board = request.app[STATE].faults
    return json_answer({"faults": [rule.shown() for rule in board.rules], "held": len(board.held)})


async def add_fault(request: web.Request) -> web.Response:
    """Queue a fault."""
    spec = await body(request, specs.FaultSpec)
    return json_answer(request.app[STATE].faults.add(**spec.given()).shown(), 201)


async def clear_faults(request: web.Request) -> web.Response:
    """Remove all queued faults."""
    request.app[STATE].faults.clear()
    return json_answer({})


async def release(request: web.Request) -> web.Response:
    """Let the held replies go."""
    return json_answer({"released": request.app[STATE].faults.release()})


async def reset(request: web.Request) -> web.Response:
    """Forget events, faults and history, or everything."""
    spec = await body(request, specs.ResetSpec)
    request.app[STATE].reset(everything=spec.everything)
    return json_answer({})
