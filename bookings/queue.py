"""arq's wire format. arq carries keys only, as JSON: it wakes workers, the record says what to do.

Jobs are put in by `scripts/wake.lua`, in the same atomic step as the record.
"""

FUNCTION = "sync_part"
"""The one function that jobs call, with the ids of a booking and a part; `scripts/wake.lua` names it, too."""


def part_of(job: str) -> tuple[str, str]:
    """The ids of the booking and the part that a job, by its own id, has looked at."""
    _, bid, pid, _ = job.rsplit(":", 3)
    return bid, pid
