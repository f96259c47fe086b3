"""What the events of a calendar mean to availability: times that they block, limits that count them.

Whoever reads the calendars leaves out what does not take place for the person: cancelled and declined events.
"""

from collections.abc import Iterable

import msgspec

from scheduler.engine.frame import frame_of, whole_minutes
from scheduler.engine.limits import bounds_of
from scheduler.query import Period, Query
from workers.calendars.reading import CalendarEvent, Shown


class Excluded(msgspec.Struct, frozen=True):
    """`excluded_events`: what is not considered at all."""

    event_ids: frozenset[str] = frozenset()
    """Of bookings; calendars know them only by the `event_uids` of what was written for them."""
    event_uids: frozenset[str] = frozenset()

    def names(self, event: CalendarEvent) -> bool:
        """Whether the event is one of them."""
        return event.uid in self.event_uids


NOTHING = Excluded()


def busy_periods(
    events: Iterable[CalendarEvent], *, ignore_tentative: bool = False, excluded: Excluded = NOTHING
) -> tuple[Period, ...]:
    """When the events keep the person from meeting."""
    blocking = {Shown.BUSY} if ignore_tentative else {Shown.BUSY, Shown.TENTATIVE}
    return tuple(
        Period(event.start, event.end)
        for event in events
        if event.shown in blocking and not excluded.names(event)
    )


def counted_periods(
    events: Iterable[CalendarEvent], *, tags: frozenset[str] = frozenset(), excluded: Excluded = NOTHING
) -> tuple[Period, ...]:
    """The events that a limit counts: those with all of the tags, however they are shown.

    A whole day that is free and has no tags is a note or a holiday. What is in several calendars counts once,
    and not at all if it is excluded in one of them.
    """
    known = [(_identity(event, place), event) for place, event in enumerate(events)]
    left_out = {identity for identity, event in known if excluded.names(event)}
    counted = {
        identity: Period(event.start, event.end)
        for identity, event in known
        if tags <= event.tags
        and identity not in left_out
        and (event.tags or not event.all_day or event.shown is not Shown.FREE)
    }
    return tuple(counted.values())


def _identity(event: CalendarEvent, place: int) -> tuple[int | str, int, int]:
    """What is equal for one event, or occurrence, in all calendars; events without any id are told apart."""
    return event.ical_uid or event.uid or place, event.start, event.end


def to_read(query: Query) -> Period:
    """From when to when events matter to a query, whose `busy` and `events` may still be empty.

    The query periods with the buffers around them, and all days and weeks of limits that these touch.
    """
    frame = frame_of(query.parts, whole_minutes(query.periods))
    bounds = [
        bound
        for part in query.parts
        for group in part.groups
        for member in group.members
        for limit in member.limits
        for bound in bounds_of(limit, frame)
    ]
    return Period(min([frame.first, *bounds]) * 60, max([frame.last, *bounds]) * 60)
