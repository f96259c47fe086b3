"""Google Calendar's refusals, in its own shape and words (its errors guide)."""

from typing import Any

from sandbox.answers import Refused

RATE_MESSAGES = {
    "rateLimitExceeded": "Rate Limit Exceeded",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
    "quotaExceeded": "Calendar usage limits exceeded.",
}


def refused(
    status: int, reason: str, message: str, *, domain: str = "global", location: str | None = None
) -> Refused:
    """A refusal; `location` names the header or parameter at fault."""
    detail: dict[str, Any] = {"domain": domain, "reason": reason, "message": message}
    if location is not None:
        detail |= {"locationType": "header" if location[0].isupper() else "parameter", "location": location}
    return Refused(status, {"error": {"errors": [detail], "code": status, "message": message}})


def invalid(message: str, location: str | None = None) -> Refused:
    """400: a value the vendor does not take."""
    return refused(400, "invalid", message, location=location)


def required(message: str) -> Refused:
    """400: something is missing."""
    return refused(400, "required", message)


def bad_payload(problems: list[str]) -> Refused:
    """400: the body does not fit the vendor's schema."""
    message = "\n".join(problems)
    return Refused(
        400,
        {
            "error": {
                "code": 400,
                "message": message,
                "errors": [{"domain": "global", "reason": "badRequest", "message": message}],
                "status": "INVALID_ARGUMENT",
            }
        },
    )


def unauthorized() -> Refused:
    """401: no token, or one that is unknown, expired or revoked."""
    return refused(401, "authError", "Invalid Credentials", location="Authorization")


def not_found() -> Refused:
    """404: no such calendar or event, or not for this caller."""
    return refused(404, "notFound", "Not Found")


def forbidden() -> Refused:
    """403 without a further reason: the answer to changing a deleted event."""
    return refused(403, "forbidden", "Forbidden")


def changed_meanwhile() -> Refused:
    """412: If-Match does not name the present etag."""
    return refused(412, "conditionNotMet", "Precondition Failed", location="If-Match")


def limited(status: int, reason: str) -> Refused:
    """403 or 429: a rate or usage limit. Google uses both statuses for the same reasons."""
    return refused(status, reason, RATE_MESSAGES.get(reason, reason), domain="usageLimits")


def backend(status: int, code: str | None = None) -> Refused:
    """A refusal of any status, as the backend gives it."""
    return refused(status, code or "backendError", "Backend Error" if status >= 500 else "Error")
