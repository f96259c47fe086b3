"""The first page: how it stands, and how the last day went."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from admin.console.fleet import standing
from admin.console.picture import hours, quarters, waiting_picture, written_picture
from admin.console.rendering import page
from admin.console.world import WORLD
from bookings.accounts import Accounts
from bookings.clock import now_ms
from bookings.dead_letters import Filter
from bookings.delayed import Delayed, counted
from bookings.history import History
from bookings.operating import Selection, select
from bookings.reader import Counts
from bookings.record import WriteState

_NEWEST = 5
_LATE_MS = 60_000
_RETRIED_LONG_MS = 15 * 60_000


async def show_overview(request: web.Request) -> web.StreamResponse:
    """Counts, the picture, and what needs somebody."""
    world = request.app[WORLD]
    now = now_ms()
    samples = await History(world.store).last_day(now)
    bars = quarters(samples, now)
    counts, closed = await world.store.counts(), await Accounts(world.store).closed()
    delayed = await counted(world.store)
    processes = await standing(world)
    verdict, words = judged(counts, len(closed), delayed, now, len(processes.different))
    newest = Selection((), Filter(until=now), limit=_NEWEST)
    return page(
        request,
        "overview.html",
        verdict=verdict,
        words=words,
        counts=counts,
        closed=closed,
        delayed=delayed,
        parked=_parked(delayed),
        processes=processes,
        letters=[letter async for letter in select(world.store, newest, world.accounts)],
        pictures=[
            ("written", "Events written", written_picture(bars), ""),
            ("waiting", "Age of the oldest ready job", waiting_picture(bars), " s"),
        ]
        if samples
        else [],
        hours=hours(samples, now)[::-1],
        marks=[bars[at].start for at in range(0, len(bars), 24)],
    )


def judged(
    counts: Counts, closed: int, delayed: Sequence[Delayed] = (), now: int = 0, different: int = 0
) -> tuple[str, str]:
    """How it stands in one sentence, and whether that is good, to be warned of, or bad."""
    troubles = []
    retrying = [each for each in delayed if each.state is WriteState.RETRYING]
    late = sum(now - each.since > _RETRIED_LONG_MS for each in retrying)
    if counts["dead"]:
        troubles.append(_several(counts["dead"], "dead letter needs a person", "dead letters need a person"))
    if closed:
        troubles.append(_several(closed, "account is made to wait", "accounts are made to wait"))
    if parked := _parked(delayed):
        troubles.append(_several(parked, "write is parked", "writes are parked"))
    if late:
        what = "been taking no writes for a quarter of an hour"
        troubles.append(_several(late, f"calendar has {what}", f"calendars have {what}"))
    if different:
        troubles.append(
            _several(different, "process differs", "processes differ") + " from the configuration"
        )
    if counts["oldest_ready_ms"] > _LATE_MS:
        minutes = counts["oldest_ready_ms"] // 60_000
        troubles.append(f"the queue is {_several(minutes, 'minute', 'minutes')} behind: do workers run?")
    if troubles:
        *first, last = troubles
        sentence = f"{', '.join(first)} and {last}" if first else last
        return "bad" if counts["dead"] else "warn", sentence[0].upper() + sentence[1:] + (
            "" if sentence.endswith("?") else "."
        )
    if counts["open"]:
        parts = _several(counts["open"], "part is on its way", "parts are on their way")
        return "good", f"Nothing needs you; {parts}."
    return "good", "Everything that came in stands in its calendars."


def _parked(delayed: Iterable[Delayed]) -> int:
    return sum(each.count for each in delayed if each.state is WriteState.PARKED)


def _several(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
