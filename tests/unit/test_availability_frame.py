"""Minutes of several windows under numbers of their own, beside what looking at each minute finds."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.engine.frame import Frame
from scheduler.engine.minutes import Lasting, Span
from scheduler.query import Period

FIRST = 29_000_000
"""A Unix minute of 2025."""


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """One to three windows, close to each other."""
    ends = sorted(draw(st.sets(st.integers(0, 60), min_size=2, max_size=6)))
    ends = ends[: len(ends) // 2 * 2]
    return Frame(Span(FIRST + one, FIRST + other) for one, other in zip(ends[::2], ends[1::2], strict=True))


def period(start: int, lasts: int, odd: int) -> Period:
    begins = (FIRST + start) * 60 + odd
    return Period(begins, begins + lasts * 30)


periods = st.lists(
    st.builds(period, st.integers(-10, 70), st.integers(-2, 8), st.sampled_from((0, 0, 1, 59))), max_size=12
)


def unix_minutes(frame: Frame, minutes: int) -> set[int]:
    """The Unix minutes of a set."""
    return {frame.minute(number) for number in range(frame.width) if minutes >> number & 1}


def all_minutes(frame: Frame) -> set[int]:
    return {minute for first, last, _ in frame.windows for minute in range(first, last)}


def lasting(minutes: set[int], length: int) -> set[int]:
    return {minute for minute in minutes if minutes.issuperset(range(minute, minute + length))}


@given(frames())
def test_each_minute_has_a_number_of_its_own_and_there_is_one_of_none_after_each_window(frame: Frame) -> None:
    assert unix_minutes(frame, frame.every) == all_minutes(frame)
    for first, last, _ in frame.windows:
        assert [frame.minute(frame.number(minute)) for minute in range(first, last)] == [*range(first, last)]
        assert all(frame.number(minute) % 60 == minute % 60 for minute in range(first, last))
        assert not frame.every >> frame.number(last - 1) + 1 & 1


@given(frames(), st.integers(-10, 80))
def test_a_minute_without_a_number_has_that_of_the_next_one(frame: Frame, minute: int) -> None:
    later = [each for each in all_minutes(frame) if each >= FIRST + minute]
    expected = frame.number(min(later)) if later else frame.width
    assert frame.number(FIRST + minute) == expected


@given(frames(), periods, st.integers(1, 12))
def test_what_is_free_for_so_long_is_what_no_period_touches(
    frame: Frame, periods: list[Period], least: int
) -> None:
    busy = {
        minute
        for start, end in periods
        if start < end
        for minute in range(start // 60, -(-end // 60))
    }  # fmt: skip
    free = Lasting(frame.free(periods, least)).of(least)
    assert unix_minutes(frame, free) == lasting(all_minutes(frame) - busy, least)


@given(frames(), periods)
def test_what_lies_in_periods_is_what_they_cover_together(frame: Frame, periods: list[Period]) -> None:
    def covered(minute: int) -> bool:
        seconds = range(minute * 60, minute * 60 + 60)
        return all(any(start <= second < end for start, end in periods) for second in seconds)

    inside = unix_minutes(frame, frame.rounded_in(periods))
    assert inside == {minute for minute in all_minutes(frame) if covered(minute)}
