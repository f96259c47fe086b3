"""How long somebody asks us to wait: `Retry-After` in both of its forms (RFC 9110, 10.2.3). Pure."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_S = 3600.0
"""However long is asked, we come again after an hour. Coming early lengthens Graph's penalty."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Gives the seconds that an answer asks for, 0 to `LONGEST_S`; None where it does not say readably.

    A date counts from the answer's own `Date`, so that no clock of ours matters; without one, from our clock.
    """
    text = headers.get("Retry-After", "").strip()
    try:
        asked = float(text)
    except ValueError:
        at = _moment(text)
        if at is None:
            return None
        asked = at - (_moment(headers.get("Date", "")) or time.time())
    return min(max(asked, 0.0), LONGEST_S) if math.isfinite(asked) else None


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
