"""What every log line and every span tells of a booking's way: its delivery, part, write and request."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars
from yarl import URL

from admin.tracing import Facts, Kind, Span, span
from bookings.leases import Claim
from bookings.record import Write
from workers.errors import CalendarError


@contextmanager
def part_trail(claim: Claim) -> Iterator[None]:
    """One revision of a part, on its way into its calendars.

    The first attempt goes on with the trace of the delivery. Each later one (a retry, a replay, what the
    reconciler found) may come a day after it: it begins a trace of its own, with a link to the delivery's.
    """
    facts: dict[str, str | int] = {
        "delivery": claim.delivery,
        "app": claim.app,
        "booking": claim.booking,
        "part": claim.part,
        "revision": claim.revision,
    }
    parent, link = (claim.trace, "") if claim.is_first else ("", claim.trace)
    with (
        bound_contextvars(**facts),
        span("sync part", Kind.CONSUMER, _ours(facts), parent=parent, link=link),
    ):
        yield


@contextmanager
def write_trail(write: Write, account: str) -> Iterator[Span]:
    """One attempt at a write."""
    assert write.address is not None  # only the unrouted write has none, and nothing is done for it
    facts: dict[str, str | int] = {
        "write": write.id,
        "calendar": write.calendar,
        "account": account,
        "provider": write.address.provider,
    }
    with bound_contextvars(**facts), span("write", facts=_ours(facts)) as attempt:
        yield attempt


@contextmanager
def request_trail(method: str, url: str) -> Iterator[Span]:
    """One request to a provider. Its path stays out of it: that names mailboxes and events."""
    facts = {"http.request.method": method, "server.address": URL(url, encoded=True).host or ""}
    with span(method, Kind.CLIENT, facts) as request:
        try:
            yield request
        except CalendarError as error:
            request.fail(error.code)
            raise


def _ours(facts: Facts) -> Facts:
    return {f"sequence_sync.{name}": value for name, value in facts.items()}
