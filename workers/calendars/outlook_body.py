"""Changing our own text inside the HTML body of an online meeting, and nothing else.

Outlook keeps the meeting's join information in the body. A PATCH of `body` without it destroys the meeting
or makes a new join link (microsoft-graph-docs issues 16336, 9743, 12244); putting the new text before the
whole old body makes it grow with every change (cal.com did). So our text stands in an element of its own.
Should Outlook have rewritten the markup, the text is looked for by its letters.
"""

import html
import re
from typing import NamedTuple

from workers.calendars.body_text import as_html

MARKER = "sequence-sync-text"

# Outlook on the web puts x_ before class names.
_OPENING = re.compile(
    rf"<div\b[^<>]*\bclass\s*=\s*[\"']?[^\"'<>]*?\b(?:x_)*{MARKER}(?![\w-])[^<>]*>", re.IGNORECASE
)
_DIV = re.compile(r"<(?P<end>/?)div\b[^<>]*>", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<markup><!--.*?(?:-->|\Z)|<(?P<raw>style|script|title)\b.*?(?:</(?P=raw)\s*>|\Z)|</?[a-z!][^<>]*>)"
    r"|&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);|.",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-z][a-z0-9:]*)[^<>]*>", re.IGNORECASE)
_LINE_END = re.compile(r"<br\b[^<>]*>|</?(?:div|p)\b[^<>]*>", re.IGNORECASE)
_VOID = {"br", "hr", "img", "wbr"}
_LINK_JUST_BEFORE = re.compile(r"<a\b[^<>]*>\s*\Z", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)


def marked(text: str) -> str:
    """`text` as HTML, in the element by which it is found again."""
    return f'<div class="{MARKER}">{as_html(text)}</div>'


def splice_body(existing_html: str, old_text: str | None, new_text: str) -> str | None:
    """The body with our text replaced and all else as it was; None when there is nothing to change.

    Looked for are, in this order: our element; `old_text`, our earlier text, however it is marked up;
    `new_text`, which is then there already. With none of them the new text is put at the beginning, in our
    element. Where our text did not change, what a person made of it stays. Done twice, the second time gives
    None.
    """
    if old_text == new_text:
        return None
    if (inside := _marked_span(existing_html)) is not None:
        if _shown_lines(existing_html[slice(*inside)]) == _lines(new_text):
            return None
        return _replaced(existing_html, inside, as_html(new_text))
    page = _Page(existing_html)
    old, new = page.find(old_text or ""), page.find(new_text)
    if old is not None and (new is None or (old.start <= new.start and new.end <= old.end)):
        return _replaced(existing_html, page.whole_markup(old), marked(new_text) + page.open_ends(old))
    if new is not None or not new_text.strip():
        return None
    body = _BODY.search(existing_html)
    at = body.end() if body else 0
    return _replaced(existing_html, _Span(at, at), marked(new_text))


class _Span(NamedTuple):
    start: int
    end: int


class _Letter(NamedTuple):
    letter: str
    span: _Span
    after_markup: bool


class _Page:
    """The letters that a reader sees, each with its place in the HTML; white space does not count."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._letters: list[_Letter] = []
        after_markup = True
        for token in _TOKEN.finditer(source):
            if token["markup"]:
                after_markup = True
                continue
            for letter in html.unescape(token[0]):
                if not letter.isspace():
                    self._letters.append(_Letter(letter, _Span(*token.span()), after_markup))
                    after_markup = False
        self._text = "".join(letter.letter for letter in self._letters)

    def find(self, text: str) -> _Span | None:
        """Where `text` stands by itself: with markup, or nothing at all, before and after it."""
        wanted = "".join(text.split())
        at = self._text.find(wanted) if wanted else -1
        while at >= 0:
            after = at + len(wanted)
            if self._is_edge(at) and self._is_edge(after):
                return _Span(self._letters[at].span.start, self._letters[after - 1].span.end)
            at = self._text.find(wanted, at + 1)
        return None

    def _is_edge(self, at: int) -> bool:
        return at == len(self._letters) or self._letters[at].after_markup

    def whole_markup(self, span: _Span) -> _Span:
        """The span with a link that opens right before it: a new text must not link to the old address."""
        link = _LINK_JUST_BEFORE.search(self._source, 0, span.start)
        return span if link is None else _Span(link.start(), span.end)

    def open_ends(self, span: _Span) -> str:
        """The tags within the span whose other half is outside it: without them the rest would fall apart."""
        open_ends: list[re.Match[str]] = []
        for tag in _TAG.finditer(self._source, *self.whole_markup(span)):
            last = open_ends[-1] if open_ends else None
            if last and tag["end"] and not last["end"] and last["name"].lower() == tag["name"].lower():
                open_ends.pop()
            elif tag["name"].lower() not in _VOID:
                open_ends.append(tag)
        return "".join(tag[0] for tag in open_ends)


def _marked_span(source: str) -> _Span | None:
    """The inside of our element; None if there is none, or it has no end."""
    opening = _OPENING.search(source)
    if opening is None:
        return None
    depth = 1
    for tag in _DIV.finditer(source, opening.end()):
        depth += -1 if tag["end"] else 1
        if depth == 0:
            return _Span(opening.end(), tag.start())
    return None


def _shown_lines(fragment: str) -> list[str]:
    broken = _LINE_END.sub("\n", " ".join(fragment.split()))
    return _lines(html.unescape(_TAG.sub("", broken)))


def _lines(text: str) -> list[str]:
    """Empty lines and repeated spaces do not count: Outlook puts them in and takes them out."""
    words = (line.split() for line in text.split("\n"))
    return [" ".join(line) for line in words if line]


def _replaced(source: str, span: _Span, replacement: str) -> str:
    return source[: span.start] + replacement + source[span.end :]
