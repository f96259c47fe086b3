"""Signing in and out."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from admin.console.guard import (
    COOKIE,
    HOME,
    LOGIN,
    SESSIONS,
    Problem,
    own_form,
    safe_next,
    session_of,
    set_cookie,
)
from admin.console.rendering import FORM_TOKEN, SESSION, page
from admin.console.sessions import FORM_LASTS_S, Sessions
from admin.console.world import WORLD
from bookings.operating import note

_MOST_WAITING = 10
"""Guesses that may wait at one address."""
_MOST_ADDRESSES = 100
"""Addresses at which guesses may wait."""
WRONG_PASSWORD_S = 1.0

_log = structlog.get_logger()


class _Door:
    """Where those of one address wait."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


class Doorkeeper:
    """Looks at one password of an address after the other, and takes its time over wrong ones.

    So a process tells each address about one guess a second whether it was right, however many ask at a time,
    and those at other addresses do not wait for it.

    Args:
        is_password: tells whether it was right.
        pause_s: for how long nobody else of the address is looked at after a wrong one.
    """

    def __init__(self, is_password: Callable[[str], Awaitable[bool]], *, pause_s: float) -> None:
        self._is_password = is_password
        self._pause_s = pause_s
        self._doors: dict[str, _Door] = {}

    async def lets_in(self, password: str, address: str = "") -> bool:
        """Whether the password is right. Raises `Problem` where too many are waiting."""
        network = _network(address)
        door = self._doors.get(network) or _Door()
        if door.waiting >= _MOST_WAITING or (not door.waiting and len(self._doors) >= _MOST_ADDRESSES):
            raise Problem(
                429,
                "Too many are trying to sign in",
                "Wait a few seconds and try again.",
                **{"Retry-After": str(_MOST_WAITING)},
            )
        self._doors[network] = door
        door.waiting += 1
        try:
            async with door.lock:
                if await self._is_password(password):
                    return True
                await asyncio.sleep(self._pause_s)
                return False
        finally:
            door.waiting -= 1
            if not door.waiting:
                del self._doors[network]


def _network(address: str) -> str:
    """Whom an address stands for: of IPv6, one customer has at least all that begin with the same 64 bits."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or ipaddress.IPv6Network((known, 64), strict=False))


DOORKEEPER = web.AppKey("doorkeeper", Doorkeeper)


async def show_login(request: web.Request) -> web.StreamResponse:
    """The form to sign in."""
    session = request.get(SESSION)
    target = safe_next(request.query.get("next", ""))
    if session is not None and session.signed_in:
        raise web.HTTPSeeOther(target)
    return await _login_page(request, target)


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Takes the form to sign in."""
    fields = await own_form(request)
    name = fields.get("name", [""])[0].strip()
    target = safe_next(fields.get("next", [""])[0])
    if not name or not name.isprintable():
        return await _login_page(request, target, name, "Say your name: the audit record keeps it.", 400)
    password = fields.get("password", [""])[0]
    if not await request.app[DOORKEEPER].lets_in(password, request.remote or ""):
        _log.warning("console_wrong_password", remote=request.remote)
        return await _login_page(request, target, name, "That is not the password.", 403)
    sessions = request.app[SESSIONS]
    session, cookie = await sessions.signed_in(name)
    await note(request.app[WORLD].store, f"{session.who} (console)", "sign in")
    _log.info("console_signed_in", who=session.who)
    onwards = web.HTTPSeeOther(target)
    set_cookie(request, onwards, cookie, sessions.lasts_s)
    raise onwards


async def sign_out(request: web.Request, fields: dict[str, list[str]]) -> web.StreamResponse:
    """Ends the session, in every process."""
    del fields
    await request.app[SESSIONS].end(session_of(request))
    onwards = web.HTTPSeeOther(LOGIN)
    onwards.del_cookie(COOKIE, path="/console")
    raise onwards


async def _login_page(
    request: web.Request, target: str, name: str = "", problem: str = "", status: int = 200
) -> web.StreamResponse:
    sessions: Sessions = request.app[SESSIONS]
    stranger, cookie = await sessions.stranger()
    request[SESSION], request[FORM_TOKEN] = stranger, await sessions.form_token(stranger)
    response = page(
        request,
        "login.html",
        status=status,
        target=target if target != HOME else "",
        name=name,
        problem=problem,
    )
    set_cookie(request, response, cookie, FORM_LASTS_S)
    return response
