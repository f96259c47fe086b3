"""Microsoft Graph's refusals. What every one of them repeats (ids, date) is added where it is answered."""

from sandbox.answers import Refused

FAILURES = {
    409: "ConcurrentItemSave",
    423: "ErrorItemLocked",
    500: "ErrorInternalServerError",
    502: "BadGateway",
    503: "serviceNotAvailable",
    504: "GatewayTimeout",
    507: "ErrorQuotaExceeded",
    509: "BandwidthLimitExceeded",
}


def refused(status: int, code: str, message: str) -> Refused:
    """A refusal with Graph's error code."""
    return Refused(status, {"error": {"code": code, "message": message}})


def unreadable(message: str) -> Refused:
    """400: the body is not JSON, or does not fit the type."""
    return refused(400, "RequestBodyRead", message)


def invalid(message: str, code: str = "ErrorInvalidRequest") -> Refused:
    """400: a request that makes no sense."""
    return refused(400, code, message)


def invalid_query(message: str) -> Refused:
    """400: a query option that Graph (or this look-alike) does not know."""
    return refused(400, "ErrorInvalidUrlQuery", message)


def zone_refused(name: object) -> Refused:
    """400: a time zone this mailbox server does not take."""
    return refused(
        400,
        "TimeZoneNotSupportedException",
        f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'.",
    )


def unauthorized() -> Refused:
    """401: no token, or one that is unknown or has expired."""
    return refused(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")


def denied() -> Refused:
    """403: not shared with this caller, or kept from the application by a policy."""
    return refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def item_not_found() -> Refused:
    """404: no such event or calendar, or no longer."""
    return refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def cannot_delete() -> Refused:
    """403: what is in Deleted Items already is not deleted once more."""
    return refused(403, "ErrorCannotDeleteObject", "Object cannot be deleted.")


def user_not_found(user: str) -> Refused:
    """404: no such user."""
    return refused(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")


def mailbox_unavailable() -> Refused:
    """404: the user has no mailbox in Exchange Online."""
    return refused(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )


def changed_meanwhile(status: int = 412, code: str | None = None) -> Refused:
    """412: the change key is not the present one."""
    return refused(
        status,
        code or ("ErrorIrresolvableConflict" if status == 412 else FAILURES[409]),
        "The send or update operation could not be performed because the change key passed in the request "
        "does not match the current change key for the item.",
    )


def duplicate_transaction(existing_id: str, status: int) -> Refused:
    """400 or 409: the transactionId was used for a different event, named in the error."""
    answer = refused(
        status,
        "ErrorDuplicateTransactionId",
        "Your request can't be completed. The TransactionId specified in the request has already been used "
        "to create a different event.",
    )
    answer.body["error"]["@event.existingEventId"] = existing_id
    return answer


def throttled() -> Refused:
    """429: over a limit. Retry-After is added by whoever knows it."""
    return refused(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")


def failed(status: int, code: str | None = None) -> Refused:
    """Any failure of the server, with the code Graph uses for that status."""
    return refused(
        status, code or FAILURES.get(status, "UnknownError"), "The request could not be completed."
    )
