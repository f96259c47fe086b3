import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.durations import seconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("24h", 86_400),
        ("90d", 7_776_000),
        ("15s", 15),
        ("50ms", 0.05),
        ("10m", 600),
        ("2w", 1_209_600),
        ("1.5h", 5_400),
        ("15 s", 15),
        ("20", 20),
        (20, 20),
        (0.5, 0.5),
    ],
)
def test_a_duration_is_read_as_seconds(written: object, expected: float) -> None:
    assert seconds(written) == expected


@pytest.mark.parametrize("written", ["", "soon", "-5s", "5 parsecs", "1h30m", "s", "٣s", "1e3s"])
def test_text_that_is_not_a_duration_is_refused_with_how_to_write_one(written: str) -> None:
    with pytest.raises(ValueError, match=r'is not a duration; write a number and a unit .* such as "50ms"'):
        seconds(written)


@pytest.mark.parametrize("written", [0, -1, "0s", 10**400, float("inf"), float("nan"), "36501d"])
def test_a_length_outside_the_bounds_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="longer than 0 and not longer than 36500 days"):
        seconds(written)


@pytest.mark.parametrize("written", [True, None, ["5s"], {"s": 5}])
def test_other_kinds_of_value_are_refused(written: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(written)


@given(
    st.integers(1, 800_000),
    st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]),
)
def test_every_whole_number_of_a_unit_is_that_many_seconds(amount: int, unit: tuple[str, float]) -> None:
    sign, length = unit
    assert seconds(f"{amount}{sign}") == pytest.approx(amount * length)


@given(st.text())
def test_any_text_is_a_duration_within_bounds_or_a_value_error(text: str) -> None:
    try:
        length = seconds(text)
    except ValueError:
        return
    assert 0 < length <= 36_500 * 86_400
