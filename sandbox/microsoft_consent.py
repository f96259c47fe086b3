"""Microsoft's consent page, the device code endpoint, and the page on which a device's code is typed."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from sandbox import consent_page
from sandbox.answers import json_answer
from sandbox.authorization import AuthorizationRequest, same_redirect
from sandbox.gate import Call, Gate
from sandbox.microsoft_token import refused, tenant_of
from sandbox.microsoft_tokens import TokenError
from sandbox.state import STATE, State

DEVICE_PAGE = "/devicelogin"
_AUTHORIZE = "/{tenant}/oauth2/v2.0/authorize"
_SOMEBODY = "person@sandbox.example"
_KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
_DENIED = "AADSTS65004: User declined to consent to access the app."


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the pages and the endpoint."""
    router.add_get(_AUTHORIZE, show)
    router.add_post(_AUTHORIZE, decide)
    router.add_post(
        "/{tenant}/oauth2/v2.0/devicecode", Gate("microsoft-token", secret=True).around(start_device)
    )
    router.add_get(DEVICE_PAGE, show_device)
    router.add_post(DEVICE_PAGE, decide_device)


async def show(request: web.Request) -> web.Response:
    """Ask for consent."""
    given = request.query
    asked = _asked(request, given)
    return consent_page.ask(
        "Microsoft look-alike: allow access?",
        scopes=asked.scopes,
        hidden={name: given[name] for name in _KEPT if name in given},
        user=given.get("login_hint", _SOMEBODY),
    )


async def decide(request: web.Request) -> web.Response:
    """Send the browser back to the application, with a code or with what was said instead."""
    given = {name: str(value) for name, value in (await request.post()).items()}
    asked = _asked(request, given)
    if given.get("decision") == "allow":
        code = request.app[STATE].microsoft_tokens.codes.issue(asked, given["user"], asked.scopes)
        answer = {"code": code}
    else:
        answer = {"error": "access_denied", "error_subcode": "cancel", "error_description": _DENIED}
    if asked.state:
        answer["state"] = asked.state
    if given.get("response_mode") == "form_post":
        return consent_page.posted_on(asked.redirect_uri, answer)
    raise web.HTTPFound(f"{asked.redirect_uri}?{urlencode(answer)}")


def start_device(call: Call) -> web.Response:
    """Give a device its codes."""
    tenant = tenant_of(call)
    tokens = call.state.microsoft_tokens
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    try:
        application = tokens.application(tenant, form)
    except TokenError as error:
        raise refused(call, error) from None
    device = tokens.devices.start(tenant, application.client_id, tuple(form.get("scope", "").split()))
    page = f"{call.request.url.origin()}{DEVICE_PAGE}"
    return json_answer(
        {
            "user_code": device.user_code,
            "device_code": device.device_code,
            "verification_uri": page,
            "expires_in": tokens.devices.lifetime,
            "interval": device.interval,
            "message": f"To sign in, use a web browser to open the page {page} and enter the code "
            f"{device.user_code} to authenticate.",
        }
    )


async def show_device(request: web.Request) -> web.Response:
    """Ask for the code that a device shows."""
    code = request.query.get("code", "")
    device = request.app[STATE].microsoft_tokens.devices.shown(code)
    return consent_page.ask(
        "Microsoft look-alike: enter the code that your device shows",
        scopes=device.scopes if device else (),
        hidden={},
        user=_SOMEBODY,
        code=code,
    )


async def decide_device(request: web.Request) -> web.Response:
    """Allow or deny what a device asks for."""
    form = await request.post()
    device = request.app[STATE].microsoft_tokens.devices.shown(str(form.get("code", "")))
    if device is None:
        return consent_page.page("That code is not known, or has expired", "<p>Try again.</p>", 400)
    if form.get("decision") == "allow":
        device.user = str(form["user"]).lower()
    else:
        device.declined = True
    return consent_page.page("You may close this window", "<p>Go back to your device.</p>")


def _asked(request: web.Request, given: Mapping[str, str]) -> AuthorizationRequest:
    """The request; where it is wrong in itself, the browser is not sent back anywhere."""
    asked = AuthorizationRequest(
        client_id=given.get("client_id", ""),
        redirect_uri=given.get("redirect_uri", ""),
        scopes=tuple(given.get("scope", "").split()),
        state=given.get("state", ""),
        challenge=given.get("code_challenge", ""),
        nonce=given.get("nonce", ""),
        tenant=request.match_info["tenant"],
    )
    problem = _problem(request.app[STATE], asked, given)
    if not problem:
        return asked
    refusal = consent_page.page("Sorry, but we're having trouble signing you in.", f"<p>{problem}</p>", 400)
    raise web.HTTPBadRequest(text=refusal.text, content_type="text/html")


def _problem(state: State, asked: AuthorizationRequest, given: Mapping[str, str]) -> str:
    application = state.microsoft_tokens.tenants.get(asked.tenant, {}).get(asked.client_id)
    if application is None:
        return "AADSTS700016: Application was not found in the directory."
    if not any(same_redirect(asked.redirect_uri, each) for each in application.redirect_uris):
        return "AADSTS50011: The redirect URI does not match the redirect URIs of the application."
    if given.get("response_type") != "code" or not asked.scopes:
        return "AADSTS900144: The request body must contain response_type and scope."
    if asked.challenge and given.get("code_challenge_method") != "S256":
        return "AADSTS9002325: Only S256 is taken here."
    return ""
