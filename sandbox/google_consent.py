"""Google's consent page for an installed application (loopback redirect, PKCE), and revocation."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from sandbox import consent_page
from sandbox.answers import Refused, json_answer
from sandbox.authorization import LOOPBACK, AuthorizationRequest
from sandbox.gate import Call, Gate
from sandbox.state import STATE, State

PATH = "/google/auth"
REVOKE_PATH = "/google/revoke"
_SOMEBODY = "person@sandbox.example"
_KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the page and the endpoint."""
    router.add_get(PATH, show)
    router.add_post(PATH, decide)
    router.add_post(REVOKE_PATH, Gate("google-token", secret=True).around(revoke))


async def show(request: web.Request) -> web.Response:
    """Ask for consent. Scopes can be left out one by one (granular permissions)."""
    state, given = request.app[STATE], request.query
    asked = _asked(state, given)
    hidden = {name: given[name] for name in _KEPT if name in given and name != "scope"}
    return consent_page.ask(
        "Google look-alike: allow access?",
        scopes=asked.scopes,
        hidden=hidden | {"asked_scope": " ".join(asked.scopes)},
        user=given.get("login_hint", _SOMEBODY),
        untick=True,
    )


async def decide(request: web.Request) -> web.Response:
    """Send the browser back to the application, with a code or with what was said instead."""
    state, form = request.app[STATE], await request.post()
    given = {name: str(value) for name, value in form.items()}
    asked = _asked(state, given | {"scope": given.get("asked_scope", "")})
    ticked = tuple(str(each) for each in form.getall("scope", []))
    if given.get("decision") == "allow" and ticked:
        code = state.google_tokens.codes.issue(asked, given["user"], ticked)
        answer = {"code": code, "scope": " ".join(ticked)}
    else:
        answer = {"error": "access_denied"}
    if asked.state:
        answer["state"] = asked.state
    raise web.HTTPFound(f"{asked.redirect_uri}?{urlencode(answer)}")


def revoke(call: Call) -> web.Response:
    """Withdraw the user's whole consent to the application; access tokens stand for it, too."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    token = form.get("token") or call.request.query.get("token", "")
    if not call.state.google_tokens.revoke_token(token):
        raise Refused(400, {"error": "invalid_token", "error_description": "Token expired or revoked"})
    return json_answer({})


def _asked(state: State, given: Mapping[str, str]) -> AuthorizationRequest:
    """The request; where it is wrong in itself, the browser is not sent back anywhere."""
    asked = AuthorizationRequest(
        client_id=given.get("client_id", ""),
        redirect_uri=given.get("redirect_uri", ""),
        scopes=tuple(given.get("scope", "").split()),
        state=given.get("state", ""),
        challenge=given.get("code_challenge", ""),
    )
    redirect = urlsplit(asked.redirect_uri)
    if asked.client_id not in state.google_tokens.clients:
        problem = "Error 401: invalid_client. The OAuth client was not found."
    elif redirect.scheme != "http" or redirect.hostname not in LOOPBACK:
        problem = "Error 400: redirect_uri_mismatch"
    elif given.get("response_type") != "code" or not asked.scopes:
        problem = "Error 400: invalid_request. Required parameter is missing: response_type or scope"
    elif asked.challenge and given.get("code_challenge_method") != "S256":
        problem = "Error 400: invalid_request. Only S256 is taken here."
    else:
        return asked
    refusal = consent_page.page(problem, "<p>Access blocked.</p>", 400)
    raise web.HTTPBadRequest(text=refusal.text, content_type="text/html")
