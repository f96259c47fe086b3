"""Graph's error answers as error classes. The code decides, walked down into `innerError`. Pure."""

from collections.abc import Iterator
from typing import Any

from workers.calendars.http import UNMISTAKABLE, Answer
from workers.calendars.refused import refused_field
from workers.errors import CalendarError, ErrorClass, FormRefused, Taken

_BY_CODE = {
    "ApplicationThrottled": ErrorClass.THROTTLED,
    "activityLimitReached": ErrorClass.THROTTLED,
    "TooManyRequests": ErrorClass.THROTTLED,
    "ErrorExceededConnectionCount": ErrorClass.THROTTLED,
    "ErrorTooManyObjectsOpened": ErrorClass.THROTTLED,
    "ErrorServerBusy": ErrorClass.TRANSIENT,
    "ErrorInternalServerTransientError": ErrorClass.TRANSIENT,
    "ErrorMailboxStoreUnavailable": ErrorClass.TRANSIENT,
    "ErrorMailboxMoveInProgress": ErrorClass.TRANSIENT,
    "ErrorMailboxFailover": ErrorClass.TRANSIENT,
    "ErrorQuotaExceeded": ErrorClass.PARK,
    "MailboxNotEnabledForRESTAPI": ErrorClass.PARK,
    "MailboxNotSupportedForRESTAPI": ErrorClass.PARK,
    "ErrorNonExistentMailbox": ErrorClass.PARK,
    "ErrorMailboxNotFound": ErrorClass.PARK,
    "ErrorInvalidUser": ErrorClass.PARK,
    "Request_ResourceNotFound": ErrorClass.PARK,
    "InvalidAuthenticationToken": ErrorClass.AUTH,
    "Authorization_RequestDenied": ErrorClass.AUTH,
    "Authorization_IdentityNotFound": ErrorClass.AUTH,
    "Authorization_IdentityDisabled": ErrorClass.AUTH,
    "NoPermissionsInAccessToken": ErrorClass.AUTH,
    "AuthenticationError": ErrorClass.AUTH,
    "InvalidAuthenticationTokenAudience": ErrorClass.AUTH,
    "ErrorInsufficientPermissionsInAccessToken": ErrorClass.AUTH,
    "ErrorAccountDisabled": ErrorClass.AUTH,
    "insufficient_claims": ErrorClass.AUTH,
    "ErrorItemNotFound": ErrorClass.GONE,
    "ErrorIrresolvableConflict": ErrorClass.CONFLICT,
    "ConcurrentItemSave": ErrorClass.CONFLICT,
}
# ErrorAccessDenied says the same of one calendar, which may not be shared yet, as of a whole mailbox: what is
# refused waits, and nothing beside it. Should it be the mailbox, each write finds out for itself, twice an
# hour at most.
_BY_STATUS = {
    401: ErrorClass.AUTH,
    403: ErrorClass.PARK,
    404: ErrorClass.PARK,
    409: ErrorClass.CONFLICT,
    410: ErrorClass.GONE,
    412: ErrorClass.CONFLICT,
    423: ErrorClass.TRANSIENT,
    429: ErrorClass.THROTTLED,
    507: ErrorClass.PARK,
}


def raise_for_answer(answer: Answer, *, calendar: bool = False) -> dict[str, Any]:
    """Gives the resource of a good answer; else raises what the answer means.

    Args:
        answer: what Graph said.
        calendar: whether the request named a calendar but no event, so that nothing found means the calendar.
    """
    data = answer.json()
    if 200 <= answer.status < 300 and ("id" in data or "value" in data):
        return data
    error = answer.error
    codes = list(_codes(error))
    code = next(
        (each for each in codes if each in _BY_CODE), codes[0] if codes else f"status {answer.status}"
    )
    request_id = answer.headers.get("request-id", "")
    if "ErrorDuplicateTransactionId" in codes:
        raise Taken(
            "ErrorDuplicateTransactionId",
            event_id=str(error.get("@event.existingEventId", "")),
            request_id=request_id,
        )
    if "TimeZoneNotSupportedException" in codes:
        raise FormRefused("zone", "TimeZoneNotSupportedException", request_id=request_id)
    known = _BY_CODE.get(code)
    if calendar and known is ErrorClass.GONE:
        known = ErrorClass.PARK  # the calendar is not there: never another one
    error_class = known or _by_status(answer)
    told = (*codes, str(error.get("target", "")), str(error.get("message", "")))
    raise CalendarError(
        error_class,
        code,
        request_id=request_id,
        field=refused_field(*told) if error_class is ErrorClass.PERMANENT else "",
        retry_after=answer.retry_after,
        unknown=answer.status >= 500 or answer.status < 400 or not error,
    )


def refuses_account(answer: Answer) -> bool:
    """Whether an answer speaks of the account or its mailbox, and not of what was asked for."""
    if answer.status in (401, 429):
        return True
    codes = _codes(answer.error)
    return answer.status == 403 and any(_BY_CODE.get(code) is ErrorClass.AUTH for code in codes)


def refuses_rights(answer: Answer) -> bool:
    """Whether what is refused may be what the token permits: a newer one may permit more.

    `ErrorAccessDenied` says so, too, where the permission was granted only after the token was issued.
    """
    codes = set(_codes(answer.error))
    return answer.status == 403 and ("ErrorAccessDenied" in codes or refuses_account(answer))


def _by_status(answer: Answer) -> ErrorClass:
    if not answer.error and answer.status not in UNMISTAKABLE:
        return ErrorClass.TRANSIENT  # a page of HTML, with 200 or 404: something between us and Graph spoke
    if answer.status in _BY_STATUS:
        return _BY_STATUS[answer.status]
    if answer.status >= 500 or answer.status < 400:
        return ErrorClass.TRANSIENT
    return ErrorClass.PERMANENT


def _codes(error: dict[str, Any]) -> Iterator[str]:
    """The error's own code, then those of its inner errors."""
    inner: Any = error
    while isinstance(inner, dict):
        if isinstance(inner.get("code"), str):
            yield inner["code"]
        inner = inner.get("innerError", inner.get("innererror"))
