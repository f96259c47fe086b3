"""Google's Security Token Service: tokens of workloads elsewhere, exchanged for Google's own (RFC 8693).

Codes and words as reported: an audience that does not fit and a token that has expired are both
`invalid_grant`, a provider that does not exist is `invalid_target`, an attribute condition that fails is
`unauthorized_client`.
"""

from urllib.parse import parse_qsl

import jwt
from aiohttp import web

from sandbox.answers import Refused, json_answer
from sandbox.gate import Call, Gate
from sandbox.google_tokens import GoogleTokens, GrantError, Pool

PATH = "/google/sts/v1/token"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the endpoint."""
    router.add_post(PATH, Gate("google-token", secret=True).around(exchange))


def exchange(call: Call) -> web.Response:
    """Give a federated token, or refuse."""
    tokens = call.state.google_tokens
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    try:
        subject = _subject(tokens, form)
    except GrantError as error:
        raise Refused(error.status, {"error": error.code, "error_description": error.description}) from None
    token = tokens.issue(subject, form.get("scope", "").split(), may_invite=False)
    return json_answer(
        {
            "access_token": token,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": tokens.lifetime,
        }
    )


def principal(audience: str, subject: str) -> str:
    """What IAM calls a workload: `//iam.googleapis.com/projects/…/providers/P` is left of its pool."""
    return f"principal:{audience.partition('/providers/')[0]}/subject/{subject}"


def _subject(tokens: GoogleTokens, form: dict[str, str]) -> str:
    if form.get("grant_type") != _EXCHANGE:
        raise GrantError(400, "unsupported_grant_type", "Invalid grant_type.")
    if not form.get("scope"):
        raise GrantError(400, "invalid_request", "The scope is missing.")
    audience = form.get("audience", "")
    pool = tokens.pools.get(audience)
    if pool is None:
        raise GrantError(
            400, "invalid_target", 'The target service indicated by the "audience" parameters is invalid.'
        )
    claims = _claims(tokens, pool, form.get("subject_token", ""))
    if pool.subject and claims.get("sub") != pool.subject:
        raise GrantError(
            400, "unauthorized_client", "The given credential is rejected by the attribute condition."
        )
    return principal(audience, str(claims.get("sub", "")))


def _claims(tokens: GoogleTokens, pool: Pool, token: str) -> dict[str, object]:
    try:
        claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise GrantError(400, "invalid_request", "The subject token is not a JWT.") from None
    if claims.get("iss") != pool.issuer:
        raise GrantError(400, "invalid_grant", "The issuer in ID Token does not match the expected ones.")
    audience = claims.get("aud")
    if not pool.audiences & set(audience if isinstance(audience, list) else [audience]):
        raise GrantError(
            400,
            "invalid_grant",
            f"The audience in ID Token [{audience}] does not match the expected audience.",
        )
    if float(str(claims.get("exp", 0))) <= tokens.clock():
        raise GrantError(400, "invalid_grant", "ID Token issued at is stale to sign-in.")
    return claims
