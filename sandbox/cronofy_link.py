"""What Cronofy keeps about applications and about the links they had made."""

from enum import StrEnum
from typing import Any

import msgspec

PAUSES = (1.0, 2.0, 4.0)
"""Seconds between attempts at a callback. Cronofy's own schedule is not published."""


class Kind(StrEnum):
    """What a link is for. The value is its name in requests and answers."""

    SEQUENCING = "real_time_sequencing"
    SCHEDULING = "real_time_scheduling"
    REQUEST = "scheduler_request"

    @property
    def prefix(self) -> str:
        """How its ids begin."""
        return {Kind.SEQUENCING: "seq", Kind.SCHEDULING: "sch", Kind.REQUEST: "srq"}[self]


class Status(StrEnum):
    """What has become of a link."""

    OPEN = "open"
    COMPLETED = "completed"
    DISABLED = "disabled"


class CronofyApp(msgspec.Struct, frozen=True):
    """An application. `secrets` are all active at once; `plan` false: its plan lacks every feature (402).

    `impersonate` are the accounts of its organizational unit: they may be hosts, and be impersonated.
    `group_rules` are that unit's. `callback_url` is told of the times chosen for scheduler requests; with
    `notified_times` it is told which times, too. `pauses` are the seconds between attempts at a callback.
    """

    client_id: str
    secrets: tuple[str, ...]
    plan: bool = True
    impersonate: frozenset[str] = frozenset()
    group_rules: frozenset[str] = frozenset()
    callback_url: str = ""
    notified_times: bool = True
    pauses: tuple[float, ...] = PAUSES


class TargetCalendar(msgspec.Struct, frozen=True):
    """A calendar into which Cronofy itself would write the event."""

    sub: str
    calendar_id: str


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at a callback. `status` is 0 without an answer; `time` is in Unix seconds."""

    time: float
    status: int
    error: str = ""

    @property
    def accepted(self) -> bool:
        """Whether Cronofy is content."""
        return 200 <= self.status < 300


class CronofyLink(msgspec.Struct, frozen=True):
    """A link, or a scheduler request, as it stands.

    `request` is the body as it was sent, `event` what Cronofy shows of the event: with `start` and `end` once
    completed. `target_calendars` are those of the request: Cronofy would write there, too. `callback` is
    the body sent to `callback_url`, `attempts` how that went.
    """

    kind: Kind
    id: str
    url: str
    status: Status
    request: dict[str, Any]
    callback_url: str
    client_id: str
    token: str
    event: dict[str, Any]
    target_calendars: tuple[TargetCalendar, ...] = ()
    host: str = ""
    display_message: str = ""
    callback: dict[str, Any] | None = None
    attempts: tuple[Attempt, ...] = ()
