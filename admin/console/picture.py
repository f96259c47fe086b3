"""The last day as a picture: how much was written, and how long the queue made wait. Pure.

The picture is bars in a box of 96 by 100, which the page stretches; its text and its table say the same.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from bookings.clock import moment
from bookings.history import DAY_MS, Sample

HEIGHT = 100
_BAR_MS = 15 * 60_000
_HOUR_MS = 3_600_000


class Span(msgspec.Struct, frozen=True):
    """What the samples of some time say; None where there is none of them."""

    start: int
    """Unix milliseconds."""
    written: int | None
    oldest_ms: int | None
    open: int | None
    dead: int | None


class Bar(msgspec.Struct, frozen=True):
    """One bar: where it stands, and how high it is."""

    x: int
    height: float


class Picture(msgspec.Struct, frozen=True):
    """One row of bars and what it says in words."""

    bars: tuple[Bar, ...]
    gaps: tuple[int, ...]
    """Where there are no samples."""
    most: int
    words: str


def spans(samples: Sequence[Sample], now: int, *, length_ms: int) -> list[Span]:
    """The last day in equal spans, oldest first; they begin on the clock's own marks."""
    last = now - now % length_ms
    first = last - DAY_MS + length_ms
    found: dict[int, list[Sample]] = {start: [] for start in range(first, last + length_ms, length_ms)}
    for each in samples:
        found.get(each.at - each.at % length_ms, []).append(each)
    written = _written(samples, length_ms)
    return [_span(start, each, written.get(start, 0)) for start, each in found.items()]


def quarters(samples: Sequence[Sample], now: int) -> list[Span]:
    """The last day in quarters of an hour."""
    return spans(samples, now, length_ms=_BAR_MS)


def hours(samples: Sequence[Sample], now: int) -> list[Span]:
    """The last day in hours."""
    return spans(samples, now, length_ms=_HOUR_MS)


def written_picture(found: Sequence[Span]) -> Picture:
    """How many events were written."""
    values = [each.written for each in found]
    bars, gaps, most = _bars(values)
    at = next((each.start for each in found if most and each.written == most), 0)
    whole = sum(value or 0 for value in values)
    peak = f", {most:,} at most in a quarter of an hour, from {moment(at)[11:16]}" if most else ""
    return Picture(bars, gaps, most, f"{whole:,} events written in the last 24 hours{peak}." + _missing(gaps))


def waiting_picture(found: Sequence[Span]) -> Picture:
    """How long the oldest ready job waited, in seconds."""
    values = [None if each.oldest_ms is None else round(each.oldest_ms / 1000) for each in found]
    bars, gaps, most = _bars(values)
    at = found[values.index(most)].start if most else 0
    said = (
        f"The oldest ready job waited {most:,} s at most, in the quarter of an hour from {moment(at)[11:16]}."
        if most
        else "No job waited for a second or longer."
    )
    return Picture(bars, gaps, most, said + _missing(gaps))


def _missing(gaps: Sequence[int]) -> str:
    return f" For {len(gaps)} of 96 quarters of an hour there is no sample." if gaps else ""


def _bars(values: Sequence[int | None]) -> tuple[tuple[Bar, ...], tuple[int, ...], int]:
    most = max((value for value in values if value is not None), default=0)
    bars = tuple(Bar(x, max(1.5, round(HEIGHT * value / most, 1))) for x, value in enumerate(values) if value)
    return bars, tuple(x for x, value in enumerate(values) if value is None), most


def _written(samples: Sequence[Sample], length_ms: int) -> dict[int, int]:
    """What was written in each span: the rise of the total, which begins anew where Redis was emptied."""
    risen: dict[int, int] = {}
    for before, after in pairwise(samples):
        rise = after.written - before.written if after.written >= before.written else after.written
        start = after.at - after.at % length_ms
        risen[start] = risen.get(start, 0) + rise
    return risen


def _span(start: int, samples: Sequence[Sample], written: int) -> Span:
    if not samples:
        return Span(start, None, None, None, None)
    return Span(
        start,
        written,
        max(each.oldest_ready_ms for each in samples),
        max(each.open for each in samples),
        samples[-1].dead,
    )
