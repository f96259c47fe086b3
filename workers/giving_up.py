"""What a dead letter says of a write that waited for too long. Pure."""

from bookings.clock import moment
from bookings.record import Write
from workers.backoff import Policy
from workers.errors import CalendarError, ErrorClass


def waited_too_long(write: Write, now: int, policy: Policy) -> bool:
    """Whether nothing has come of a write for all of `worker.retry_for`."""
    return write.failing_since > 0 and now - write.failing_since >= policy.retry_for * 1000


def what_was_waited_for(write: Write, error: CalendarError, account: str) -> str:
    """What it waited for, since when, and what to do; `account` is our name of the calendar's account.

    A parked write waits for its calendar, any other for its account.
    """
    parked = error.error_class is ErrorClass.PARK
    what = f"calendar {write.calendar}" if parked or not account else f"account {account}"
    since = moment(write.failing_since) if write.failing_since else "just now"
    throttled = error.error_class is ErrorClass.THROTTLED
    remedy = "its provider throttles it less" if throttled else "`sequence-sync check` finds it well"
    return f"{error.detail}: waited for {what} since {since}; replay once {remedy}"
