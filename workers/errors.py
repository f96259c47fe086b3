"""What can go wrong at a provider, as classes: whoever writes decides by them, never by HTTP statuses."""

from enum import StrEnum


class ErrorClass(StrEnum):
    """What a failure calls for."""

    TRANSIENT = "transient"
    """Try again, later and later."""
    THROTTLED = "throttled"
    """The account is asked to wait."""
    PARK = "park"
    """Nothing will change for hours: a quota, a licence, a calendar that is not there."""
    AUTH = "auth"
    """The account's credentials are refused."""
    GONE = "gone"
    """The event is not there any more."""
    CONFLICT = "conflict"
    """Somebody else changed the event in between, or the id is taken."""
    PERMANENT = "permanent"
    """The same request can never succeed."""


class CalendarError(Exception):
    """A provider did not do what it was asked.

    Args:
        error_class: what the failure calls for.
        code: the provider's own code or reason; never text of a meeting.
        request_id: what the provider calls the request, for its support.
        retry_after: how many seconds the provider asked to wait.
        unknown: whether the request may have been carried out all the same.
        whole_account: whether it concerns all that the account does, and not one mailbox.
        field: the booking's field that was refused, where the provider tells.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        code: str,
        *,
        request_id: str = "",
        retry_after: float | None = None,
        unknown: bool = False,
        whole_account: bool = False,
        field: str = "",
    ) -> None:
        super().__init__(f"{error_class}: {code}")
        self.error_class = error_class
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.unknown = unknown
        self.whole_account = whole_account
        self.field = field

    @property
    def detail(self) -> str:
        """What went wrong, for the operator."""
        return f"{self.field}: refused by the provider ({self.code})" if self.field else self.code


class Taken(CalendarError):
    """A create found its id taken; `event_id` names the event that has it, where the provider tells."""

    def __init__(self, code: str, *, event_id: str = "", request_id: str = "") -> None:
        super().__init__(ErrorClass.CONFLICT, code, request_id=request_id)
        self.event_id = event_id


class AccountWaits(CalendarError):
    """Nothing was asked: the account's clock says to wait until `until` (Unix ms).

    Or the account is only `busy`, and its next turn is another one's.
    """

    def __init__(self, reason: str, *, until: int, parked: bool = False, busy: bool = False) -> None:
        super().__init__(ErrorClass.AUTH if parked else ErrorClass.THROTTLED, reason)
        self.until = until
        self.parked = parked
        self.busy = busy


class FormRefused(CalendarError):
    """The provider refuses one form of a field for which there is another: `zone` or `conference`."""

    def __init__(self, field: str, code: str, *, request_id: str = "") -> None:
        super().__init__(ErrorClass.PERMANENT, code, request_id=request_id, field=field)
