"""Metrics that only the API has."""

from prometheus_client import Counter, Histogram

from admin.metrics import REGISTRY, SLOW

API_SECONDS = Histogram(
    "sequence_sync_api_seconds",
    "Time to answer one request to the API, by path and status",
    ["path", "status"],
    buckets=SLOW,
    registry=REGISTRY,
)
CALENDARS_UNREADABLE = Counter(
    "sequence_sync_calendars_unreadable",
    "Calendars that a query could not read: their people counted as not available",
    ["calendar"],
    registry=REGISTRY,
)
AVAILABILITY_INCOMPLETE = Counter(
    "sequence_sync_availability_incomplete",
    "Availability queries that took too long and were answered in part, with X-Incomplete",
    ["app"],
    registry=REGISTRY,
)
