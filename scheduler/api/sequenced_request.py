"""Reads the request of `POST /v1/sequenced_availability`. Pure.

The rules are those of docs.cronofy.com/developers/api/scheduling/sequenced-availability/, with what Cronofy's
own libraries send beyond it; docs/availability.md says what we add.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from config.leave import Leave
from config.settings import Settings
from scheduler.api.members import MemberReader
from scheduler.api.periods import PeriodReader
from scheduler.api.problems import Key, Problems
from scheduler.api.values import Object, Value
from scheduler.busy import Excluded
from scheduler.query import MOST_RESULTS, Buffer, Part, Period
from scheduler.sequenced import AskedGroup, AskedMember, AskedPart, SequencedRequest

MOST_PARTS = 5
MOST_ACCOUNTS = 10
MOST_GROUPS = 10
INTERVALS = (5, 10, 15, 20, 30, 60)


def read_request(
    data: object, settings: Settings, now: datetime, *, leave: Leave | None = None
) -> SequencedRequest:
    """Reads what came as JSON; members that nobody knows are ignored, since libraries send some.

    Args:
        data: the body.
        settings: the people and their calendars.
        now: when it came.
        leave: of the app that asks; None is an operator, who may ask for everybody.

    Raises:
        Invalid: with everything that is wrong.
    """
    problems = Problems()
    body = Value(data, "", problems).object()
    request = None if body is None else _RequestReader(settings, now, leave).read(body)
    problems.check()
    assert request is not None
    return request


class _RequestReader:
    """Reads one request. What stands in for something wrong is never seen: the problems are raised."""

    def __init__(self, settings: Settings, now: datetime, leave: Leave | None) -> None:
        self._periods = PeriodReader(now)
        self._members = MemberReader(settings, self._periods, leave)
        self._ids: set[str] = set()
        self._accounts: set[str] = set()

    def read(self, body: Object) -> SequencedRequest:
        periods = body.get("query_periods") or body.get("available_periods") or body["query_periods"]
        zone, most = body.get("tzid"), body.get("max_results")
        return SequencedRequest(
            periods=self._periods.read(periods),
            parts=tuple(map(self._part, body["sequence"].items(1, MOST_PARTS))),
            zone=(zone.zone() if zone else None) or UTC,
            max_results=(most.integer(range(1, MOST_RESULTS + 1)) if most else None) or MOST_RESULTS,
            excluded=_excluded(body.get("excluded_events")),
        )

    def _part(self, value: Value) -> AskedPart:
        part = value.object()
        if part is None:
            return AskedPart(Part("", 0, ()), ())
        ordinal, interval = part.get("ordinal"), part.get("start_interval")
        before, after = _buffers(part.get("buffer"))
        own = part.get("available_periods")
        periods = self._periods.read(own, least=0) if own else ()
        shape = Part(
            sequence_id=self._sequence_id(part["sequence_id"]),
            duration=part["required_duration"].minutes(least=1) or 0,
            groups=(),
            ordinal=ordinal.integer() if ordinal else None,
            start_interval=_interval(interval) if interval else None,
            before=before,
            after=after,
        )
        groups = [self._group(each, periods) for each in part["participants"].items(1, MOST_GROUPS)]
        self._count(part["participants"], groups)
        return AskedPart(shape, tuple(groups))

    def _sequence_id(self, value: Value) -> str | int:
        """An Integer comes back as it was sent."""
        read = value.identifier()
        if read is None:
            return ""
        if str(read) in self._ids:
            value.wrong(Key.DUPLICATE, "must be unique in the request")
        self._ids.add(str(read))
        return read

    def _group(self, value: Value, periods: Sequence[Period]) -> AskedGroup:
        group = value.object()
        if group is None:
            return AskedGroup(())
        listed = group["members"].items(1, MOST_ACCOUNTS)
        members: list[AskedMember] = []
        for each in listed:
            member = self._members.read(each, periods)
            if member is None:
                continue
            if member.sub and any(member.sub == other.sub for other in members):
                each.wrong(Key.DUPLICATE, "is in this group already")
            members.append(member)
        required = group.get("required")
        return AskedGroup(tuple(members), _required(required, len(listed)) if required else None)

    def _count(self, participants: Value, groups: Sequence[AskedGroup]) -> None:
        before = len(self._accounts)
        self._accounts |= {member.sub for group in groups for member in group.members} - {""}
        if before <= MOST_ACCOUNTS < len(self._accounts):
            participants.wrong(
                Key.TOO_MANY, f"no more than {MOST_ACCOUNTS} accounts over all groups of all parts"
            )


def _required(value: Value, members: int) -> int | None:
    """How many of a group take part; None is all."""
    if not value.is_text():
        return value.integer(range(1, max(members, 1) + 1))
    if value.text() not in (None, "all"):
        value.wrong(Key.INVALID, 'must be "all" or an Integer')
    return None


def _interval(value: Value) -> int | None:
    minutes = value.minutes()
    if minutes is not None and minutes not in INTERVALS:
        value.wrong(Key.INVALID, f"must be one of {', '.join(map(str, INTERVALS))} minutes")
    return minutes


def _buffers(value: Value | None) -> tuple[Buffer, Buffer]:
    buffers = value.object() if value else None
    if buffers is None:
        return Buffer(), Buffer()
    return _buffer(buffers.get("before")), _buffer(buffers.get("after"))


def _buffer(value: Value | None) -> Buffer:
    """A minimum and a maximum, or a bare Duration, which is a minimum: so plain availability queries do."""
    buffer = value.object() if value else None
    if value is None or buffer is None:
        return Buffer()
    least, most = buffer.get("minimum"), buffer.get("maximum")
    if buffer.get("hours") or buffer.get("minutes"):
        if least or most:
            value.wrong(Key.INVALID, "must be either a Duration or a minimum and a maximum")
        return Buffer(value.minutes() or 0)
    minimum = (least.minutes() if least else 0) or 0
    maximum = most.minutes() if most else None
    if most is not None and maximum is not None and maximum < minimum:
        most.wrong(Key.INVALID, "must not be less than the minimum")
    return Buffer(minimum, maximum)


def _excluded(value: Value | None) -> Excluded:
    event_ids, event_uids = set(), set()
    for item in value.items() if value else ():
        event = item.object()
        if event is None:
            continue
        event_id, event_uid = event.get("event_id"), event.get("event_uid")
        if (event_id is None) == (event_uid is None):
            item.wrong(Key.INVALID, "must have either event_id or event_uid")
            continue
        if event_id is not None:
            event_ids.add(str(event_id.identifier()))
        elif event_uid is not None:
            event_uids.add(event_uid.text() or "")
    return Excluded(frozenset(event_ids), frozenset(event_uids))
