"""How long healthy bookings take beside another mailbox's, account's or app's trouble."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp

from bench.callbacks import booking
from bench.figures import Bar, Figures, Findings, percentile, ratio, take_turns
from bench.filling import NO_LIMIT
from bench.world import World, world
from bookings.accounts import Accounts
from bookings.identity import booking_id, delivery_id
from bookings.store import Store
from receiver.callback import Callback, read_callback

TITLE = "Neighbours"
OURS, ALONE = "beside it", "alone"
_SECONDS, _A_SECOND = 20, 5
_WITHIN_S = 120.0
_REPLY_S = 0.02
_SLOW = "delay;seconds=0.2"
"""Beside them, a mailbox is written at its own pace, and not at the sandbox's."""
_TROUBLED = "microsoft-hr/trouble@globex.example"
_ACCOUNTS = """
[[apps]]
name = "other"
client_secrets = ["file:cronofy_current"]

[[accounts]]
name = "microsoft-refused"
provider = "microsoft"
tenant_id = "globex"
client_id = "sequence-sync"
client_secret = "file:cronofy_previous"
authority = "{authority}"
graph_endpoint = "{graph}"
ca_file = "sandbox-ca.pem"
"""
_PLACE = """
[[calendars]]
name = "{name}"
account = "{account}"
mailbox = "{name}@globex.example"

[[routes]]
app = "{app}"
sequence_id = "{name}"
calendars = ["{name}"]
"""
_PLACES = (
    ("trouble", "microsoft-hr", "hiring"),
    ("told", "microsoft-hr", "hiring"),
    ("refused", "microsoft-refused", "hiring"),
    ("other", "microsoft-hr", "other"),
)


class Trouble:
    """What goes on beside the healthy bookings: faults, and so many parts for a place."""

    def __init__(self, place: str, parts: int, *faults: tuple[str, str], app: str = "hiring") -> None:
        self.place = place
        self.parts = parts
        self.faults = faults
        self.app = app

    async def begin(self, here: World, store: Store, *, mark: str) -> None:
        """Puts it up."""
        await _put_up(here, self.faults)
        numbers = iter(range(self.parts))

        async def some() -> None:
            for number in numbers:
                await accept(store, f"{mark}-{number}", self.place, app=self.app)

        await asyncio.gather(*(some() for _ in range(16)))


async def _put_up(here: World, faults: Iterable[tuple[str, str]]) -> None:
    for fault, place in faults:
        path = f"*{place}@globex.example*"
        await here.sandbox.post("/faults", {"fault": fault, "path": path, "count": None})


TROUBLES: Mapping[str, Trouble | None] = {
    "nothing": None,
    "429 for 30 s, 2,000 parts waiting": Trouble("trouble", 2000, ("throttle;retry_after=30", "trouble")),
    "refused credentials, 2,000 parts": Trouble("refused", 2000),
    "5,000 waiting parts go on at once": Trouble("trouble", 5000, ("throttle;retry_after=60", "trouble")),
    "replies take 15 s, 500 parts": Trouble("trouble", 500, ("delay;seconds=15", "trouble")),
    "another mailbox of the account is told to wait now and then": Trouble(
        "trouble", 2000, ("throttle;retry_after=60", "trouble"), ("throttle;retry_after=1", "told")
    ),
    "5,000 bookings of another app": Trouble("other", 5000, (_SLOW, "other"), app="other"),
}


async def accept(store: Store, name: str, sequence_id: str, *, app: str = "hiring") -> str:
    """Accepts a booking with one part; gives its id."""
    known = sequence_id in ("123", "456")
    data = json.loads(booking(name, sequence_id=sequence_id if known else "456"))
    data["sequence"][0]["sequence_id"] = sequence_id
    body = json.dumps(data).encode()
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    await store.accept(
        app=app,
        event_id=name,
        delivery=delivery_id(app, None, body),
        parts=callback.parts,
        link=None,
        window_s=60,
        queue_limit=NO_LIMIT,
        dead_letters_limit=NO_LIMIT,
    )
    return booking_id(app, name)


async def run(rounds: int) -> Findings:
    """Measures."""
    rows, bars = [], []
    async with world() as here:
        _add_places(here)
        for workers in (1, 2):
            for case, trouble in TROUBLES.items():
                if trouble is None:
                    continue
                turns: dict[str, Callable[[], Awaitable[Figures]]] = {
                    OURS: partial(turn, here, trouble, workers),
                    ALONE: partial(turn, here, None, workers),
                }
                name = f"{case}; {workers} worker{'s'[: workers - 1]}"
                found = await take_turns(name, turns, rounds)
                rows += found
                beside, alone = found
                for figure, bar in (("p50 ms", 1.05), ("p99 ms", 2)):
                    bars.append(Bar(f"{figure}, {name}", ratio(beside, alone, figure), bar, at_least=False))
    return Findings(rows, bars)


async def turn(here: World, trouble: Trouble | None, workers: int) -> Figures:
    """Five healthy bookings a second, to Google and Microsoft by turns; how long from sent to written."""
    await here.empty()
    await _mailboxes(here)
    await here.delay(_REPLY_S)
    store, mark = here.store(), f"{time.time():.0f}"
    async with _workers(here, workers):
        await asyncio.gather(
            *(accept(store, f"{mark}-warm-{each}", ("123", "456")[each % 2]) for each in range(20))
        )
        await asyncio.sleep(1)
        if trouble is not None:
            await trouble.begin(here, store, mark=f"{mark}-trouble")
        if trouble is not None and trouble is TROUBLES["5,000 waiting parts go on at once"]:
            await _all_wait(store, trouble.parts)
            async with aiohttp.ClientSession(raise_for_status=True) as session:
                await session.delete(f"{here.sandbox.url}/_sandbox/faults")
            await here.delay(_REPLY_S)
            await _put_up(here, [(_SLOW, "trouble")])
            await Accounts(store).reopen("microsoft-hr", _TROUBLED)
        sent = await _healthy(store, mark, told=trouble is not None and len(trouble.faults) == 2)
        ways = await _ways(store, sent)
    await store.redis.aclose()
    return {"p50 ms": percentile(ways, 0.5), "p99 ms": percentile(ways, 0.99), "slowest ms": max(ways)}


async def _healthy(store: Store, mark: str, *, told: bool) -> dict[str, float]:
    sent: dict[str, float] = {}
    begun = time.monotonic()
    for number in range(_SECONDS * _A_SECOND):
        await asyncio.sleep(begun + number / _A_SECOND - time.monotonic())
        at = time.time()
        sent[await accept(store, f"{mark}-{number}", ("123", "456")[number % 2])] = at
        if told and number % 10 == 0:
            await accept(store, f"{mark}-told-{number}", "told")
    return sent


async def _ways(store: Store, sent: Mapping[str, float]) -> list[float]:
    """How long each took until it was written, in milliseconds."""
    ways: list[float] = []
    async with asyncio.timeout(_WITHIN_S):
        for bid, at in sent.items():
            while True:
                found = await store.booking(bid)
                writes = [write for part in found.parts for write in part.writes] if found else []
                if writes and all(write.written_at for write in writes):
                    ways.append(max(write.written_at for write in writes) - 1000 * at)
                    break
                await asyncio.sleep(0.1)
    return ways


async def _all_wait(store: Store, parts: int) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while await store.redis.zcard(store.keys.account(_TROUBLED, "waiting")) < parts:
            await asyncio.sleep(0.2)


@asynccontextmanager
async def _workers(here: World, count: int) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for number in range(count):
            await stack.enter_async_context(here.worker(number))
        yield


def _add_places(here: World) -> None:
    more = _ACCOUNTS.format(
        authority=f"https://localhost:{here.ports.authority}", graph=f"{here.sandbox.url}/graph/v1.0"
    )
    more += "".join(_PLACE.format(name=name, account=account, app=app) for name, account, app in _PLACES)
    here.config.write_text(here.config.read_text() + more)


async def _mailboxes(here: World) -> None:
    for name, _, _ in _PLACES:
        await here.sandbox.post("/calendars", {"provider": "microsoft", "mailbox": f"{name}@globex.example"})
