"""Text from outside is shown, and does nothing else."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.printable import printable, printable_json

STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # half surrogate pairs, too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/x] [bold]x[/bold] :b: :smile:", "[/x] [bold]x[/bold] :b: :smile:"),
        ("\x1b]0;owned\x07\x1b[31m", r"\x1b]0;owned\x07\x1b[31m"),
        ("\x9b31m\x85\x7f\x00", r"\x9b31m\x85\x7f\x00"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("gpj.\u202etxe \u2066a\u2069 \u200eb\u200f", r"gpj.\u202etxe \u2066a\u2069 \u200eb\u200f"),
        ("\ud83d alone", r"\ud83d alone"),
        ("\u200b\ufeff\xad\u2028\U000e0041", r"\u200b\ufeff\xad\u2028\U000e0041"),
    ],
)
def test_what_steers_or_is_not_seen_is_shown_as_its_code(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text, keep="\n").count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "Zürich, 東京, القاهرة, \U0001f600",
        "\U0001f468\u200d\U0001f469",  # a couple: two signs with a joiner between
        "می\u200cخواهم",  # noqa: RUF001 - Persian, whose words need the other joiner
        "10\xa0Uhr",
        r"C:\new \x1b",
    ],
)
def test_letters_of_every_language_stay_as_they_are(text: str) -> None:
    assert printable(text) == text


@given(ANY_TEXT)
def test_nothing_that_steers_a_terminal_is_left_of_any_text(text: str) -> None:
    shown = printable(text)
    assert not STEERING.search(shown)
    assert printable(shown) == shown


@given(ANY_TEXT, st.booleans(), st.sampled_from([None, 2]))
def test_json_says_the_same_and_steers_no_terminal_either(
    text: str, ascii_only: bool, indent: int | None
) -> None:
    data = {text: [text]}
    shown = printable_json(json.dumps(data, ensure_ascii=False, indent=indent), ascii_only=ascii_only)
    assert not STEERING.search(shown.replace("\n", ""))
    assert json.loads(shown) == json.loads(json.dumps(data))
    assert shown.isascii() or not ascii_only
