"""The text under an event, the same for every provider: the description, then links that have no field."""

import html
from collections.abc import Callable
from urllib.parse import urlsplit

from workers.event import Event, JoinLink
from workers.event_text import shorten, utf16_length

TEXT_LIMIT = 8000
"""Google is said to refuse beyond 8,192 characters; Cronofy itself stops at 4,096."""


def body_text(event: Event, *, join_link: bool, size: Callable[[str], int], notes: list[str]) -> str | None:
    """The plain text for an event's body; None when there is nothing to say about it.

    `join_link` puts the link of an existing conference in. A link that the description shows already is not
    repeated. The description gives way when `size` of the whole would exceed TEXT_LIMIT; links are never cut.
    """
    lines = {event.url: event.url} if event.url else {}
    if join_link and isinstance(event.conferencing, JoinLink):
        link = event.conferencing
        lines[link.url] = f"{link.provider}: {link.url}" if link.provider else link.url
    if event.description is None and not lines:
        return None
    description = event.description or ""
    shown = set(description.split())
    links = "\n".join(line for url, line in lines.items() if url not in shown)
    room = max(TEXT_LIMIT - size(f"\n\n{links}"), 0)
    return "\n\n".join(filter(None, (cut(description, room, "description", notes, size), links)))


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


def web_host(url: str) -> str | None:
    """The host of an http or https URL; None for any other text."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return host if parts.scheme in ("http", "https") else None
