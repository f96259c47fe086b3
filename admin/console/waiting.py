"""What is parked or retried: by calendar, write by write, and tried now where an operator says so."""

from aiohttp import web

from admin.console.bookings import page_number
from admin.console.guard import Problem, who
from admin.console.rendering import page
from admin.console.world import WORLD, World
from bookings.delayed import DelayedWrite, Filter, counted, find, of_booking
from bookings.record import WriteState
from bookings.retry import Chosen, try_now

_A_PAGE = 50
_MOST_AT_ONCE = 2_000
_MOST_SHOWN = 200
_NAMES = ("calendar", "state")


async def show_waiting(request: web.Request) -> web.StreamResponse:
    """A page of the writes that wait: all, or those to one calendar, or of one state."""
    world, number = request.app[WORLD], page_number(request)
    given = {name: request.query.get(name, "").strip() for name in _NAMES}
    found = await _matching(world, _filter(given), most=number * _A_PAGE + 1)
    shown = found[(number - 1) * _A_PAGE :]
    return page(
        request,
        "waiting.html",
        given=given,
        filtered=any(given.values()),
        delayed=await counted(world.store),
        writes=shown[:_A_PAGE],
        number=number,
        more=len(shown) > _A_PAGE,
    )


async def retry(request: web.Request, fields: dict[str, list[str]]) -> web.StreamResponse:
    """Tries them now: those of a booking, or those that a filter means, the oldest first."""
    world = request.app[WORLD]
    bid = fields.get("booking", [""])[0]
    if bid:
        chosen = Chosen((bid,))
        booking = await world.store.booking(bid)
        found = of_booking(booking, world.accounts) if booking is not None else []
    else:
        wanted = _filter({name: fields.get(name, [""])[0] for name in _NAMES})
        chosen = Chosen((), wanted, wanted == Filter())
        found = await _matching(world, wanted, most=_MOST_AT_ONCE)
    if not found:
        raise Problem(
            404, "There is nothing to try", "It was written meanwhile, or has become a dead letter."
        )
    plans = await try_now(world.store, chosen, found, who=who(request))
    return page(
        request,
        "retried.html",
        plans=sorted(plans, key=lambda plan: plan.done)[:_MOST_SHOWN],
        count=len(plans),
        done=sum(plan.done for plan in plans),
        limited=len(plans) == _MOST_AT_ONCE,
    )


async def _matching(world: World, wanted: Filter, *, most: int) -> list[DelayedWrite]:
    found: list[DelayedWrite] = []
    async for each in find(world.store, wanted, world.accounts):
        found.append(each)
        if len(found) == most:
            break
    return found


def _filter(given: dict[str, str]) -> Filter:
    """Raises `Problem`."""
    state = given["state"]
    if state not in ("", WriteState.PARKED, WriteState.RETRYING):
        raise Problem(400, "There is no such state", "Writes that wait are parked or retrying.")
    return Filter(calendar=given["calendar"] or None, state=WriteState(state) if state else None)
