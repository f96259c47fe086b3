"""What the tests of the worker's side share: a world of sandbox, record and sync, and how to look at it."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from bookings.clock import now_ms
from bookings.errors import SealError
from bookings.identity import booking_id, delivery_id
from bookings.record import Booking, Write
from bookings.state import UNROUTED_AGAIN_S, UNROUTED_FOR_S
from bookings.store import Store
from config.settings import Settings
from receiver.callback import Callback, read_callback
from sandbox import inspection
from sandbox.inspection import SeenEvent
from sandbox.server import Sandbox
from tests.waiting import until
from workers.sync import Sync

GOOGLE = "interviews@globex.example"
MICROSOFT = "panel@globex.example"
PROVIDERS = ("google", "microsoft")
ROUTES = [
    {"app": "hiring", "sequence_id": "123", "calendars": ["interviews"]},
    {"app": "hiring", "sequence_id": "456", "calendars": ["panel"]},
    {"app": "hiring", "sequence_id": "both", "calendars": ["interviews", "panel"]},
    {"app": "hiring", "sequence_id": "google", "calendars": ["interviews"]},
    {"app": "hiring", "sequence_id": "microsoft", "calendars": ["panel"]},
]


def calendar_tables(sandbox: Sandbox) -> dict[str, Any]:
    """A configuration of two calendars in the sandbox, part 123 to Google's and part 456 to Microsoft's."""
    return {
        "accounts": [
            {
                "name": "google-hr",
                "provider": "google",
                "service_account": "env:GOOGLE",
                "api_endpoint": sandbox.google_endpoint,
            },
            {
                "name": "microsoft-hr",
                "provider": "microsoft",
                "tenant_id": "globex",
                "client_id": "sync",
                "client_secret": "env:MICROSOFT",
                "authority": sandbox.authority,
                "graph_endpoint": sandbox.graph_endpoint,
                "ca_file": sandbox.ca_file,
            },
        ],
        "calendars": [
            {"name": "interviews", "account": "google-hr", "calendar_id": GOOGLE},
            {"name": "panel", "account": "microsoft-hr", "mailbox": MICROSOFT},
        ],
        "routes": ROUTES,
    }


def calendar_secrets(sandbox: Sandbox) -> dict[str, str]:
    """The secrets behind it, known to the sandbox."""
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="microsoft-secret")
    return {"GOOGLE": json.dumps(sandbox.service_account_key()), "MICROSOFT": "microsoft-secret"}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms

    def advance(self, seconds: float) -> None:
        self.ahead_ms += int(seconds * 1000)


class World:
    """Accepts callbacks and works on them, without the processes around."""

    def __init__(self, settings: Settings, store: Store, sandbox: Sandbox, sync: Sync, clock: Clock) -> None:
        self.settings = settings
        self.store = store
        self.sandbox = sandbox
        self.sync = sync
        self.clock = clock

    async def accept(
        self, body: bytes, *, app: str = "hiring", link: str | None = None, prune: bool = False
    ) -> int:
        """Stores a delivery, as the receiver would; gives its revision."""
        callback = read_callback(body)
        assert isinstance(callback, Callback)
        accepted = await self.store.accept(
            app=app,
            event_id=str(callback.event_id),
            delivery=delivery_id(app, link, body),
            parts=callback.parts,
            link=link,
            window_s=0.001,
            queue_limit=1000,
            dead_letters_limit=1000,
            prune=prune,
        )
        return accepted.revision

    async def work(self) -> None:
        """Looks once at every open part; again at those for which their lane had no place."""
        members = await self.store.redis.zrange(self.store.keys.open, 0, -1)
        parts = [(bid, pid) for bid, pid in (member.decode().split(":") for member in members)]
        while parts:
            await asyncio.gather(*(self.sync.part(bid, pid) for bid, pid in parts))
            left = [part for part in parts if await self._stands_for_want_of_a_place(*part)]
            if len(left) == len(parts):
                return
            parts = left

    async def _stands_for_want_of_a_place(self, bid: str, pid: str) -> bool:
        try:
            booking = await self.store.booking(bid)
        except SealError:
            return False
        parts = () if booking is None else booking.parts
        return any(write.detail == "busy" for part in parts if part.id == pid for write in part.writes)

    async def work_until_done(self, *, rounds: int = 12) -> None:
        """Works, letting the time pass that retries wait for."""
        for _ in range(rounds):
            await self.work()
            if (await self.store.counts())["open"] == 0:
                return
            await self.let_pass(3600)
        raise AssertionError("parts are still open")

    async def let_pass(self, seconds: float) -> None:
        """Lets time pass, for the worker's clock and for those of accounts, which are Redis's."""
        self.clock.advance(seconds)
        keys, redis = self.store.keys, self.store.redis
        for name in await redis.smembers(keys.accounts):
            await redis.hincrbyfloat(keys.account(name.decode()), "until", -1000 * seconds)

    async def find_no_route(self) -> None:
        """Works for as long as a route is waited for."""
        for _ in range(UNROUTED_FOR_S // UNROUTED_AGAIN_S + 1):
            await self.work()
            await self.let_pass(UNROUTED_AGAIN_S)

    async def booking(self, body: bytes) -> Booking:
        callback = read_callback(body)
        assert isinstance(callback, Callback)
        booking = await self.store.booking(booking_id("hiring", str(callback.event_id)))
        assert booking is not None
        return booking

    async def cancel(self, body: bytes) -> None:
        """Withdraws a callback's booking, as an operator would."""
        await self.store.cancel((await self.booking(body)).id)

    async def write(self, body: bytes) -> Write:
        """The one write of a callback with one part that goes to one calendar."""
        [part] = (await self.booking(body)).parts
        [write] = part.writes
        return write

    def events(self, provider: str | None = None) -> list[SeenEvent]:
        """What stands in the calendars."""
        return [event for event in inspection.events(self.sandbox.state, provider) if event.live]

    def event(self, provider: str) -> SeenEvent:
        """The one event that stands in a provider's calendar."""
        events = self.events(provider)
        assert len(events) == 1
        return events[0]

    def fault(self, provider: str, fault: str, *, method: str = "*", count: int | None = 1) -> None:
        self.sandbox.state.faults.add(fault=fault, provider=provider, method=method, count=count)

    async def held(self) -> None:
        """Waits until a provider holds a reply back."""
        await until(lambda: self.sandbox.state.faults.held)

    def requests(self, provider: str) -> list[str]:
        """The methods of the requests that a provider got, in order."""
        return [each.method for each in self.sandbox.state.journal.requests if each.provider == provider]


def one_part(
    sequence_id: str,
    *,
    start: str = "2026-04-30T11:00:00Z",
    end: str = "2026-04-30T12:00:00Z",
    event_id: str = "booking-1",
    **fields: Any,
) -> bytes:
    """A callback with one part, routed by its `sequence_id`."""
    event = {"event_id": event_id, "start": start, "end": end, "summary": "Pre screen", **fields}
    return json.dumps(
        {
            "event": {
                "event_id": event_id,
                "start": {"time": "2026-04-30T11:00:00Z", "tzid": "Europe/London"},
                "end": {"time": "2026-04-30T13:00:00Z", "tzid": "Europe/London"},
                "summary": "Interview",
            },
            "participants": [],
            "sequence": [{"sequence_id": sequence_id, "event": event, "participants": [{"sub": "acc_1"}]}],
        }
    ).encode()


def utc(hour: int, minute: int = 0) -> datetime:
    """A time on the day of the documented callback."""
    return datetime(2026, 4, 30, hour, minute, tzinfo=UTC)
