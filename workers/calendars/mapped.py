"""What a mapping gives: the fields of a request body, split by who may change them afterwards."""

import hashlib
import json
from typing import Any

import msgspec

TAGS_LIMIT = 1000  # characters; a property's value is believed to hold 1,024 at Google, more at Microsoft


class Mapped(msgspec.Struct, frozen=True):
    """One event in a provider's words, without our identity, which the adapter adds."""

    owned: dict[str, Any]
    """Written on create and on every update. A null takes a value away that an earlier revision set."""
    create: dict[str, Any]
    """Written on create only, so what a person changes there later stays. Shares no key with `owned`."""
    degraded: tuple[str, ...] = ()
    """What the provider cannot hold as booked, after the event's own notes; `code: what`, no meeting text."""
    tags: str | None = None
    """Microsoft only: the value of an extended property of its own, see `tags_text`; None: not sent."""
    text: str = ""
    """Microsoft only: the plain text behind `owned["body"]`, for `splice_body`; says nothing without that."""

    def __repr__(self) -> str:
        """Without meeting text, so that it may stand in a log line or a traceback."""
        return f"Mapped(digest={self.digest!r}, degraded={self.degraded!r})"

    @property
    def digest(self) -> str:
        """16 hex characters that are the same as long as every field we own is, in whatever order."""
        fields = self.owned if self.tags is None else {**self.owned, "tags": self.tags}
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def tags_text(tags: tuple[str, ...], notes: list[str]) -> str:
    """The tags as a JSON array, one text for one property: an update then replaces all of them.

    Tags that do not fit any more are left out and noted.
    """
    kept = list(tags)
    while len(text := json.dumps(kept, ensure_ascii=False, separators=(",", ":"))) > TAGS_LIMIT:
        kept.pop()
    if len(kept) < len(tags):
        notes.append(f"tags_dropped: {len(tags) - len(kept)}")
    return text
