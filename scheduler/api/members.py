"""Reads the members of a group: who they are, which of their calendars count, when and how often. Pure."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

from config.leave import Leave
from config.settings import Person, Settings
from scheduler.api.periods import PeriodReader, overlap
from scheduler.api.problems import Key
from scheduler.api.values import Object, Value
from scheduler.query import Limit, Per, Period
from scheduler.sequenced import AskedLimit, AskedMember

_ELSEWHERE = ("managed_availability", "availability_rule_ids")
"""What Cronofy would look up among the settings it keeps for an account; we have none of them."""


class MemberReader:
    """Reads members, who are people of the configuration."""

    def __init__(self, settings: Settings, periods: PeriodReader, leave: Leave | None) -> None:
        self._settings, self._periods, self._leave = settings, periods, leave

    def read(self, value: Value, within: Sequence[Period]) -> AskedMember | None:
        """A member of a part that lies within these periods; none are all."""
        member = value.object()
        if member is None:
            return None
        sub = member["sub"].text(ascii_only=True)
        known = sub is not None and (self._leave is None or sub in self._leave.people)
        person = self._settings.person(sub) if sub is not None and known else None
        if sub is not None and person is None:
            member["sub"].wrong(
                Key.UNKNOWN,
                f'nobody here; add [[people]] with sub = "{sub}" and calendars to the configuration, and the '
                "sub to the people of the app",
            )
        tentative, constraints = member.get("ignore_tentative"), member.get("availability_constraints")
        _refuse_elsewhere(member)
        return AskedMember(
            sub=sub or "",
            calendars=self._calendars(member.get("calendar_ids"), person),
            available=self._available(member.get("available_periods"), within),
            ignore_tentative=(tentative.flag() if tentative else None) or False,
            limits=tuple(map(_limit, constraints.items())) if constraints else (),
        )

    def _available(self, value: Value | None, within: Sequence[Period]) -> tuple[Period, ...] | None:
        own = self._periods.read(value) if value else ()
        if own and within:
            return overlap(own, within)
        return own or tuple(within) or None

    def _calendars(self, value: Value | None, person: Person | None) -> tuple[str, ...]:
        """Our names of the calendars, in the person's order; all of them where none are named."""
        asked: set[str] = set()
        for item in value.items() if value else ():
            name = item.text()
            if name is not None and person is not None:
                asked.add(self._calendar(item, name, person) or "")
        return tuple(name for name in (person.calendars if person else ()) if name in asked or not asked)

    def _calendar(self, item: Value, name: str, person: Person) -> str | None:
        calendar = self._settings.calendar_of_cronofy(name) or self._settings.calendar(name)
        if calendar is None or calendar.name not in person.calendars:  # whosever it is
            item.wrong(
                Key.UNKNOWN,
                f'no calendar of this person; add cronofy_id = "{name}" to one of their [[calendars]], and '
                "that to the calendars of their [[people]]",
            )
            return None
        return calendar.name


def _refuse_elsewhere(member: Object) -> None:
    for name in _ELSEWHERE:
        value = member.get(name)
        if value is not None and not value.is_empty():
            value.wrong(
                Key.UNSUPPORTED,
                "not supported; leave it out, and say in available_periods when they can meet",
            )


def _limit(value: Value) -> AskedLimit:
    constraint = value.object()
    if constraint is None:
        return AskedLimit(Limit(Per.DAY, 0))
    named = constraint["period"].text()
    per = next((each for each in Per if each == named), None)
    if named is not None and per is None:
        constraint["period"].wrong(Key.INVALID, "must be day or week")
    most = constraint["limit"].integer(range(1 << 31))
    zone = _zone(constraint, per)
    return AskedLimit(Limit(per or Per.DAY, most or 0, zone), _tags(constraint.get("tags")))


def _zone(constraint: Object, per: Per | None) -> tzinfo:
    if per is Per.DAY:
        return constraint["tzid"].zone() or UTC
    if per is Per.WEEK and constraint.get("tzid") is not None:
        constraint["tzid"].wrong(
            Key.INVALID, "only for days; leave it out, a week is Monday to Sunday in UTC"
        )
    return UTC


def _tags(value: Value | None) -> frozenset[str]:
    tags = value.object() if value else None
    if value is None or tags is None:
        return frozenset()
    if tags.has_more_than("private"):
        value.wrong(Key.UNSUPPORTED, 'has a context that is not supported; "private" is the only one')
    private = tags.get("private")
    found = [item.object() for item in (private.items() if private else ())]
    return frozenset(tag["value"].text() or "" for tag in found if tag is not None)
