"""The availability engine and an interval sweep answer the same large queries in the same way."""

from zoneinfo import ZoneInfo

import pytest

from bench.interval_sweep import sweep
from bench.largest import largest
from scheduler.availability import find_sequences
from scheduler.query import Limit, Per

NEW_YORK = ZoneInfo("America/New_York")  # whose clock changes within the five weeks


@pytest.mark.parametrize("seed", range(3))
def test_both_agree_on_the_largest_query(seed: int) -> None:
    query = largest(seed, meetings=150, apart=False)
    answers = find_sequences(query).sequences
    assert len(answers) > 50
    assert list(answers) == sweep(query)


def test_both_agree_where_parts_come_in_any_order() -> None:
    query = largest(3, any_order=True, apart=False)
    answers = find_sequences(query).sequences
    assert len({sequence[0].sequence_id for sequence in answers}) == 5
    assert list(answers) == sweep(query)


@pytest.mark.parametrize("limit", [Limit(Per.DAY, 4, NEW_YORK), Limit(Per.WEEK, 4)])
def test_both_agree_where_people_have_limits(limit: Limit) -> None:
    query = largest(4, meetings=150, limits=(limit,), apart=False)
    answers = find_sequences(query).sequences
    assert len(answers) > 50
    assert list(answers) == sweep(query)


def test_both_agree_on_as_many_answers_as_there_may_be() -> None:
    query = largest(5, meetings=0, apart=False)
    answers = find_sequences(query).sequences
    assert len(answers) == 1000
    assert list(answers) == sweep(query)
