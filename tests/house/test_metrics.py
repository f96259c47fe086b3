"""docs/metrics.md lists every metric as it is: its name, type, labels and meaning, and which process has it."""

import re
from collections.abc import Iterator
from types import ModuleType

from prometheus_client import CollectorRegistry, GCCollector, Metric, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

import admin.metrics
import receiver.metrics
import scheduler.metrics
import workers.metrics
from admin.figures import Figures, RedisPage
from bookings.accounts import ClosedAccount
from bookings.delayed import Delayed
from bookings.reader import Counts, Held
from bookings.record import WriteState
from tests.house.project import ROOT

PAGE = (ROOT / "docs" / "metrics.md").read_text()
COUNTS: Counts = {
    "bookings": 1,
    "open": 1,
    "dead": 1,
    "queue": 2,
    "ready": 1,
    "deferred": 1,
    "oldest_ready_ms": 1,
    "of_apps": {"hiring": Held(1, 1)},
}
DELAYED = Delayed("w", "google", "interviews", WriteState.PARKED, count=1, since=1, why="notFound")
CLOSED = ClosedAccount("google-hr", "parked", "invalid_grant", since=1, until=2, waiting=1)
PROCESSES = {
    admin.metrics: "both",
    receiver.metrics: "receiver",
    workers.metrics: "worker",
    scheduler.metrics: "api",
}

Row = tuple[str, str, tuple[str, ...], str, str]


def row(metric: Metric, labels: tuple[str, ...], process: str) -> Row:
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    return name, metric.type, labels, metric.documentation, process


def of_module(module: ModuleType, process: str) -> Iterator[Row]:
    for value in vars(module).values():
        if isinstance(value, MetricWrapperBase):
            for metric in value.describe():
                yield row(metric, value._labelnames, process)  # noqa: SLF001 - told nowhere else


def of_redis() -> Iterator[Row]:
    for metric in RedisPage(Figures(COUNTS, (CLOSED,), (DELAYED,)), safe=True).collect():
        yield row(metric, tuple(metric.samples[0].labels), "both")


def of_python() -> Iterator[Row]:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    for metric in registry.collect():
        yield row(metric, tuple(metric.samples[0].labels), "both")


def listed() -> list[Row]:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| (.+) \| (\w+) \|$", PAGE, re.MULTILINE)
    return [
        (name, kind, tuple(re.findall(r"`(\w+)`", labels)), meaning, process)
        for name, kind, labels, meaning, process in rows
    ]


def test_the_page_lists_every_metric_and_nothing_else() -> None:
    ours = [row for module, process in PROCESSES.items() for row in of_module(module, process)]
    assert sorted(listed()) == sorted([*ours, *of_redis(), *of_python()])


def test_the_page_names_every_kind_of_alarm() -> None:
    for kind in workers.metrics.Alarm:
        assert f"`{kind}`" in PAGE
