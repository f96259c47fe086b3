"""Times as operators write them."""

import pytest

from bookings.clock import moment_from

NOW = 1_795_000_000_000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW - 7_200_000),
        ("+2h", NOW + 7_200_000),
        ("2026-11-20T03:00", 1_795_143_600_000),
        ("2026-11-20T03:00+01:00", 1_795_140_000_000),
    ],
)
def test_a_time_is_so_long_ago_or_so_long_from_now_or_itself(text: str, at: int) -> None:
    assert moment_from(text, NOW) == at


@pytest.mark.parametrize("text", ["yesterday", "+", "-2h", "++2h", ""])
def test_anything_else_is_refused_with_what_there_is_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="how long ago"):
        moment_from(text, NOW)
