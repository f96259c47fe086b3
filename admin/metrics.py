"""Prometheus metrics of every process; every name of ours begins with `sequence_sync_`.

What only one kind of process knows is in `receiver.metrics` and `workers.metrics`, and what only Redis knows
in `admin.figures`: a process shows nothing that it does not have. `docs/metrics.md` lists them all.
"""

from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # the time of a counter's birth says nothing that anybody watches
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Buckets, in seconds, for what takes milliseconds."""
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
"""Buckets, in seconds, for what others do for us."""

READY = Gauge("sequence_sync_ready", "Whether /readyz says ok (1) or not (0)", registry=REGISTRY)
REDIS_UP = Gauge(
    "sequence_sync_redis_up",
    "Whether the last PING was answered within its second (1) or not (0)",
    registry=REGISTRY,
)
REDIS_SECONDS = Histogram(
    "sequence_sync_redis_seconds",
    "Round trip of a PING, once a second",
    buckets=FAST,
    registry=REGISTRY,
)
REDIS_CLOCK = Gauge(
    "sequence_sync_redis_clock_ahead_seconds",
    "How far Redis' clock is ahead of this process' own; less than 0: behind",
    registry=REGISTRY,
)
REDIS_ERRORS = Counter(
    "sequence_sync_redis_errors",
    "Commands to Redis that failed: PINGs, polls, rounds of the reconciler, deliveries that were not stored",
    registry=REGISTRY,
)
LOOP_LAG = Histogram(
    "sequence_sync_loop_lag_seconds",
    "How late the event loop woke a timer, twice a second",
    buckets=FAST,
    registry=REGISTRY,
)
PORT_REFUSALS = Counter(
    "sequence_sync_port_refusals",
    "Requests and connections that the API or the admin port refused before they were looked at",
    ["port", "reason"],
    registry=REGISTRY,
)
REFUSED_EARLY = (
    "malformed",
    "head_too_slow",
    "head_too_large",
    "body_too_slow",
    "body_too_large",
    "body_in_too_many_chunks",
    "transfer_encoding_not_accepted",
    "answer_not_read",
    "too_many_connections",
    "too_much_at_once",
)
"""What a port says to a peer before anything of a request is looked at."""
for _port in ("admin", "api"):
    for _reason in REFUSED_EARLY:
        PORT_REFUSALS.labels(_port, _reason)
CONFIG_INFO = Gauge(
    "sequence_sync_config_info",
    "1, with the digest of the configuration that was read last and could be used",
    ["digest"],
    registry=REGISTRY,
)
CONFIG_TAKEN_UP = Gauge(
    "sequence_sync_config_taken_up",
    "Whether the configuration was taken up when it was last read (1) or refused (0)",
    registry=REGISTRY,
)
_BUILD = Gauge("sequence_sync_build_info", "1, with the version that runs", ["version"], registry=REGISTRY)
_BUILD.labels(version("sequence-sync")).set(1)
