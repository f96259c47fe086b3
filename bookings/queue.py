"""arq's wire format. arq carries keys only, as JSON: it wakes workers, the record says what to do.

Jobs are put in by `scripts/wake.lua`, in the same atomic step as the record.
"""

from typing import NamedTuple

FUNCTION = "sync_part"
"""The one function that jobs call, with the ids of a booking and a part; `scripts/wake.lua` names it, too."""


class Taken(NamedTuple):
    """A part that is to be looked at now."""

    booking: str
    part: str
    lane: str
    """The lane in whose line it stood; empty where it is new."""
