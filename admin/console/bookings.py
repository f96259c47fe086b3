"""Bookings: a day's, and one of them with all that was done for it."""

from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from admin.console.guard import NoSuchPage, Problem, who
from admin.console.rendering import page
from admin.console.world import WORLD
from bookings.clock import now_ms
from bookings.operating import note
from bookings.record import Booking
from bookings.showing import shown_event

_A_PAGE = 50
_DAY_MS = 86_400_000


async def show_bookings(request: web.Request) -> web.StreamResponse:
    """The bookings accepted on one day, today's at first; or those with an event_id."""
    world = request.app[WORLD]
    if wanted := request.query.get("find", "").strip():
        found = await world.store.bookings_called(wanted, [app.name for app in world.settings.apps])
        if len(found) == 1:
            raise web.HTTPSeeOther(f"/console/bookings/{found[0].id}")
        return page(request, "bookings_found.html", find=wanted, bookings=found)
    today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
    day = _day(request.query.get("day"), today)
    number = page_number(request)
    since = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    bookings = await world.store.bookings_accepted(
        since, since + _DAY_MS, skip=(number - 1) * _A_PAGE, limit=_A_PAGE + 1
    )
    return page(
        request,
        "bookings.html",
        find="",
        bookings=bookings[:_A_PAGE],
        day=day.isoformat(),
        before=(day - timedelta(days=1)).isoformat(),
        after=(day + timedelta(days=1)).isoformat() if day < today else "",
        is_today=day == today,
        number=number,
        more=len(bookings) > _A_PAGE,
    )


async def show_booking(request: web.Request) -> web.StreamResponse:
    """One booking; what its meetings say stays hidden."""
    return _booking_page(request, await _booking(request), reveal=False)


async def reveal_booking(request: web.Request, fields: dict[str, list[str]]) -> web.StreamResponse:
    """One booking with what its meetings say. That somebody looked is in the audit record first."""
    del fields
    booking = await _booking(request)
    await note(request.app[WORLD].store, who(request), "reveal", booking=booking.id)
    return _booking_page(request, booking, reveal=True)


def page_number(request: web.Request) -> int:
    """Which page of a list is asked for. Raises `Problem`."""
    text = request.query.get("page", "1")
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 100_000:
        raise Problem(400, "There is no such page", "Pages are counted from 1.")
    return int(text[:9])


def _booking_page(request: web.Request, booking: Booking, *, reveal: bool) -> web.Response:
    events = {part.id: shown_event(part.part, reveal=reveal) for part in booking.parts}
    waits = any(write.is_delayed for part in booking.parts for write in part.writes)
    return page(request, "booking.html", booking=booking, events=events, reveal=reveal, waits=waits)


async def _booking(request: web.Request) -> Booking:
    booking = await request.app[WORLD].store.booking(request.match_info["booking"])
    if booking is None:
        raise NoSuchPage
    return booking


def _day(text: str | None, today: date) -> date:
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= today.year + 1:
        raise Problem(400, "There is no such day", "Write it as 2026-11-20.")
    return day
