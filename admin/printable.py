"""Text that came from outside, as it may be shown: on a terminal, in a log, on a page.

Escape sequences steer a terminal. Directional marks turn around what stands beside them, and what is not seen
makes two texts look the same (unicode.org/reports/tr36). Half a surrogate pair cannot be written at all. All
of these are shown as their codes; letters of every language, and signs that are seen, stay as they are.
"""

import re
import unicodedata

_UNUSUAL = re.compile("[^ -~]")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode: controls, formats (directional marks and the like), surrogates, line breaks."""
_JOINERS = "\u200c\u200d"
"""Formats without which words of several languages, and faces, are others."""


def printable(text: str, *, keep: str = "") -> str:
    r"""Gives the text with codes such as `\x1b` for what is not to be shown; characters of `keep` stay."""
    return _UNUSUAL.sub(lambda found: _shown(found[0], keep), text)


def printable_json(json: str, *, ascii_only: bool = False) -> str:
    """Gives JSON that says the same and may be shown; in ASCII alone for a stream that has nothing else."""
    return _UNUSUAL.sub(lambda found: _shown_in_json(found[0], ascii_only=ascii_only), json)


def _shown(char: str, keep: str) -> str:
    return char if char in keep or _is_seen(char) else char.encode("unicode_escape").decode()


def _shown_in_json(char: str, *, ascii_only: bool) -> str:
    if char == "\n" or (_is_seen(char) and not ascii_only):
        return char  # a newline stands between what JSON holds, never in it
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _is_seen(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) not in _UNSEEN
