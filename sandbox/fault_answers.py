"""What a client sees of a fault, in the body shape of the vendor it talks to."""

from typing import Any

import msgspec
from aiohttp import web

from sandbox import google_errors, graph_errors
from sandbox.answers import Refused
from sandbox.faults import Fault

HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Try again.</body></html>"
)


def before(provider: str, fault: Fault) -> web.Response | None:
    """The page a fault answers with, or None where the request is to be carried out.

    Raises Refused where the fault is a refusal.
    """
    if fault.kind in ("html", "empty"):
        return _page(fault)
    if fault.kind in ("throttle", "error", "expired_token", "conflict", "forbidden"):
        raise _refusal(provider, fault)
    return None


def after(provider: str, fault: Fault) -> web.Response | None:
    """The page that hides the real outcome, or None where the real answer goes out. Raises Refused too."""
    if fault.kind in ("html_after", "empty_after"):
        return _page(fault)
    if fault.kind in ("error_after", "stripped"):
        raise _refusal(provider, fault)
    return None


def stripped(body: bytes) -> bytes:
    """A request's body without the client's own properties, as a store that was interrupted keeps it.

    Seen as 503 ConcurrentItemSave on a create whose event then stood in the calendar.
    """
    event = msgspec.json.decode(body)
    for name in ("extendedProperties", "singleValueExtendedProperties"):
        event.pop(name, None)
    return msgspec.json.encode(event)


def _page(fault: Fault) -> web.Response:
    if fault.kind.startswith("empty"):
        return web.Response(status=int(fault.number("status", 200)))
    return web.Response(status=int(fault.number("status", 502)), text=HTML_PAGE, content_type="text/html")


def _refusal(provider: str, fault: Fault) -> Refused:
    if provider == "google":
        refused = _google(fault)
    elif provider == "microsoft":
        refused = _graph(fault)
    elif provider == "cronofy":
        refused = _cronofy(fault)
    else:
        refused = _token_endpoint(fault)
    retry_after = fault.params.get("retry_after", "1" if fault.kind == "throttle" else "none")
    if retry_after != "none":
        refused.headers["Retry-After"] = retry_after
    return refused


def _google(fault: Fault) -> Refused:
    match fault.kind:
        case "throttle":
            reason = fault.params.get("reason", "rateLimitExceeded")
            return google_errors.limited(int(fault.number("status", 429)), reason)
        case "expired_token":
            return google_errors.unauthorized()
        case "conflict":
            return google_errors.changed_meanwhile()
        case "forbidden":
            reason = fault.params.get("reason", "forbidden")
            return google_errors.refused(int(fault.number("status", 403)), reason, "Forbidden")
        case _:
            return google_errors.backend(int(fault.number("status", 503)), fault.params.get("code"))


def _graph(fault: Fault) -> Refused:
    match fault.kind:
        case "throttle":
            return graph_errors.throttled()
        case "expired_token":
            return graph_errors.unauthorized()
        case "conflict":
            return graph_errors.changed_meanwhile(int(fault.number("status", 412)), fault.params.get("code"))
        case "forbidden" if "code" in fault.params:
            status = int(fault.number("status", 403))
            return graph_errors.refused(status, fault.params["code"], "The request is refused.")
        case "forbidden":
            return graph_errors.denied()
        case _:
            return graph_errors.failed(int(fault.number("status", 503)), fault.params.get("code"))


def _cronofy(fault: Fault) -> Refused:
    statuses = {"throttle": 429, "expired_token": 401, "forbidden": 403, "conflict": 423}
    return Refused(int(fault.number("status", statuses.get(fault.kind, 503))), {})


def _token_endpoint(fault: Fault) -> Refused:
    match fault.kind:
        case "throttle":
            status, code = 429, "temporarily_unavailable"
        case "expired_token":
            status, code = 400, "invalid_grant"
        case "forbidden":
            status, code = 401, "unauthorized_client"
        case _:
            status = int(fault.number("status", 503))
            code = "server_error" if status >= 500 else "invalid_request"
    body: dict[str, Any] = {"error": fault.params.get("code", code)}
    body["error_description"] = fault.params.get("text", f"A fault asked for: {fault}")
    if "number" in fault.params:
        number = int(fault.number("number", 0))
        body["error_description"] = f"AADSTS{number}: {body['error_description']}"
        body["error_codes"] = [number]
    if "subtype" in fault.params:
        body["error_subtype"] = fault.params["subtype"]
    return Refused(int(fault.number("status", status)), body)
