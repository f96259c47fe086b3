"""What happened: the newest requests, counters, and the mails that would have gone out."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

import msgspec

MAX_REQUESTS = 2000
MAX_NOTIFICATIONS = 10_000
SECRET_HEADERS = frozenset({"authorization", "cookie"})
DROPPED = 0
"""The status noted for a request whose connection was cut instead of answered."""


class RequestRecord(msgspec.Struct, frozen=True):
    """One request to a look-alike. `time` is in Unix seconds; a token request's body is never kept."""

    time: float
    provider: str
    method: str
    path: str
    query: str
    status: int
    headers: dict[str, str]
    body: bytes | None
    faults: list[str]

    def shown(self) -> dict[str, Any]:
        """The record with its body as JSON where it is JSON."""
        return {**msgspec.structs.asdict(self), "body": _readable(self.body)}


class Notification(msgspec.Struct, frozen=True):
    """A mail that the vendor would have sent to an event's attendees."""

    provider: str
    calendar: str
    event_id: str
    kind: str
    recipients: list[str]


class Journal:
    """Everything that inspection and the page show about traffic. Bounded, so that it never fills memory."""

    def __init__(self) -> None:
        self.requests: deque[RequestRecord] = deque(maxlen=MAX_REQUESTS)
        self.notifications: deque[Notification] = deque(maxlen=MAX_NOTIFICATIONS)
        self.answered: Counter[tuple[str, str, int]] = Counter()
        self.concurrency_violations = 0
        self.peak_concurrency = 0

    def add(self, record: RequestRecord) -> None:
        """Note a finished request."""
        self.requests.append(record)
        self.answered[record.provider, record.method, record.status] += 1

    def notify(self, notification: Notification) -> None:
        """Note a mail, unless nobody would get it."""
        if notification.recipients:
            self.notifications.append(notification)

    def counters(self) -> dict[str, Any]:
        """Totals since the start or the last reset."""
        answered = [
            {"provider": provider, "method": method, "status": status, "count": count}
            for (provider, method, status), count in sorted(self.answered.items())
        ]
        return {
            "requests": answered,
            "total": self.answered.total(),
            "concurrency_violations": self.concurrency_violations,
            "peak_concurrency": self.peak_concurrency,
            "notifications": len(self.notifications),
        }


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those that carry a credential."""
    return {name: value for name, value in headers.items() if name.lower() not in SECRET_HEADERS}


def _readable(body: bytes | None) -> Any:
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace")
