"""Reading many calendars at once, each for as long as it may take.

What cannot be read is said to be so, and with what code; nobody may take it for free.
"""

import asyncio
from collections.abc import Mapping

import msgspec
import structlog
from redis.exceptions import RedisError

from bookings.clock import now_ms
from scheduler.query import Period
from workers.calendars.directory import Directory
from workers.calendars.reading import CalendarEvent, Readable
from workers.errors import AccountWaits, CalendarError, ErrorClass

TOO_SLOW = "read_too_slow"

_log = structlog.get_logger()


class Unreadable(msgspec.Struct, frozen=True):
    """A calendar of which nothing is known, and why: the provider's code, or our own."""

    code: str


async def read(
    directory: Directory, wanted: Mapping[str, bool], period: Period, *, within_s: float
) -> dict[str, tuple[CalendarEvent, ...] | Unreadable]:
    """Reads calendars, all at the same time; the trouble of one does not reach another.

    Args:
        directory: opens them, and has the requests wait for their accounts as the workers' do.
        wanted: the calendars by their configured names; whether more is needed of them than busy times: who
            is tentative, ids, tags.
        period: of which time. Events beside it may be given, too.
        within_s: how long each may take, waiting for its account included.
    """
    outcomes = await asyncio.gather(
        *(_outcome(directory, name, details, period, within_s) for name, details in wanted.items())
    )
    return dict(zip(wanted, outcomes, strict=True))


async def _outcome(
    directory: Directory, name: str, details: bool, period: Period, within_s: float
) -> tuple[CalendarEvent, ...] | Unreadable:
    try:
        async with asyncio.timeout(within_s):
            return tuple(await _events(directory.readable(name), details, period))
    except TimeoutError:
        code = TOO_SLOW
    except CalendarError as error:
        code = error.code
    except (RedisError, OSError):
        code = "redis_unavailable"
    except Exception as error:  # noqa: BLE001 - a defect of ours in one calendar is not the others'
        _log.exception("calendar_reading_crashed", calendar=name)
        code = f"unexpected {type(error).__name__}"
    _log.warning("calendar_unreadable", calendar=name, code=code)
    return Unreadable(code)


async def _events(calendar: Readable, details: bool, period: Period) -> list[CalendarEvent]:
    """Reads one calendar, again and again while its account is only busy."""
    while True:
        try:
            return await (calendar.events if details else calendar.free_busy)(*period)
        except AccountWaits as waits:
            if not waits.busy:
                raise
            await asyncio.sleep(max(0, waits.until - now_ms()) / 1000)
        except CalendarError as error:
            if error.error_class in (ErrorClass.THROTTLED, ErrorClass.AUTH):
                await calendar.lane.close(error)  # the workers' requests wait, too
            raise
