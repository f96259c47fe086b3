"""When a failure is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.backoff import UNKNOWN_OUTCOME_S, Decision, Policy, decide
from workers.errors import CalendarError, ErrorClass

POLICY = Policy(base=1, cap=600, retry_for=86_400)
RETRIED = [ErrorClass.TRANSIENT, ErrorClass.THROTTLED, ErrorClass.CONFLICT, ErrorClass.GONE]


def error(
    error_class: ErrorClass, *, retry_after: float | None = None, unknown: bool = False
) -> CalendarError:
    return CalendarError(error_class, "code", retry_after=retry_after, unknown=unknown)


@pytest.mark.parametrize("error_class", RETRIED)
@given(tries=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_a_wait_is_anything_up_to_the_doubling_bound(
    error_class: ErrorClass, tries: int, jitter: float
) -> None:
    decision = decide(error(error_class), tries=tries, failing_for_s=0, policy=POLICY, jitter=jitter)
    assert decision.wait_s is not None
    assert 0 <= decision.wait_s <= min(600, 2 ** min(tries - 1, 20))
    assert not decision.parked


def test_a_failure_that_has_lasted_long_enough_is_dead() -> None:
    for failing_for_s, dead in ((86_399, False), (86_400, True)):
        decision = decide(
            error(ErrorClass.TRANSIENT), tries=9, failing_for_s=failing_for_s, policy=POLICY, jitter=1
        )
        assert (decision.wait_s is None) == dead


def test_a_permanent_failure_is_dead_at_once() -> None:
    assert (
        decide(error(ErrorClass.PERMANENT), tries=1, failing_for_s=0, policy=POLICY, jitter=1).wait_s is None
    )


@pytest.mark.parametrize(("asked", "least", "most"), [(30, 30, 31), (0, 1, 2), (3000, 3000, 3001)])
def test_what_is_asked_is_honoured_from_base_to_beyond_the_cap(
    asked: float, least: float, most: float
) -> None:
    throttled = error(ErrorClass.THROTTLED, retry_after=asked)
    for jitter in (0.0, 1.0):
        wait = decide(throttled, tries=1, failing_for_s=0, policy=POLICY, jitter=jitter).wait_s
        assert wait is not None
        assert least <= wait <= most


def test_an_unknown_outcome_is_given_time_to_show() -> None:
    decision = decide(
        error(ErrorClass.TRANSIENT, unknown=True), tries=1, failing_for_s=0, policy=POLICY, jitter=0
    )
    assert decision.wait_s == UNKNOWN_OUTCOME_S


@pytest.mark.parametrize("error_class", [ErrorClass.PARK, ErrorClass.AUTH])
@given(tries=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_what_a_person_must_fix_is_parked_for_some_minutes_at_a_time(
    error_class: ErrorClass, tries: int, jitter: float
) -> None:
    decision = decide(error(error_class), tries=tries, failing_for_s=3600, policy=POLICY, jitter=jitter)
    assert decision.parked
    assert decision.wait_s is not None
    assert 300 <= decision.wait_s <= 3600


@pytest.mark.parametrize("error_class", [ErrorClass.PARK, ErrorClass.AUTH])
def test_what_is_parked_is_tried_once_more_at_the_end_of_its_time_and_then_dead(
    error_class: ErrorClass,
) -> None:
    for failing_for_s, wait_s in ((86_400 - 60, 60), (86_400 - 0.1, 1), (86_400, None), (1e9, None)):
        decision = decide(error(error_class), tries=9, failing_for_s=failing_for_s, policy=POLICY, jitter=1)
        assert decision == Decision(wait_s=wait_s, parked=wait_s is not None)
