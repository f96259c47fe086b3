"""What only Redis knows, as metrics of one scrape.

Nothing of it outlives its page: while Redis is away these metrics are absent, and no old figure looks fresh.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bookings.accounts import Accounts, ClosedAccount
from bookings.clock import now_ms
from bookings.delayed import Delayed, counted
from bookings.reader import Counts
from bookings.store import Store


class Figures(msgspec.Struct, frozen=True):
    """How much there is of what, and who waits."""

    counts: Counts
    closed: tuple[ClosedAccount, ...]
    delayed: tuple[Delayed, ...] = ()


async def figures(store: Store) -> Figures:
    """Asks Redis. Raises `redis.RedisError` or `OSError`."""
    counts, closed = await store.counts(), await Accounts(store).closed()
    return Figures(counts, tuple(closed), tuple(await counted(store)))


class RedisPage(Collector):
    """The metrics of what Redis said just now.

    Args:
        figures: what it counted; None where it did not answer.
        safe: whether it keeps everything; None where it does not say.
    """

    def __init__(self, figures: Figures | None, *, safe: bool | None) -> None:
        self._figures = figures
        self._safe = safe

    def collect(self) -> Iterator[Metric]:
        """Gives them."""
        if self._safe is not None:
            yield GaugeMetricFamily(
                "sequence_sync_redis_safe",
                "Whether Redis keeps everything (1) or not (0): writable, noeviction, append-only file on",
                self._safe,
            )
        if self._figures is not None:
            yield from _of_counts(self._figures.counts)
            yield _of_closed(self._figures.closed)
            yield from _of_delayed(self._figures.delayed, now_ms())


def _of_counts(counts: Counts) -> Iterator[Metric]:
    yield GaugeMetricFamily("sequence_sync_stored_bookings", "Bookings on record", counts["bookings"])
    yield GaugeMetricFamily("sequence_sync_open_parts", "Parts with something still to write", counts["open"])
    yield GaugeMetricFamily("sequence_sync_dead_letters", "Dead letters", counts["dead"])
    jobs = GaugeMetricFamily(
        "sequence_sync_queue_jobs", "Jobs in the queue: ready to be taken, or deferred", labels=["state"]
    )
    jobs.add_metric(["ready"], counts["ready"])
    jobs.add_metric(["deferred"], counts["deferred"])
    yield jobs
    yield GaugeMetricFamily(
        "sequence_sync_queue_oldest_seconds",
        "How long the oldest ready job has waited; 0 where none is ready",
        counts["oldest_ready_ms"] / 1000,
    )


def _of_closed(closed: tuple[ClosedAccount, ...]) -> Metric:
    waiting = GaugeMetricFamily(
        "sequence_sync_accounts_closed",
        "Accounts, or mailboxes of an account, that are made to wait",
        labels=["account", "state"],
    )
    for (account, state), count in Counter((each.account, each.state) for each in closed).items():
        waiting.add_metric([account, state], count)
    return waiting


def _of_delayed(delayed: tuple[Delayed, ...], now: int) -> Iterator[Metric]:
    labels = ["provider", "calendar", "state"]
    writes = GaugeMetricFamily(
        "sequence_sync_delayed_writes", "Writes that are parked or retrying, by calendar", labels=labels
    )
    oldest = GaugeMetricFamily(
        "sequence_sync_delayed_oldest_seconds",
        "How long the oldest of them has been parked or retrying",
        labels=labels,
    )
    of_place: dict[tuple[str, str, str], tuple[int, int]] = {}
    for each in delayed:  # two calendars may have had one name
        place = (each.provider, each.calendar, str(each.state))
        count, since = of_place.get(place, (0, now))
        of_place[place] = count + each.count, min(since, each.since)
    for place, (count, since) in of_place.items():
        writes.add_metric(place, count)
        oldest.add_metric(place, (now - since) / 1000)
    yield writes
    yield oldest
