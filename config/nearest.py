"""The known word that a mistyped one was probably meant to be."""

import difflib
from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of an error text: `did you mean "x"?`, or else every known word."""
    words = sorted(known)
    if not words:
        return "there is none yet"
    by_small_letters = {each.lower(): each for each in words}
    close = difflib.get_close_matches(word.lower(), by_small_letters, n=1)
    if close:
        return f'did you mean "{by_small_letters[close[0]]}"?'
    return f"known here: {', '.join(words)}"
