"""arq's wire format. arq carries keys only, as JSON: it wakes workers, the record says what to do.

Jobs are put in by `scripts/wake.lua`, in the same atomic step as the record.
"""

import json
from typing import Any

FUNCTION = "sync_part"
"""The one function that jobs call, with the ids of a booking and a part; `scripts/wake.lua` names it, too."""


def serialize(data: dict[str, Any]) -> bytes:
    """A job or a result as JSON; what is no JSON (an exception) by the name of its type."""
    return json.dumps(data, default=lambda value: type(value).__name__).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    """The reverse, for what was JSON."""
    value: dict[str, Any] = json.loads(data)
    return value
