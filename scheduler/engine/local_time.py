"""Days, weeks and clocks of time zones, in Unix minutes. A day may have 23, 23.5, 24.5 or 25 hours."""

from datetime import datetime, timedelta, tzinfo

from scheduler.engine.frame import Frame
from scheduler.engine.minutes import every_so_many

_DAY = 1440
_WEEK = 7 * _DAY
_MONDAY = 4 * _DAY
"""1970-01-05, the first Monday."""


def day_bounds(zone: tzinfo, first: int, last: int) -> list[int]:
    """Where the days of a zone begin, so that each minute from `first` up to `last` is between two of them.

    A midnight that the clock leaps over is the moment of the leap.
    """
    day = _local(zone, first).date()
    bounds = [_begins(zone, day.year, day.month, day.day)]
    while bounds[-1] < last:
        day += timedelta(days=1)
        bounds.append(_begins(zone, day.year, day.month, day.day))
    return bounds


def week_bounds(first: int, last: int) -> list[int]:
    """The same of weeks, which begin on Mondays in UTC."""
    begin = first - (first - _MONDAY) % _WEEK
    return list(range(begin, last + _WEEK, _WEEK))


def on_grid(zone: tzinfo, interval: int, frame: Frame) -> int:
    """The minutes of the frame at which the zone's clock shows a multiple of `interval`, a divisor of 60."""
    minutes, begin = 0, frame.first
    grid = every_so_many(interval, frame.width + interval)
    while begin < frame.last:
        offset, change = _offset(zone, begin), _next_change(zone, begin, frame.last)
        until_change = (1 << frame.number(change)) - (1 << frame.number(begin))
        minutes |= grid >> offset % interval & until_change  # numbers show the minute of the hour
        begin = change
    return minutes & frame.every


def _next_change(zone: tzinfo, begin: int, end: int) -> int:
    """The first minute after `begin` with another offset from UTC, or `end`; offsets last for days."""
    offset, before = _offset(zone, begin), begin
    while before < end:
        after = min(before + _DAY, end)
        if _offset(zone, after) != offset:
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
            return after
        before = after
    return end


def _local(zone: tzinfo, minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, zone)


def _offset(zone: tzinfo, minute: int) -> int:
    offset = _local(zone, minute).utcoffset()
    assert offset is not None
    return offset // timedelta(minutes=1)


def _begins(zone: tzinfo, year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=zone).timestamp()) // 60
