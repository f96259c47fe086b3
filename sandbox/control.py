"""The control API under /_sandbox: what a test in another process needs to arrange and to look at."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from sandbox import control_specs as specs
from sandbox import google_token, inspection
from sandbox.answers import Refused, json_answer
from sandbox.credentials import authorized_user, service_account_key
from sandbox.faults import FaultError
from sandbox.person import NoSuchEventError, Person
from sandbox.state import STATE

BASE = "/_sandbox"
Spec = TypeVar("Spec")


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
        ("POST", "/google/service-accounts", add_service_account),
        ("POST", "/google/users", add_google_user),
        ("POST", "/google/tokens", add_google_token),
        ("POST", "/google/lifetime", set_google_lifetime),
        ("POST", "/google/revoke", revoke_google),
        ("POST", "/microsoft/applications", add_application),
        ("POST", "/microsoft/users", add_microsoft_user),
        ("POST", "/microsoft/tokens", add_microsoft_token),
        ("POST", "/microsoft/lifetime", set_microsoft_lifetime),
        ("POST", "/microsoft/revoke", revoke_microsoft),
    ]
    for method, path, handle in routes:
        router.add_route(method, BASE + path, _explained(handle))


def _explained(
    handle: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[..., Awaitable[web.Response]]:
    """The handler, with what is wrong with a request said in words."""

    async def answered(request: web.Request) -> web.Response:
        try:
            return await handle(request)
        except (msgspec.DecodeError, FaultError) as error:
            return json_answer({"error": str(error)}, 400)
        except (NoSuchEventError, KeyError) as error:
            return json_answer({"error": f"not found: {error}"}, 404)
        except Refused as refused:
            return refused.answer()

    return answered


async def _body(request: web.Request, shape: type[Spec]) -> Spec:
    return msgspec.json.decode(await request.read() or b"{}", type=shape)


async def events(request: web.Request) -> web.Response:
    """All events and tombstones; ?provider= and ?calendar= narrow it down."""
    query = request.query
    return json_answer(inspection.events(request.app[STATE], query.get("provider"), query.get("calendar")))


async def act_on_event(request: web.Request) -> web.Response:
    """A person edits, deletes or moves an event, or empties the trash."""
    person, event_id = Person(request.app[STATE]), request.match_info["event"]
    act = await _body(request, specs.ActSpec)
    match request.match_info["act"]:
        case "edit":
            person.edits(act.provider, act.calendar, event_id, act.fields)
        case "delete":
            person.deletes(act.provider, act.calendar, event_id)
        case "move":
            person.moves(act.provider, act.calendar, event_id, act.to)
        case "purge":
            person.empties_trash(act.provider, act.calendar, event_id)
        case unknown:
            return json_answer({"error": f"no act {unknown!r}; there are edit, delete, move, purge"}, 404)
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
    spec: Any = await _body(request, specs.GoogleCalendarSpec | specs.MailboxSpec)  # type: ignore[arg-type] # a union is no type to mypy, but is one to msgspec
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
    spec = await _body(request, specs.FaultSpec)
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
    spec = await _body(request, specs.ResetSpec)
    request.app[STATE].reset(everything=spec.everything)
    return json_answer({})


async def add_service_account(request: web.Request) -> web.Response:
    """A service account's key file."""
    spec = await _body(request, specs.ServiceAccountSpec)
    key = await asyncio.to_thread(service_account_key, _google_token_uri(request), spec.email)
    request.app[STATE].google_tokens.register_key(key).delegated = spec.delegated
    return json_answer(key, 201)


async def add_google_user(request: web.Request) -> web.Response:
    """A user's authorized_user file."""
    spec = await _body(request, specs.UserSpec)
    user = authorized_user(_google_token_uri(request), spec.user)
    request.app[STATE].google_tokens.register_user(user)
    return json_answer(user, 201)


async def add_google_token(request: web.Request) -> web.Response:
    """An access token for a Google subject."""
    spec, state = await _body(request, specs.GoogleTokenSpec), request.app[STATE]
    state.google.own_calendar(spec.subject)
    return json_answer({"access_token": state.google_tokens.issue(spec.subject, spec.scopes)}, 201)


async def set_google_lifetime(request: web.Request) -> web.Response:
    """How long Google's next access tokens live."""
    request.app[STATE].google_tokens.lifetime = (await _body(request, specs.LifetimeSpec)).expires_in
    return json_answer({})


async def revoke_google(request: web.Request) -> web.Response:
    """Withdraw everything of a Google user or service account."""
    request.app[STATE].google_tokens.revoke((await _body(request, specs.WhoSpec)).who)
    return json_answer({})


async def add_application(request: web.Request) -> web.Response:
    """Make a Microsoft application known to a tenant."""
    spec = await _body(request, specs.ApplicationSpec)
    request.app[STATE].microsoft_tokens.register(**spec.given())
    return json_answer({"tenant": spec.tenant, "client_id": spec.client_id}, 201)


async def add_microsoft_user(request: web.Request) -> web.Response:
    """A refresh token of a Microsoft user."""
    spec = await _body(request, specs.UserSpec)
    refresh_token = request.app[STATE].microsoft_tokens.register_user(spec.tenant, spec.client_id, spec.user)
    return json_answer({"refresh_token": refresh_token}, 201)


async def add_microsoft_token(request: web.Request) -> web.Response:
    """An access token for Graph."""
    spec = await _body(request, specs.GraphTokenSpec)
    return json_answer({"access_token": request.app[STATE].microsoft_tokens.issue(**spec.given())}, 201)


async def set_microsoft_lifetime(request: web.Request) -> web.Response:
    """How long Microsoft's next access tokens live."""
    request.app[STATE].microsoft_tokens.lifetime = (await _body(request, specs.LifetimeSpec)).expires_in
    return json_answer({})


async def revoke_microsoft(request: web.Request) -> web.Response:
    """Withdraw everything of a Microsoft user or application."""
    request.app[STATE].microsoft_tokens.revoke((await _body(request, specs.WhoSpec)).who)
    return json_answer({})


def _google_token_uri(request: web.Request) -> str:
    return f"{request.url.origin()}{google_token.PATH}"
