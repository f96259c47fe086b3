"""Google's token endpoint: jwt-bearer for service accounts; codes and refresh tokens for users."""

from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.answers import Refused, json_answer
from sandbox.gate import Call, Gate
from sandbox.google_tokens import GoogleTokens, GrantError

PATH = "/google/token"


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the endpoint."""
    router.add_post(PATH, Gate("google-token", secret=True).around(token))


def token(call: Call) -> web.Response:
    """Issue an access token, or refuse as OAuth says."""
    tokens = call.state.google_tokens
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    try:
        issued, refresh_token = _issued(tokens, form, str(call.request.url.with_query(None)))
    except GrantError as error:
        body = {"error": error.code, "error_description": error.description}
        if error.subtype:
            body["error_subtype"] = error.subtype
        raise Refused(error.status, body) from None
    grant = tokens.grants[issued]
    call.state.google.own_calendar(grant.subject)
    return json_answer(
        {
            "access_token": issued,
            "expires_in": tokens.lifetime,
            "scope": " ".join(sorted(grant.scopes)),
            "token_type": "Bearer",
            **({"refresh_token": refresh_token} if refresh_token else {}),
        },
        headers={"Cache-Control": "no-store"},
    )


def _issued(tokens: GoogleTokens, form: dict[str, str], token_uri: str) -> tuple[str, str]:
    """An access token, and a refresh token where there is a new one: never for a refresh token."""
    match form.get("grant_type"):
        case "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return tokens.from_assertion(form.get("assertion", ""), token_uri), ""
        case "refresh_token":
            return tokens.from_refresh_token(form), ""
        case "authorization_code":
            return tokens.from_code(form)
        case _:
            raise GrantError(400, "unsupported_grant_type", "Invalid grant_type.")
