"""What operators do with delayed writes: have them tried now, by command, by a check, or in the console."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from bookings.accounts import Accounts, ClosedAccount
from bookings.clock import moment
from bookings.delayed import DelayedWrite, Filter, counted, lane_of
from bookings.identity import write_id
from bookings.operating import note
from bookings.patience import to_the_end
from bookings.record import NOT_CONFIGURED, UNROUTED, WriteState
from bookings.store import Store
from config.settings import CalendarAddress

_AT_ONCE = 100


class Chosen(NamedTuple):
    """Which writes are meant, as the audit record keeps it: bookings by their ids, or what a filter means."""

    ids: tuple[str, ...] = ()
    wanted: Filter = Filter()
    everything: bool = False


class Plan(NamedTuple):
    """What is to become of one write, or has."""

    found: DelayedWrite
    said: str
    done: bool
    """Whether it is tried now."""
    parked: bool = False
    """Whether one request has to try its account first."""


async def planned(store: Store, found: Iterable[DelayedWrite]) -> list[Plan]:
    """What would become of each of the writes; nothing is changed.

    What waits for an account that its provider pauses is refused: coming early makes the pause longer. Of a
    parked account, one request tries it, and the others follow if that goes well.
    """
    now = await store.now()
    closed = {each.name: each for each in await Accounts(store).closed() if each.until > now}
    return [_plan(each, closed) for each in found]


async def try_now(
    store: Store,
    chosen: Chosen,
    found: Iterable[DelayedWrite],
    *,
    who: str,
    into: list[Plan] | None = None,
) -> list[Plan]:
    """Has the writes tried now, as it was `planned`, and notes it in the audit record.

    What was done until it was interrupted is noted too, and stands in `into` where the caller brings a list.
    """
    plans = await planned(store, found)
    passed: list[Plan] = [] if into is None else into

    async def ask(plan: Plan) -> None:
        if plan.done:
            await store.ask(plan.found.booking, plan.found.part, f"retry {plan.found.write.id}")
        passed.append(plan)

    try:
        for account, lane in {(plan.found.account, plan.found.lane) for plan in plans if plan.parked}:
            await Accounts(store).try_now(account, lane)
        for plan in plans:
            await to_the_end(ask(plan))
    finally:
        done = sum(plan.done for plan in passed)
        what = {"count": done, "refused": len(passed) - done, "left": len(plans) - len(passed)}
        await to_the_end(note(store, who, "retry", filter=_shown(chosen), **what))
    return passed


async def look_for_routes(store: Store) -> None:
    """Has everything looked at now that waits for a configuration with its route, or with its calendar."""
    waiting = await store.redis.zrange(store.keys.delayed_at(UNROUTED, WriteState.RETRYING), 0, -1)
    places = [member.decode().split(":") for member in waiting]
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        await asyncio.gather(*(store.ask(bid, pid, f"retry {UNROUTED}") for bid, pid in some))
    for each in await counted(store):
        if each.why == NOT_CONFIGURED:
            await store.wake_calendar(each.id)


async def calendar_works(store: Store, account: str, addresses: Sequence[CalendarAddress]) -> int:
    """A calendar was just seen to work: what waits for it, or for its account, goes on.

    `addresses` are those that it may have in the record. Gives how many writes that were parked for it are
    tried at once.
    """
    await Accounts(store).try_now(account, lane_of(account, addresses[0]))
    return sum([await store.wake_calendar(write_id(address)) for address in addresses])


def _plan(found: DelayedWrite, closed: Mapping[str, ClosedAccount]) -> Plan:
    waits = [closed[name] for name in (found.account, found.lane) if name in closed]
    for each in waits:
        if each.state == "paused":
            until = f"{moment(each.until)} ({each.reason})"
            return Plan(found, f"refused: {each.name} is paused by its provider until {until}", done=False)
    if waits:
        words = f"tried once a request has shown whether {waits[0].name} works again ({waits[0].reason})"
        return Plan(found, words, done=True, parked=True)
    return Plan(found, "tried now", done=True)


def _shown(chosen: Chosen) -> dict[str, Any]:
    given = {name: value for name, value in msgspec.to_builtins(chosen.wanted).items() if value is not None}
    return {**given, "ids": list(chosen.ids), "all": chosen.everything}
