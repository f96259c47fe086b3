"""Reads the periods of a query, and those in which somebody is available. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from scheduler.api.problems import Key
from scheduler.api.values import Value
from scheduler.query import Period

MOST_PERIODS = 50
LONGEST_QUERY = timedelta(days=35)
FURTHEST = timedelta(days=3660)
"""Ten years: nobody's calendar says anything of what is later."""
LATE = timedelta(minutes=1)
"""How long ago a start may be: clocks differ, and callers round `now` down to its minute."""


class PeriodReader:
    """Reads periods that start in the future, as seen from when the request came."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def read(self, value: Value, *, least: int = 1) -> tuple[Period, ...]:
        """The periods of a list. A start that has only just passed is now."""
        items = value.items(least, MOST_PERIODS)
        found = [self._period(item) for item in items]
        periods = [period for period in found if period is not None]
        latest = min((period.start for period in periods), default=0) + LONGEST_QUERY.total_seconds()
        for item, period in zip(items, found, strict=True):
            if period is not None and period.end > latest and (whole := item.object()):
                whole["end"].wrong(Key.INVALID, "must be within 35 days of the earliest start")
        return tuple(periods)

    def _period(self, value: Value) -> Period | None:
        period = value.object()
        if period is None:
            return None
        start, end = period["start"].time(round_up=True), period["end"].time()
        sound = True
        if start is not None and not self._now - LATE < start < self._now + FURTHEST:
            words = "in the future" if start < self._now else "within ten years"
            period["start"].wrong(Key.INVALID, f"must be {words}")
            sound = False
        if start is not None and end is not None and end - start < timedelta(minutes=1):
            period["end"].wrong(Key.INVALID, "must be at least 1 minute after the start")
            sound = False
        if start is None or end is None or not sound:
            return None
        return Period(math.ceil(max(start, self._now).timestamp()), math.floor(end.timestamp()))


def overlap(some: Sequence[Period], others: Sequence[Period]) -> tuple[Period, ...]:
    """The periods that lie in both."""
    pairs = (Period(max(one.start, other.start), min(one.end, other.end)) for one in some for other in others)
    return tuple(period for period in pairs if period.start < period.end)
