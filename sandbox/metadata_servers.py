"""What a machine asks who it is: Google's metadata server, Azure's (IMDS), and App Service's token endpoint.

Each insists on a header that no browser sends, and refuses what came through a proxy.
"""

from aiohttp import web

from sandbox.answers import Refused, json_answer
from sandbox.gate import Call, Gate

GOOGLE = "/computeMetadata/v1/instance/service-accounts/{account}/token"
IMDS = "/metadata/identity/oauth2/token"
APP_SERVICE = "/msi/token"
_FLAVOR = {"Metadata-Flavor": "Google"}


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve all three."""
    router.add_get(GOOGLE, Gate("google-metadata", secret=True).around(google))
    gate = Gate("azure-metadata", secret=True)
    router.add_get(IMDS, gate.around(azure_machine))
    router.add_get(APP_SERVICE, gate.around(app_service))


def google(call: Call) -> web.Response:
    """A token of the machine's service account; for the machine's scopes, whatever was asked for."""
    headers, tokens = call.request.headers, call.state.google_tokens
    if headers.get("Metadata-Flavor") != "Google" or "X-Forwarded-For" in headers:
        raise Refused(403, {"error": "Missing required header: Metadata-Flavor"}, _FLAVOR)
    if not tokens.attached or call.request.match_info["account"] not in ("default", tokens.attached):
        raise Refused(404, {"error": "not found"}, _FLAVOR)
    token = tokens.issue(tokens.attached, tokens.machine_scopes, may_invite=False)
    body = {"access_token": token, "expires_in": tokens.lifetime, "token_type": "Bearer"}
    return json_answer(body, headers=_FLAVOR)


def azure_machine(call: Call) -> web.Response:
    """A token of a machine's managed identity."""
    headers, query = call.request.headers, call.request.query
    if headers.get("Metadata") != "true" or "X-Forwarded-For" in headers:
        raise _azure("invalid_request", "Required metadata header not specified")
    if not query.get("resource") or not query.get("api-version"):
        raise _azure("invalid_request", "Required parameter is missing")
    token = call.state.microsoft_tokens.for_identity(query.get("client_id", ""), query["resource"])
    if token is None:
        raise _azure("invalid_request", "Identity not found")
    lifetime = call.state.microsoft_tokens.lifetime
    return json_answer(
        {
            "access_token": token,
            "expires_in": str(lifetime),
            "expires_on": str(int(call.state.clock()) + lifetime),
            "resource": query["resource"],
            "token_type": "Bearer",
        }
    )


def app_service(call: Call) -> web.Response:
    """The same as App Service, Functions and Container Apps give it."""
    tokens, query = call.state.microsoft_tokens, call.request.query
    if call.request.headers.get("X-IDENTITY-HEADER") != tokens.identity_header:
        raise Refused(401, {"statusCode": 401, "message": "Unauthorized"})
    token = tokens.for_identity(query.get("client_id", ""), query.get("resource", ""))
    if token is None:
        words = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId."
        raise Refused(400, {"statusCode": 400, "message": words, "correlationId": "sandbox"})
    expires_on = str(int(call.state.clock()) + tokens.lifetime)
    return json_answer({"access_token": token, "expires_on": expires_on, "resource": query["resource"]})


def _azure(code: str, words: str) -> Refused:
    return Refused(400, {"error": code, "error_description": words})
