"""Metrics that only workers have."""

from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

from admin.metrics import REGISTRY, SLOW
from workers.errors import ErrorClass


class Alarm(StrEnum):
    """What should never happen, and is put right when it does."""

    DUPLICATE_EVENT_REMOVED = "duplicate_event_removed"
    FOREIGN_EVENT_UNDER_OUR_ID = "foreign_event_under_our_id"
    KEY_MISSING = "key_missing"
    LEASE_LOST = "lease_lost"
    RECORD_BEHIND = "record_behind"
    WRITE_CRASHED = "write_crashed"


WRITES = Counter(
    "sequence_sync_writes",
    "Attempts at writes by provider and outcome",
    ["provider", "outcome"],
    registry=REGISTRY,
)
FAILURES = Counter(
    "sequence_sync_failures",
    "Attempts at writes that failed, by provider and what the failure calls for",
    ["provider", "error_class"],
    registry=REGISTRY,
)
PROVIDER_SECONDS = Histogram(
    "sequence_sync_provider_seconds",
    "Time of one request to a provider",
    ["provider", "method", "status"],
    buckets=SLOW,
    registry=REGISTRY,
)
THROTTLED = Counter(
    "sequence_sync_provider_throttled",
    "Answers of a provider that say: slower",
    ["provider"],
    registry=REGISTRY,
)
ALARMS = Counter(
    "sequence_sync_alarms",
    "What should never happen, and was put right; the log has a line of the same name",
    ["kind"],
    registry=REGISTRY,
)
COPIES = Counter(
    "sequence_sync_copies",
    "Looks at a calendar that found copies of our events, made by people: they are left alone",
    registry=REGISTRY,
)
REQUEUED = Counter(
    "sequence_sync_requeued",
    "Open parts that no job looked after any more and that were queued again",
    registry=REGISTRY,
)
JOBS_RUNNING = Gauge("sequence_sync_jobs_running", "Jobs that this worker has under way", registry=REGISTRY)

_CHANGES = ("created", "updated", "removed")
_OF_CALENDARS = (*_CHANGES, "unchanged", "superseded", "deleted_by_person", "retrying", "parked", "dead")
_OUTCOMES = {
    "google": _OF_CALENDARS,
    "microsoft": _OF_CALENDARS,
    "forward": ("forwarded", "retrying", "dead"),
}

# From 0, since nobody can see a counter rise that begins with 1.
for _kind in Alarm:
    ALARMS.labels(_kind)
for _provider, _outcomes in _OUTCOMES.items():
    for _outcome in _outcomes:
        WRITES.labels(_provider, _outcome)
    for _class in ErrorClass:
        FAILURES.labels(_provider, _class)
for _provider in ("google", "microsoft"):
    THROTTLED.labels(_provider)


def events_written() -> int:
    """How many events this process has created, updated or removed."""
    samples = (sample for metric in WRITES.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.labels["outcome"] in _CHANGES))
