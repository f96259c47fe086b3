"""Which events in a calendar are ours, and how one of ours is removed.

Our key in an event's private property does not say it: a copy that a person made carries the property, too.
Ours is the event whose id the record knows, and one that has what only a create of ours can have set
(`Found.proof`). All others are theirs: never changed, never deleted, only reported.
"""

import structlog

from bookings.record import Write
from workers.calendars.port import Calendar, Found
from workers.errors import CalendarError, ErrorClass
from workers.metrics import ALARMS, COPIES, Alarm

UNSEEN_MS = 600_000
"""How long a provider may not show what we wrote: reads lag behind writes, by id as well as in searches.

Only an event that is not there longer than that is gone.
"""

_log = structlog.get_logger()


async def own_events(calendar: Calendar, key: str, *, event_id: str, uid: str) -> list[Found]:
    """Gives our events under a key, the recorded one first, then the oldest. Raises `CalendarError`.

    One with another key among them has our id and has become somebody else's.

    Args:
        calendar: where they were made.
        key: our key.
        event_id: the provider's id of the event that the record knows; empty for none.
        uid: that event's uid, which survives what changes even an immutable id.
    """
    carriers = await calendar.find(key)
    if event_id and all(each.event_id != event_id for each in carriers):
        carriers += await _recorded(calendar, key, event_id)
    ours = [each for each in carriers if _is_ours(calendar, each, key, event_id, uid)]
    if uid and not ours:
        elsewhere = await calendar.find_elsewhere(key)
        carriers += elsewhere
        ours = [each for each in elsewhere if each.uid == uid]
    for each in carriers:
        if each not in ours:
            COPIES.inc()
            _log.warning("copy_left_alone", provider_id=each.event_id)
    return sorted(ours, key=lambda each: (each.event_id != event_id, each.created))


async def _recorded(calendar: Calendar, key: str, event_id: str) -> list[Found]:
    """What a search does not show (yet, or because a person moved it to another calendar), by its id."""
    found = await calendar.get(event_id)
    if found is None or found.key not in ("", key):
        return []
    return [found] if found.cancelled or await calendar.stands(event_id) else []


def _is_ours(calendar: Calendar, found: Found, key: str, event_id: str, uid: str) -> bool:
    return found.event_id == event_id or found.proof == calendar.proof(key) or bool(uid and found.uid == uid)


async def only_one(calendar: Calendar, ours: list[Found], key: str) -> Found | None:
    """Gives the one of our events to go on with; of several that stand, those made twice are removed."""
    live = [event for event in ours if not event.cancelled]
    for double in live[1:]:
        if double.proof != calendar.proof(key):
            continue
        _log.error(Alarm.DUPLICATE_EVENT_REMOVED, provider_id=double.event_id)
        ALARMS.labels(Alarm.DUPLICATE_EVENT_REMOVED).inc()
        await calendar.delete(double.event_id)
    return next(iter(live or ours), None)


async def remove(calendar: Calendar, write: Write, key: str, *, revision: int, now: int) -> Found | None:
    """Removes our event from a calendar; one that holds a newer revision is left, and given.

    Raises `CalendarError`.

    Args:
        calendar: where from.
        write: what the record says of it.
        key: our key of the write's generation.
        revision: the revision in which the part no longer goes there.
        now: Unix milliseconds.
    """
    ours = await own_events(calendar, key, event_id=write.event_id, uid=write.uid)
    live = [event for event in ours if not event.cancelled]
    if not live:
        if write.event_id and not ours and now - write.written_at < UNSEEN_MS:
            raise await not_seen_yet(calendar)
        await calendar.probe()  # nothing is found in a calendar that is gone, either
    left: Found | None = None
    for event in live:
        if event.key not in ("", key):
            continue  # somebody else's by now
        if event.revision <= revision:
            await delete(calendar, event)
        elif left is None or event.revision > left.revision:
            left = event
    return left


async def delete(calendar: Calendar, event: Found) -> None:
    """Deletes, and looks whether that had any effect: a DELETE may be answered well and do nothing.

    Raises `CalendarError`.
    """
    if event.recurring:
        raise made_recurring()
    await calendar.delete(event.event_id)
    if await is_there(calendar, event.event_id):
        raise CalendarError(ErrorClass.TRANSIENT, "still_there_after_delete")


async def is_there(calendar: Calendar, event_id: str) -> bool:
    """Whether an event stands in a calendar, as far as that is shown. Raises `CalendarError`."""
    there = await calendar.get(event_id)
    return there is not None and not there.cancelled and await calendar.stands(event_id)


async def not_seen_yet(calendar: Calendar) -> CalendarError:
    """What is raised where our event is not there, and was written too lately for that to be believed.

    Raises it itself where the calendar is not there, either.
    """
    await calendar.probe()
    return CalendarError(ErrorClass.TRANSIENT, "not_seen_yet")


def made_recurring() -> CalendarError:
    """A person made a series of our event: to change its time would shift, to delete it would end all of
    them.
    """
    return CalendarError(ErrorClass.PERMANENT, "event_made_recurring")
