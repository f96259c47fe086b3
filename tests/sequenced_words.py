"""The requests of Cronofy's page on sequenced availability, dates moved, and short words to change and read them."""

import copy
from datetime import UTC, datetime
from typing import Any

from config.settings import Calendar, Person, Settings
from scheduler.api.problems import Invalid, Key
from scheduler.api.sequenced_request import read_request
from scheduler.sequenced import SequencedRequest

NOW = datetime(2026, 12, 1, 8, 0, 30, tzinfo=UTC)
"""A Tuesday."""
RECRUITER, MANAGER = "acc_5ba21743f408617d1269ea1e", "acc_64b17d868090ea21640c914c"

_CRONOFY = {"interviews": "cal_n23kjnwrw2_jsdfjksn234", "private": "cal_private"}
SETTINGS = Settings(
    calendars=tuple(
        Calendar(name=name, account="google", cronofy_id=_CRONOFY.get(name))
        for name in ("interviews", "private", "manager", *(f"c{at}" for at in range(12)))
    ),
    people=(
        Person(sub=RECRUITER, calendars=("interviews", "private")),
        Person(sub=MANAGER, calendars=("manager",)),
        *(Person(sub=f"acc_{at}", calendars=(f"c{at}",)) for at in range(12)),
    ),
)


def _buffer() -> dict[str, Any]:
    return {
        "before": {"minimum": {"minutes": 30}, "maximum": {"minutes": 60}},
        "after": {"minimum": {"minutes": 15}, "maximum": {"minutes": 30}},
    }


FIRST: dict[str, Any] = {
    "query_periods": [
        {"start": "2026-12-06T09:00:00Z", "end": "2026-12-06T18:00:00Z"},
        {"start": "2026-12-07T09:00:00Z", "end": "2026-12-07T18:00:00Z"},
    ],
    "sequence": [
        {
            "sequence_id": "123",
            "ordinal": 1,
            "participants": [
                {
                    "members": [{"sub": RECRUITER, "calendar_ids": ["cal_n23kjnwrw2_jsdfjksn234"]}],
                    "required": "all",
                }
            ],
            "required_duration": {"minutes": 60},
            "start_interval": {"minutes": 60},
            "buffer": _buffer(),
        },
        {
            "sequence_id": "456",
            "ordinal": 2,
            "participants": [
                {
                    "members": [
                        {
                            "sub": MANAGER,
                            "available_periods": [
                                {"start": "2026-12-06T09:00:00Z", "end": "2026-12-06T12:00:00Z"},
                                {"start": "2026-12-07T10:00:00Z", "end": "2026-12-07T20:00:00Z"},
                            ],
                        }
                    ],
                    "required": "all",
                }
            ],
            "required_duration": {"minutes": 60},
            "start_interval": {"minutes": 60},
            "buffer": _buffer(),
        },
    ],
}


def _limited(sequence_id: str, ordinal: int, member: dict[str, Any], limit: int) -> dict[str, Any]:
    tags = {"private": [{"value": "Interview"}]}
    constraints = [{"tags": tags, "limit": limit, "period": "week"}]
    return {
        "sequence_id": sequence_id,
        "ordinal": ordinal,
        "participants": [
            {"members": [{**member, "availability_constraints": constraints}], "required": "all"}
        ],
        "required_duration": {"minutes": 60},
        "start_interval": {"minutes": 60},
    }


SECOND: dict[str, Any] = {
    "query_periods": [{"start": "2026-12-06T09:00:00Z", "end": "2026-12-20T18:00:00Z"}],
    "sequence": [
        _limited("123", 1, {"sub": RECRUITER, "calendar_ids": ["cal_n23kjnwrw2_jsdfjksn234"]}, 3),
        _limited("456", 2, {"sub": MANAGER}, 5),
    ],
}


def changed(place: str, value: object, data: dict[str, Any] = FIRST) -> dict[str, Any]:
    """The request with another value at `sequence.0.ordinal`."""
    found: Any = copy.deepcopy(data)
    inner, (*way, last) = found, [int(step) if step.isdigit() else step for step in place.split(".")]
    for step in way:
        inner = inner[step]
    inner[last] = value
    return dict(found)


def without(place: str, data: dict[str, Any] = FIRST) -> dict[str, Any]:
    """The request without the member at `sequence.0.ordinal`."""
    way, _, last = place.rpartition(".")
    found: Any = copy.deepcopy(data)
    inner = found
    for step in way.split(".") if way else ():
        inner = inner[int(step) if step.isdigit() else step]
    del inner[last]
    return dict(found)


def read(data: object, now: datetime = NOW) -> SequencedRequest:
    return read_request(data, SETTINGS, now)


def wrong(data: object, now: datetime = NOW) -> dict[str, Key]:
    """What a request is refused for: kinds of problems by their paths."""
    try:
        read(data, now)
    except Invalid as invalid:
        return {each.path: each.key for some in invalid.errors.values() for each in some}
    return {}
