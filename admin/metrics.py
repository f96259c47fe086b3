"""Prometheus metrics; every name begins with `sequence_sync_`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # the time of a counter's birth says nothing that anybody watches
REGISTRY = CollectorRegistry()

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)

RECEIVED = Counter(
    "sequence_sync_callbacks_received",
    "Callback requests by what they were answered",
    ["result"],
    registry=REGISTRY,
)
SIGNATURE_FAILURES = Counter(
    "sequence_sync_signature_failures",
    "Callback requests refused with 401, by reason",
    ["reason"],
    registry=REGISTRY,
)
ACCEPT_SECONDS = Histogram(
    "sequence_sync_accept_seconds", "Time to store one delivery in Redis", buckets=_FAST, registry=REGISTRY
)
WRITES = Counter(
    "sequence_sync_writes", "Writes by provider and outcome", ["provider", "outcome"], registry=REGISTRY
)
PROVIDER_SECONDS = Histogram(
    "sequence_sync_provider_seconds",
    "Time of one request to a provider",
    ["provider", "method", "status"],
    buckets=_SLOW,
    registry=REGISTRY,
)
REQUEUED = Counter(
    "sequence_sync_requeued",
    "Open parts that no job looked after any more and that were queued again",
    registry=REGISTRY,
)
ACCOUNTS_CLOSED = Gauge(
    "sequence_sync_accounts_closed",
    "Accounts, or mailboxes of an account, that are made to wait",
    ["account", "state"],
    registry=REGISTRY,
)
OPEN_PARTS = Gauge("sequence_sync_open_parts", "Parts with something still to write", registry=REGISTRY)
DEAD_LETTERS = Gauge("sequence_sync_dead_letters", "Dead letters", registry=REGISTRY)
QUEUE_JOBS = Gauge(
    "sequence_sync_queue_jobs", "Jobs in the queue, due, deferred or running", registry=REGISTRY
)
