"""Microsoft's authority: tenant discovery and the token endpoint, as msal talks to them (https only)."""

import uuid
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.answers import Refused, json_answer
from sandbox.clock import stamp
from sandbox.gate import Call, Gate
from sandbox.microsoft_tokens import MicrosoftTokens, TokenError


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve both endpoints of every tenant."""
    gate = Gate("microsoft-token", secret=True)
    router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", gate.around(discovery))
    router.add_post("/{tenant}/oauth2/v2.0/token", gate.around(token))


def discovery(call: Call) -> web.Response:
    """Where a tenant's endpoints are; the issuer is on the same host, as msal insists."""
    tenant = tenant_of(call)
    base = f"{call.request.url.origin()}/{tenant}"
    return json_answer(
        {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        }
    )


def token(call: Call) -> web.Response:
    """Issue an access token, or refuse with an AADSTS number."""
    tenant = tenant_of(call)
    tokens = call.state.microsoft_tokens
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    try:
        issued = _issued(tokens, tenant, form)
    except TokenError as error:
        raise refused(call, error) from None
    lifetime = {"expires_in": tokens.lifetime, "ext_expires_in": tokens.lifetime}
    return json_answer({"token_type": "Bearer", **lifetime, **issued}, headers={"Cache-Control": "no-store"})


def _issued(tokens: MicrosoftTokens, tenant: str, form: dict[str, str]) -> dict[str, str]:
    match form.get("grant_type"):
        case "client_credentials":
            return {"access_token": tokens.for_application(tenant, form)}
        case "refresh_token":
            return tokens.for_user(tenant, form)
        case "authorization_code":
            return tokens.for_code(tenant, form)
        case "urn:ietf:params:oauth:grant-type:device_code":
            return tokens.for_device(tenant, form)
        case _:
            raise TokenError(400, "unsupported_grant_type", 70003, "The grant type is not supported.")


def tenant_of(call: Call) -> str:
    """The tenant that the path names, if there is such a one. Raises Refused."""
    tenant = call.request.match_info["tenant"]
    if tenant not in call.state.microsoft_tokens.tenants:
        raise refused(call, TokenError(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found."))
    return tenant


def refused(call: Call, error: TokenError) -> Refused:
    """A refusal in the shape of Microsoft's."""
    trace, correlation = str(uuid.uuid4()), call.request.headers.get("client-request-id", str(uuid.uuid4()))
    when = stamp(call.state.clock(), digits=0).replace("T", " ")
    return Refused(
        error.status,
        {
            "error": error.code,
            "error_description": f"{error} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {when}",
            "error_codes": [error.number],
            "timestamp": when,
            "trace_id": trace,
            "correlation_id": correlation,
        },
    )
