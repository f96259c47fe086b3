"""The text under an event, the same for every provider: the description, then links that have no field."""

import html
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from workers.event import Event, JoinLink
from workers.event_text import shorten, utf16_length

TEXT_LIMIT = 8000
"""Google is reported to refuse beyond 8,192 characters (support.nylas.com); Cronofy itself stops at 4,096."""

_TAG = re.compile(r"<[a-z/!?]", re.IGNORECASE)  # what begins markup to a reader of HTML


def body_text(event: Event, *, size: Callable[[str], int], notes: list[str]) -> str | None:
    """The plain text for an event's body, with the link of a meeting; None when there is nothing to say.

    A link that the description shows already is not repeated. The description gives way when `size` of the
    whole would exceed TEXT_LIMIT; links are never cut.
    """
    lines = {event.url: event.url} if event.url else {}
    if isinstance(event.conferencing, JoinLink):
        link = event.conferencing
        lines[link.url] = f"{link.provider}: {link.url}" if link.provider else link.url
    if event.description is None and not lines:
        return None
    description = event.description or ""
    shown = set(description.split())
    links = "\n".join(line for url, line in lines.items() if url not in shown)
    if description and size(f"{description}\n\n{links}") > TEXT_LIMIT:
        links = "\n".join(lines.values())  # what is cut off may be the very link that the description shows
        description = cut(
            description, TEXT_LIMIT, "description", notes, lambda text: size(f"{text}\n\n{links}")
        )
    return "\n\n".join(filter(None, (description, links)))


def cut(
    text: str, limit: int, field: str, notes: list[str], size: Callable[[str], int] = utf16_length
) -> str:
    """`text` in at most `limit` of `size`, noted where that took something away."""
    kept = shorten(text, limit, size)
    if kept != text:
        notes.append(f"truncated: {field}")
    return kept


def as_html(text: str) -> str:
    """Plain text for a field that is shown as HTML; line breaks stay."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def for_google(text: str) -> str:
    """Plain text for Google's description, which is plain or HTML, as a reader finds it.

    Google and everybody who reads its calendars show plain text with its line breaks; entities and `<br>` are
    shown as they stand by many of them. So there is HTML only where the text would be taken for it: where a
    tag begins in it, or an entity that readers of HTML know, such as the `&copy=1` of an address.
    """
    return as_html(text) if _TAG.search(text) or html.unescape(text) != text else text


def web_host(url: str) -> str | None:
    """The host of an http or https URL; None for any other text."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return host if parts.scheme in ("http", "https") else None
