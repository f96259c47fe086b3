"""How long somebody asks us to wait."""

import time
from email.utils import formatdate

import pytest

from workers.retry_after import LONGEST_S, retry_after

NOW = "Fri, 27 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (" 2.5 ", 2.5),
        ("0", 0),
        ("-5", 0),
        ("999999", LONGEST_S),
        ("Fri, 27 Nov 2026 10:02:00 GMT", 120),
        ("Friday, 27-Nov-26 10:02:00 GMT", 120),
        ("Fri Nov 27 10:02:00 2026", 120),
        ("Fri, 27 Nov 2026 09:00:00 GMT", 0),
        ("Sat, 28 Nov 2026 10:00:00 GMT", LONGEST_S),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Fri, 99 Nov 2026 10:02:00 GMT", None),
    ],
)
def test_both_forms_are_understood(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text, "Date": NOW}) == seconds


def test_a_date_without_the_answer_s_own_counts_from_now() -> None:
    asked = retry_after({"Retry-After": formatdate(time.time() + 1800, usegmt=True)})
    assert asked is not None
    assert 1500 < asked < 1801
