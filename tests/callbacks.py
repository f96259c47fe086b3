"""Callbacks as Cronofy sends them."""

import json
from importlib.resources import files
from typing import Any

SEQUENCING = (files("cli") / "callbacks" / "sequencing.json").read_bytes()
SEQUENCING_OLDER = (files("cli") / "callbacks" / "sequencing_older.json").read_bytes()

SCHEDULING = json.dumps(
    {
        "event": {
            "event_id": "one-part",
            "start": {"time": "2026-07-27T10:00:00Z", "tzid": "Europe/London"},
            "end": {"time": "2026-07-27T11:00:00Z", "tzid": "Europe/London"},
            "summary": "Site visit",
        },
        "participants": [{"sub": "acc_5ba21743f408617d1269ea1e"}],
        "user": {"tzid": "Europe/London"},
    }
).encode()


def changed(body: bytes = SEQUENCING, /, **changes: Any) -> bytes:
    """A callback with other members, named by their path: `changed(sequence__0__sequence_id="9")`."""
    data = json.loads(body)
    for path, value in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("__"))
        place = data
        for step in steps:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return json.dumps(data).encode()


def moved(hours: int, body: bytes = SEQUENCING) -> bytes:
    """The documented callback with every part some hours later on the same day."""
    text = body.decode()
    for hour in (13, 12, 11):
        text = text.replace(f"T{hour}:00", f"T{hour + hours}:00")
    return text.encode()
