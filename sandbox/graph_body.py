"""The body of a Graph event: text becomes HTML, and an online meeting lives in it.

Outlook puts the meeting's details into the body. A PATCH of the body that leaves them out destroys the
meeting
(microsoft-graph-docs #16336, #12244; contrib #4624).
"""

import hashlib
import html
import re
from typing import Any

LINK_ID = "meet_invite_block.action.join_link"
PAGE = (
    '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n</head>\r\n'
    "<body>\r\n{}\r\n</body>\r\n</html>\r\n"
)
HEAD = re.compile(r"<head\b.*?</head\s*>", re.DOTALL | re.IGNORECASE)
LINE_END = re.compile(r"<br\s*/?>|</(?:div|p|li|tr|h[1-6])\s*>", re.IGNORECASE)
TAG = re.compile(r"<[^>]*>")
BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


def as_html(body: dict[str, Any] | None) -> str:
    """What is stored for a written body; text is escaped and wrapped, as Outlook does."""
    content = (body or {}).get("content") or ""
    if not content:
        return ""
    if is_html(body):
        return content if re.search(r"<html\b", content, re.IGNORECASE) else PAGE.format(content)
    lines = html.escape(content, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return PAGE.format(f'<div class="PlainText">{lines}</div>')


def as_text(stored: str) -> str:
    """A stored body as plain text, for readers that prefer it."""
    text = HEAD.sub("", stored).replace("\r", "").replace("\n", "")
    return html.unescape(TAG.sub("", LINE_END.sub("\r\n", text))).strip()


def is_html(body: dict[str, Any] | None) -> bool:
    """Whether a written body is HTML; the default is text."""
    return (body or {}).get("contentType") == "html"


def join_url(seed: str) -> str:
    """The join link of the Teams meeting that belongs to an event."""
    thread = hashlib.sha256(seed.encode()).hexdigest()[:32]
    return f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{thread}%40thread.v2/0"


def with_meeting(stored: str, url: str) -> str:
    """The body with the meeting's details at its end."""
    block = (
        '<div class="me-email-text" lang="en-US">________________________________'
        '<div class="me-email-headline">Microsoft Teams meeting</div>'
        f'<div><a id="{LINK_ID}" href="{url}">Join the meeting now</a></div>'
        f"<div>Link: {url}</div></div>\r\n"
    )
    if not stored:
        return PAGE.format(block)
    end = BODY_END.search(stored)
    place = end.start() if end else len(stored)
    return stored[:place] + block + stored[place:]


def keeps_meeting(body: dict[str, Any] | None, url: str) -> bool:
    """Whether a body that is about to be written still carries the meeting's details."""
    content = (body or {}).get("content") or ""
    return is_html(body) and LINK_ID in content and url in content
