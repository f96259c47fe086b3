"""The present time, passed in wherever it is needed so that tests can move it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Gives the present time in Unix seconds."""


def stamp(seconds: float, *, digits: int = 3) -> str:
    """A UTC time stamp, such as 2026-10-06T09:00:00.000Z."""
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text[: 20 + digits].rstrip(".") + "Z" if digits <= 6 else text + "0" * (digits - 6) + "Z"
