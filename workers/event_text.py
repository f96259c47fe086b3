"""Making text from a callback fit for a calendar: control characters out, too long cut at a word."""

import re
from bisect import bisect_right
from collections.abc import Callable

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_JOINERS = "\u200d\ufe0f"  # a cut must not end in the middle of a joined emoji
_ELLIPSIS = "…"


def clean(text: str) -> str:
    """`text` without control characters and lone surrogates, which calendars refuse or store broken.

    Line breaks become a plain newline; tabs, direction marks and emoji joiners stay.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE_SURROGATE.sub("\ufffd", _NOT_TEXT.sub("", text))


def one_line(text: str) -> str:
    """`text` with its line breaks and tabs turned into spaces, for a title or a place."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def utf16_length(text: str) -> int:
    """Length as Outlook counts it: an emoji is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def shorten(text: str, limit: int, size: Callable[[str], int] = utf16_length) -> str:
    """`text`, or its beginning up to a whole word and an ellipsis, so that `size` of it is at most `limit`.

    `size` must not shrink as a text grows. A word longer than half of what fits is cut inside.
    """
    if size(text) <= limit:
        return text
    lengths = range(len(text) + 1)
    fits = bisect_right(lengths, limit, key=lambda length: size(text[:length] + _ELLIPSIS)) - 1
    kept = text[: max(fits, 0)]
    if not text[len(kept)].isspace():
        word = max(kept.rfind(" "), kept.rfind("\n"))
        kept = kept[:word] if word * 2 >= len(kept) else kept
    return kept.rstrip().rstrip(_JOINERS) + _ELLIPSIS
