"""What stands before every page: headers, the session, and the proof that a form is our own."""

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode, urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from redis.exceptions import RedisError

from admin.console.rendering import FORM_TOKEN, SESSION, page
from admin.console.sessions import Session, Sessions
from admin.sampling import Sampled
from bookings.errors import BookingsError
from bookings.refusals import named

SESSIONS = web.AppKey("sessions", Sessions)
HOME = "/console/"
LOGIN = "/console/login"
COOKIE = "sequence_sync_console"

_OPEN_TO_ALL = ("/console/style.css", "/console/icon.svg")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: browsers would call the origin of our own forms "null" then.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_log = structlog.get_logger()
_unsigned = Sampled(_log)


class Problem(Exception):
    """A request is answered with a page of a few words."""

    def __init__(self, status: int, title: str, words: str, **headers: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.words = words
        self.headers = headers


class NoSuchPage(Problem):
    """Nothing is at this address."""

    def __init__(self) -> None:
        super().__init__(
            404, "There is no such page", "It may have been called otherwise, or be gone by now."
        )


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives every answer the headers that keep browsers from doing more than showing it."""
    try:
        response = await handler(request)
    except web.HTTPException as error:  # redirects
        error.headers.update(_HEADERS)
        raise
    response.headers.update(_HEADERS)
    return response


@web.middleware
async def with_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Makes a page of whatever goes wrong."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = NoSuchPage() if error.status == 404 else Problem(error.status, error.reason, "")
        problem.headers |= {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    except Problem as error:
        problem = error
    except (RedisError, OSError) as error:
        _log.warning("console_without_redis", error=named(error))
        words = "Nothing can be shown until it does; `sequence-sync check` says what to do."
        if request.method == "POST":
            words = f"What you asked for may be done in part; it is safe to repeat. {words}"
        problem = Problem(503, "Redis does not answer as it should", words)
    except BookingsError as error:
        _log.warning("console_cannot_read", error=type(error).__name__)
        problem = Problem(500, "The record cannot be read", str(error))
    except Exception:  # noqa: BLE001 - logged with its traceback
        _log.exception("console_failed")
        problem = Problem(500, "This is a defect of ours", "The log of this process has a traceback.")
    response = page(request, "problem.html", status=problem.status, title=problem.title, words=problem.words)
    response.headers.update(problem.headers)
    return response


def with_known_host(known: Callable[[], frozenset[str]]) -> Middleware:
    """Refuses names that somebody else had lead here, whose pages a browser would take for the console's.

    Addresses and `localhost` are nobody else's. Where no name of ours is `known`, any may be.
    """

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        names = known()
        if names and not _is_ours(request.host, names):
            raise Problem(
                421,
                "This is not the console's name",
                "Add the name that you came by to `console.hosts` in the configuration.",
            )
        return await handler(request)

    return checked


def _is_ours(host: str, names: frozenset[str]) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return name == "localhost" or name in names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@web.middleware
async def with_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets nobody in who has not signed in, and nothing be done that our own forms did not ask for."""
    if request.path in _OPEN_TO_ALL:
        return await handler(request)
    if request.method not in ("GET", "HEAD"):
        _check_origin(request)
    sessions = request.app[SESSIONS]
    session = await sessions.read(request.cookies.get(COOKIE, ""))
    if session is not None:
        request[SESSION] = session
        request[FORM_TOKEN] = await sessions.form_token(session)
    if request.path == LOGIN:
        return await handler(request)
    if session is None or not session.signed_in:
        if request.method in ("GET", "HEAD"):
            if request.headers.get("Sec-Fetch-Site") == "cross-site":
                # A link from elsewhere: SameSite=Strict keeps the cookie back until our own page asks again.
                return page(request, "arrival.html", target=request.path_qs)
            raise web.HTTPSeeOther(f"{LOGIN}?{urlencode({'next': request.path_qs})}")
        raise Problem(403, "You are signed out", "Nothing was done. Sign in and try again.")
    return await handler(request)


def posted(handler: Callable[[web.Request, dict[str, list[str]]], Awaitable[web.StreamResponse]]) -> Handler:
    """Makes a handler of one that takes a form's fields; the form is shown to be ours first."""

    async def checked(request: web.Request) -> web.StreamResponse:
        return await handler(request, await own_form(request))

    return checked


async def own_form(request: web.Request) -> dict[str, list[str]]:
    """The fields of a form that this session was given. Raises `Problem`."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(415, "This is no form of ours", "Nothing was done.")
    if "Content-Encoding" in request.headers:
        raise Problem(415, "Forms come as they are, and not compressed", "Nothing was done.")
    try:
        data = await request.post()
    except (ConnectionError, web.RequestPayloadError):
        raise Problem(400, "This form did not come whole", "Nothing was done.") from None
    except (LookupError, ValueError):  # an unknown character set, or bytes that are none of its
        raise Problem(400, "This form cannot be read", "Nothing was done.") from None
    fields: dict[str, list[str]] = {}
    for name, value in data.items():
        fields.setdefault(name, []).append(str(value))
    session = request.get(SESSION)
    token = fields.pop("token", [""])[0]
    if session is None or not await request.app[SESSIONS].is_form_token(session, token):
        raise Problem(
            403, "This form is out of date", "Nothing was done. Open its page again, and send it from there."
        )
    return fields


def safe_next(target: str) -> str:
    """Where to go after signing in: a page of the console, and nothing else."""
    return target if target.startswith(HOME) and "\\" not in target and target.isprintable() else HOME


def set_cookie(request: web.Request, response: web.StreamResponse, cookie: str, lasts_s: float) -> None:
    """Gives the browser a session's cookie; encrypted only where the page came encrypted."""
    secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
    response.set_cookie(
        COOKIE, cookie, max_age=int(lasts_s), path="/console", httponly=True, samesite="Strict", secure=secure
    )


def _check_origin(request: web.Request) -> None:
    """Refuses what another site makes a browser send. Raises `Problem`.

    Browsers tell the site to encrypted pages and to this machine only; they tell the origin to all.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "")
    ours = site == "same-origin" if site else urlsplit(origin).netloc == request.host
    if not ours:
        _unsigned.log("warning", "console_refused_foreign_form", remote=request.remote)
        raise Problem(403, "This did not come from the console", "Nothing was done.")


def session_of(request: web.Request) -> Session:
    """Whoever is signed in."""
    return request[SESSION]


def who(request: web.Request) -> str:
    """What the audit record calls whoever is signed in."""
    return f"{session_of(request).who} (console)"
