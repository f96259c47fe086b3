"""Metrics that only the receiver has."""

from prometheus_client import Counter, Gauge, Histogram

from admin.metrics import FAST, REFUSED_EARLY, REGISTRY
from bookings.record import UNKNOWN_LINK, UNREADABLE
from config.settings import Settings

RECEIVED = Counter(
    "sequence_sync_callbacks_received",
    "Callback requests by what they were answered",
    ["result"],
    registry=REGISTRY,
)
QUARANTINED = Counter(
    "sequence_sync_callbacks_quarantined",
    "Signed callbacks that were kept as dead letters, by reason",
    ["reason"],
    registry=REGISTRY,
)
SIGNATURE_FAILURES = Counter(
    "sequence_sync_signature_failures",
    "Callback requests refused with 401, by reason",
    ["reason"],
    registry=REGISTRY,
)
ACCEPT_SECONDS = Histogram(
    "sequence_sync_accept_seconds", "Time to store one delivery in Redis", buckets=FAST, registry=REGISTRY
)
_QUEUE_LIMIT = Gauge(
    "sequence_sync_queue_limit",
    "With so many parts of an app open, its callbacks are answered 503 (its share of receiver.queue_limit)",
    registry=REGISTRY,
)
_DEAD_LETTERS_LIMIT = Gauge(
    "sequence_sync_dead_letters_limit",
    "With so many dead letters of an app, its callbacks are answered 503 (its share of "
    "receiver.dead_letters_limit)",
    registry=REGISTRY,
)

# From 0, since nobody can see a counter rise that begins with 1.
_TAKEN = ("accepted", "duplicate", "ignored", "quarantined")
_NOT_STORED = (
    "redis_unavailable",
    "queue_full",
    "dead_letters_full",
    "secret_unavailable",
    "draining",
    "failed",
)
_NOT_TAKEN = (
    "invalid_signature",
    "unknown_app",
    "content_encoding_not_accepted",
    "body_incomplete",
)
_NO_CALLBACK = ("refused", "not_found", *REFUSED_EARLY)
for _result in (*_TAKEN, *_NOT_STORED, *_NOT_TAKEN, *_NO_CALLBACK):
    RECEIVED.labels(_result)
for _reason in ("missing", "wrong"):
    SIGNATURE_FAILURES.labels(_reason)
for _reason in (UNREADABLE, UNKNOWN_LINK):
    QUARANTINED.labels(_reason)


def show_limits(settings: Settings) -> None:
    """Lets each app's share of the limits be seen beside what it limits."""
    _QUEUE_LIMIT.set(settings.share(settings.receiver.queue_limit))
    _DEAD_LETTERS_LIMIT.set(settings.share(settings.receiver.dead_letters_limit))
