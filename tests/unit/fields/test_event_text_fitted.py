import pytest

from workers.event_text import clean, one_line, shorten, utf16_length


def test_text_that_fits_stays() -> None:
    assert shorten("Interview", 9) == "Interview"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("one two three", 12, "one two…"),
        ("one two three", 8, "one two…"),
        ("one two three", 7, "one…"),
        ("abcdefghij", 5, "abcd…"),
        ("ab cdefghijklmnop", 9, "ab cdefg…"),
        ("x", 0, "…"),
    ],
)
def test_text_is_cut_at_a_word_and_within_long_words(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


def test_an_emoji_counts_as_outlook_counts_it() -> None:
    cut = shorten("😀" * 1000, 255)

    assert cut == "😀" * 127 + "…"
    assert utf16_length(cut) == 255


def test_a_joined_emoji_is_not_cut_after_its_joiner() -> None:
    assert shorten("👩\u200d🔬 in the lab", 4) == "👩…"


def test_another_way_to_measure_may_be_given() -> None:
    assert shorten("&&&& &&&&", 31, lambda text: len(text) * 6) == "&&&&…"


def test_line_breaks_of_every_system_become_one() -> None:
    assert clean("a\r\nb\rc\nd") == "a\nb\nc\nd"


def test_a_title_has_one_line() -> None:
    assert one_line(" a\nb\tc ") == "a b c"
