"""What only Redis knows, as metrics of one scrape.

Nothing of it outlives its page: while Redis is away these metrics are absent, and no old figure looks fresh.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bookings.accounts import Accounts, ClosedAccount
from bookings.clock import now_ms
from bookings.delayed import Delayed, counted
from bookings.patience import in_time
from bookings.reader import Counts
from bookings.refusals import named
from bookings.store import Store

T = TypeVar("T")

_log = structlog.get_logger()


class Figures(msgspec.Struct, frozen=True):
    """How much there is of what, and who waits; None is what could not be told just now."""

    counts: Counts | None
    closed: Sequence[ClosedAccount] | None
    delayed: Sequence[Delayed] | None


async def figures(store: Store, *, within_s: float) -> Figures:
    """Asks Redis. One look that fails, whatever it is, takes none of the others with it."""
    counts, closed, delayed = await asyncio.gather(
        _looked("counts", store.counts(), within_s),
        _looked("accounts", Accounts(store).closed(), within_s),
        _looked("delayed", counted(store), within_s),
    )
    return Figures(counts, closed, delayed)


async def _looked(what: str, look: Coroutine[Any, Any, T], within_s: float) -> T | None:
    try:
        return await in_time(look, within_s=within_s)
    except (RedisConnectionError, RedisTimeoutError, OSError):  # which the pulse tells of
        return None
    except Exception as error:  # noqa: BLE001 - the others are wanted all the more then
        _log.warning("figures_missing", figures=what, error=named(error))
        return None


class RedisPage(Collector):
    """The metrics of what Redis said just now.

    Args:
        figures: what it counted.
        safe: whether it keeps everything; None where it does not say.
    """

    def __init__(self, figures: Figures, *, safe: bool | None) -> None:
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
        if self._figures.counts is not None:
            yield from _of_counts(self._figures.counts)
        if self._figures.closed is not None:
            yield _of_closed(self._figures.closed)
        if self._figures.delayed is not None:
            yield from _of_delayed(self._figures.delayed, now_ms())


def _of_counts(counts: Counts) -> Iterator[Metric]:
    yield GaugeMetricFamily("sequence_sync_stored_bookings", "Bookings on record", counts["bookings"])
    yield GaugeMetricFamily("sequence_sync_open_parts", "Parts with something still to write", counts["open"])
    yield GaugeMetricFamily("sequence_sync_dead_letters", "Dead letters", counts["dead"])
    opened = GaugeMetricFamily(
        "sequence_sync_app_open_parts", "Parts of an app with something still to write", labels=["app"]
    )
    dead = GaugeMetricFamily("sequence_sync_app_dead_letters", "Dead letters of an app", labels=["app"])
    for app, held in counts["of_apps"].items():
        opened.add_metric([app], held.open)
        dead.add_metric([app], held.dead)
    yield opened
    yield dead
    jobs = GaugeMetricFamily(
        "sequence_sync_queue_jobs",
        "Parts that wait: ready to be taken, or deferred (due later, or in the line of a lane)",
        labels=["state"],
    )
    jobs.add_metric(["ready"], counts["ready"])
    jobs.add_metric(["deferred"], counts["deferred"])
    yield jobs
    yield GaugeMetricFamily(
        "sequence_sync_queue_oldest_seconds",
        "How long the oldest ready part has waited; 0 where none is ready",
        counts["oldest_ready_ms"] / 1000,
    )


def _of_closed(closed: Sequence[ClosedAccount]) -> Metric:
    waiting = GaugeMetricFamily(
        "sequence_sync_accounts_closed",
        "Accounts, or mailboxes of an account, that are made to wait",
        labels=["account", "state"],
    )
    for (account, state), count in Counter((each.account, each.state) for each in closed).items():
        waiting.add_metric([account, state], count)
    return waiting


def _of_delayed(delayed: Sequence[Delayed], now: int) -> Iterator[Metric]:
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
