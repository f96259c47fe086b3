"""The last day as a picture."""

from admin.console.overview import judged
from admin.console.picture import hours, quarters, waiting_picture, written_picture
from bookings.delayed import Delayed
from bookings.history import DAY_MS, MINUTE_MS, Sample
from bookings.reader import Counts
from bookings.record import WriteState

NOON = 1_795_262_400_000  # 2026-11-21 12:00 UTC


def sample(minutes_ago: int, written: int, *, old_ms: int = 0) -> Sample:
    return Sample(NOON - minutes_ago * MINUTE_MS, written, 3, 2, 1, old_ms)


def test_the_day_is_cut_on_the_clocks_own_marks() -> None:
    now = NOON + 7 * MINUTE_MS
    assert [len(quarters([], now)), len(hours([], now))] == [96, 24]
    assert quarters([], now)[-1].start == NOON
    assert quarters([], now)[0].start == NOON - DAY_MS + 15 * MINUTE_MS


def test_a_bar_is_what_was_written_in_its_quarter() -> None:
    found = quarters([sample(31, 100), sample(29, 130), sample(16, 150), sample(1, 155)], NOON - 1)
    assert [each.written for each in found[-3:]] == [0, 50, 5]
    picture = written_picture(found)
    assert [(bar.x, bar.height) for bar in picture.bars] == [(94, 100.0), (95, 10.0)]
    assert picture.words.startswith(
        "55 events written in the last 24 hours, 50 at most in a quarter of an hour, from 11:30."
    )


def test_a_total_that_begins_anew_takes_nothing_away() -> None:
    found = quarters([sample(40, 5000), sample(20, 7), sample(10, 9)], NOON - 1)
    assert [each.written for each in found[-2:]] == [7, 2]


def test_what_is_small_is_still_seen_and_what_is_nothing_is_not() -> None:
    found = quarters([sample(40, 0), sample(35, 100_000), sample(20, 100_001), sample(10, 100_001)], NOON - 1)
    assert [(bar.x, bar.height) for bar in written_picture(found).bars] == [(93, 100.0), (94, 1.5)]


def test_where_there_is_no_sample_the_picture_says_so() -> None:
    found = quarters([sample(10, 1)], NOON - 1)
    picture = waiting_picture(found)
    assert picture.gaps == tuple(range(95))
    assert (
        picture.words
        == "No job waited for a second or longer. For 95 of 96 quarters of an hour there is no sample."
    )


def test_the_longest_wait_is_named_with_its_time() -> None:
    found = quarters([sample(50, 1, old_ms=1500), sample(20, 1, old_ms=1_234_567)], NOON - 1)
    picture = waiting_picture(found)
    assert picture.words.startswith(
        "The oldest ready job waited 1,235 s at most, in the quarter of an hour from 11:30."
    )
    assert picture.most == 1235


def counts(**given: int) -> Counts:
    none: Counts = {
        "bookings": 0,
        "open": 0,
        "dead": 0,
        "queue": 0,
        "ready": 0,
        "deferred": 0,
        "oldest_ready_ms": 0,
        "of_apps": {},
    }
    return {**none, **given}  # type: ignore[typeddict-item]


def test_how_it_stands_is_said_in_one_sentence() -> None:
    assert judged(counts(), 0) == ("good", "Everything that came in stands in its calendars.")
    assert judged(counts(open=1), 0) == ("good", "Nothing needs you; 1 part is on its way.")
    assert judged(counts(dead=1234), 0) == ("bad", "1,234 dead letters need a person.")
    assert judged(counts(oldest_ready_ms=60_001), 1) == (
        "warn",
        "1 account is made to wait and the queue is 1 minute behind: do workers run?",
    )


def delayed(state: WriteState, count: int, *, minutes: int) -> Delayed:
    return Delayed("w", "google", "interviews", state, count, NOON - minutes * MINUTE_MS, "notFound")


def test_nobody_is_told_that_nothing_needs_them_while_something_is_parked() -> None:
    parked = delayed(WriteState.PARKED, 1, minutes=0)
    assert judged(counts(), 0, [parked], NOON) == ("warn", "1 write is parked.")
    others = [parked, delayed(WriteState.PARKED, 2, minutes=9)]
    assert judged(counts(), 1, others, NOON) == ("warn", "1 account is made to wait and 3 writes are parked.")


def test_what_is_retried_is_on_its_way_until_it_has_been_for_long() -> None:
    assert judged(counts(open=2), 0, [delayed(WriteState.RETRYING, 2, minutes=14)], NOON) == (
        "good",
        "Nothing needs you; 2 parts are on their way.",
    )
    assert judged(counts(open=2), 0, [delayed(WriteState.RETRYING, 2, minutes=16)], NOON) == (
        "warn",
        "1 calendar has been taking no writes for a quarter of an hour.",
    )
