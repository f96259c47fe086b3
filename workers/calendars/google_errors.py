"""Google's error answers as error classes. The reason decides, never the status alone. Pure."""

from typing import Any

from workers.calendars.http import UNMISTAKABLE, Answer
from workers.calendars.refused import refused_field
from workers.errors import CalendarError, ErrorClass, FormRefused, Taken

_BY_REASON = {
    "rateLimitExceeded": ErrorClass.THROTTLED,
    "userRateLimitExceeded": ErrorClass.THROTTLED,
    "rateLimitExceededUnreg": ErrorClass.THROTTLED,
    "userRateLimitExceededUnreg": ErrorClass.THROTTLED,
    "concurrentLimitExceeded": ErrorClass.THROTTLED,
    "servingLimitExceeded": ErrorClass.THROTTLED,
    "RATE_LIMIT_EXCEEDED": ErrorClass.THROTTLED,
    "quotaExceeded": ErrorClass.PARK,
    "calendarUsageLimitsExceeded": ErrorClass.PARK,
    "dailyLimitExceeded": ErrorClass.PARK,
    "dailyLimitExceededUnreg": ErrorClass.PARK,
    "limitExceeded": ErrorClass.PARK,
    "variableTermLimitExceeded": ErrorClass.PARK,
    "variableTermExpiredDailyExceeded": ErrorClass.PARK,
    "requiredAccessLevel": ErrorClass.PARK,
    "notACalendarUser": ErrorClass.PARK,
    "domainPolicy": ErrorClass.PARK,
    "insufficientPermissions": ErrorClass.AUTH,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": ErrorClass.AUTH,
    "insufficientAudience": ErrorClass.AUTH,
    "insufficientAuthorizedParty": ErrorClass.AUTH,
    "accessNotConfigured": ErrorClass.AUTH,
    "SERVICE_DISABLED": ErrorClass.AUTH,
    "CONSUMER_SUSPENDED": ErrorClass.AUTH,
    "CONSUMER_INVALID": ErrorClass.AUTH,
    "USER_PROJECT_DENIED": ErrorClass.AUTH,
    "BILLING_DISABLED": ErrorClass.AUTH,
    "accountDeleted": ErrorClass.AUTH,
    "accountDisabled": ErrorClass.AUTH,
    "accountSuspended": ErrorClass.AUTH,
    "accountUnverified": ErrorClass.AUTH,
    "ACCOUNT_STATE_INVALID": ErrorClass.AUTH,
    "domainCannotUseApis": ErrorClass.AUTH,
    "LOCATION_POLICY_VIOLATED": ErrorClass.AUTH,
    "SECURITY_POLICY_VIOLATED": ErrorClass.AUTH,
    "ORG_RESTRICTION_VIOLATION": ErrorClass.AUTH,
    "forbiddenForNonOrganizer": ErrorClass.PERMANENT,
    "conditionNotMet": ErrorClass.CONFLICT,
    "conflict": ErrorClass.CONFLICT,
    "deleted": ErrorClass.GONE,
}
_BY_STATUS = {
    401: ErrorClass.AUTH,
    404: ErrorClass.GONE,
    409: ErrorClass.CONFLICT,
    410: ErrorClass.GONE,
    412: ErrorClass.CONFLICT,
    429: ErrorClass.THROTTLED,
}


def raise_for_answer(answer: Answer, *, creating: str = "", calendar: bool = False) -> dict[str, Any]:
    """Gives the resource of a good answer; else raises what the answer means.

    Args:
        answer: what Google said.
        creating: our id, where the answer is to an insert.
        calendar: whether the request named a calendar but no event, so that nothing found means the calendar.
    """
    data = answer.json()
    if 200 <= answer.status < 300 and not data.keys().isdisjoint(("id", "items", "kind")):
        return data
    error = answer.error
    first = next((item for item in error.get("errors", ()) if isinstance(item, dict)), {})
    reason = _reason(answer)
    request_id = answer.headers.get("X-Goog-Request-Id", "")
    if creating and answer.status == 409:
        raise Taken(reason, event_id=creating, request_id=request_id)
    if answer.status == 400 and (field := _refused_form(first, error)):
        raise FormRefused(field, reason, request_id=request_id)
    error_class = _class_of(answer, reason, calendar=calendar or bool(creating))
    told = (reason, str(first.get("location", "")), _message(first, error))
    raise CalendarError(
        error_class,
        reason,
        request_id=request_id,
        field=refused_field(*told) if error_class is ErrorClass.PERMANENT else "",
        retry_after=answer.retry_after,
        unknown=answer.status >= 500 or answer.status < 400 or not error,
    )


def refuses_account(answer: Answer) -> bool:
    """Whether an answer speaks of the account, its credentials or its limits, and not of what was asked
    for.
    """
    if answer.status in (401, 429):
        return True
    return answer.status == 403 and _BY_REASON.get(_reason(answer)) in (ErrorClass.AUTH, ErrorClass.THROTTLED)


def refuses_rights(answer: Answer) -> bool:
    """Whether what is refused is what the token permits: a newer one may permit more."""
    return answer.status == 403 and _BY_REASON.get(_reason(answer)) is ErrorClass.AUTH


def is_ambiguous(answer: Answer) -> bool:
    """Whether it is the 403 without a reason with which Google also refuses to change a cancelled event."""
    return answer.status == 403 and _reason(answer) in ("forbidden", "status 403")


def _reason(answer: Answer) -> str:
    """The reason that we know, of those that the error and its details give; else the first."""
    error = answer.error
    listed = [*error.get("errors", ()), *error.get("details", ())]
    reasons = [str(item["reason"]) for item in listed if isinstance(item, dict) and item.get("reason")]
    known = (reason for reason in reasons if reason in _BY_REASON)
    return next(known, reasons[0] if reasons else f"status {answer.status}")


def _class_of(answer: Answer, reason: str, *, calendar: bool) -> ErrorClass:
    if answer.status >= 500 or answer.status < 400:
        return ErrorClass.TRANSIENT  # also a page of HTML with 200: something between us and Google spoke
    if not answer.error and answer.status not in UNMISTAKABLE:
        return ErrorClass.TRANSIENT  # the same with 404: it does not say that there is no event
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if answer.status == 403:
        # Of an event, without a reason, this may only mean that it is cancelled: `is_ambiguous`, to be looked
        # at. All else means this calendar, on whatever request: not the account, whose others may well be
        # writable.
        return ErrorClass.CONFLICT if is_ambiguous(answer) and not calendar else ErrorClass.PARK
    if answer.status == 404 and calendar:
        return ErrorClass.PARK  # the calendar is not there, or not shared with us any more
    return _BY_STATUS.get(answer.status, ErrorClass.PERMANENT)


def _refused_form(first: dict[str, Any], error: dict[str, Any]) -> str:
    """Which field Google takes only in another form; it tells by its message alone."""
    message = _message(first, error).lower()
    if "conference" in message:
        return "conference"
    if "time zone" in message or "timezone" in message:
        return "zone"
    return ""


def _message(first: dict[str, Any], error: dict[str, Any]) -> str:
    return str(first.get("message") or error.get("message") or "")
