"""What the demo does and what it expects; everything it shows was read back from the sandbox."""

import asyncio
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from bookings.identity import booking_id
from bookings.record import Booking, StoredPart
from bookings.store import Store
from cli.demo_world import DemoPorts, SandboxControl
from cli.output import print_table, words
from cli.send import post
from config.settings import Settings
from receiver.signature import signature

APP = "hiring"
CALLBACK = (files("cli") / "callbacks" / "sequencing.json").read_bytes()
NEW_PART = "789"
_WAIT_S = 20.0

Event = dict[str, Any]


def rescheduled(body: bytes) -> bytes:
    """The documented callback, two hours later."""
    text = body.decode()
    for hour in (13, 12, 11):
        text = text.replace(f"T{hour}:00:00Z", f"T{hour + 2}:00:00Z")
    return text.encode()


def stuck(body: bytes) -> bytes:
    """Another booking: one of its parts no route leads anywhere, the other has no time."""
    data = json.loads(body)
    data["event"]["event_id"] = "another-booking"
    first, second = data["sequence"]
    timeless = {name: value for name, value in second["event"].items() if name not in ("start", "end")}
    data["sequence"] = [{**first, "sequence_id": NEW_PART}, {**second, "event": timeless}]
    return json.dumps(data).encode()


class Demo:
    """The six things the demo shows, each with what must have come of it.

    `add_route` has a route for part 789 written into the configuration, and the processes read it.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sandbox: SandboxControl,
        ports: DemoPorts,
        add_route: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._sandbox = sandbox
        self._url = f"http://127.0.0.1:{ports.receiver}/callbacks/{APP}"
        self._add_route = add_route
        self._wrong: list[str] = []

    async def run(self) -> bool:
        """Runs them in order; True where everything was as it should be."""
        first = await self._booked()
        await self._repeated(first)
        await self._moved(first)
        await self._forged(first)
        await self._stuck()
        await self._routed()
        for each in self._wrong:
            words.print(f" {each}", lead="wrong:", style="bold red")
        words.print()
        if self._wrong:
            words.print(lead=f"{len(self._wrong)} things are not as they should be.", style="bold red")
        else:
            good = "Everything read back from the calendars is as it should be."
            words.print(lead=good, style="bold green")
        return not self._wrong

    def _begin(self, step: str, what: str) -> None:
        words.print()
        words.print(f" {what}", lead=f"{step}:")

    async def _booked(self) -> list[Event]:
        self._begin("1. A time is picked", "Cronofy's documented callback, signed with the second secret")
        await self._send(CALLBACK, 202, "accepted")
        booking = await self._done(CALLBACK)
        events = await self._sandbox.events()
        self._expect_parts(events, booking, hour=11)
        self._show(events, booking)
        return events

    async def _repeated(self, first: list[Event]) -> None:
        self._begin("2. The same bytes again", "a duplicate, and nothing is written")
        await self._send(CALLBACK, 200, "duplicate")
        self._expect(await self._sandbox.events() == first, "the repeat changed the calendars")

    async def _moved(self, first: list[Event]) -> None:
        self._begin("3. Rescheduled by two hours", "the same events move")
        later = rescheduled(CALLBACK)
        await self._send(later, 202, "accepted")
        booking = await self._done(later)
        events = await self._sandbox.events()
        self._expect_parts(events, booking, hour=13)
        self._expect(
            [event["id"] for event in events] == [event["id"] for event in first], "other events than before"
        )
        self._show(events, booking)

    async def _forged(self, first: list[Event]) -> None:
        self._begin("4. A wrong signature", "refused, and nothing is stored")
        status, answer = await post(self._url, CALLBACK, signature(CALLBACK, secret="a guess"))  # noqa: S106 - it is
        self._answered(status, answer, 401, None)
        self._expect(len(await self._sandbox.events()) == len(first), "a forged callback was written")

    async def _stuck(self) -> None:
        self._begin("5. Two parts that cannot be written", "one waits for a route, one is a dead letter")
        await self._send(stuck(CALLBACK), 202, "accepted")
        booking = await self._reached(stuck(CALLBACK), lambda booking: all(map(_reason, booking.parts)))
        self._expect(
            [_reason(part) for part in booking.parts] == ["unrouted", "permanent"],
            f"the parts are {[_reason(part) for part in booking.parts]}",
        )
        self._expect(len(await self._store.dead_letters(limit=10)) == 1, "there is not one dead letter")
        print_table(
            ("part", "state", "reason", "what to do"),
            [
                (str(part.part.sequence_id), write.state, write.reason, write.detail)
                for part in booking.parts
                for write in part.writes
            ],
        )

    async def _routed(self) -> None:
        self._begin("6. A route for it, read by the running processes (SIGHUP)", "the part is written")
        self._add_route()
        written = await self._reached(stuck(CALLBACK), lambda booking: booking.parts[0].state == "done")
        events = [each for each in await self._sandbox.events() if each["summary"] == "Pre screen"]
        self._expect(len(events) == 2, f"there are {len(events)} events called Pre screen, not 2")
        self._show(events, written)

    async def _send(self, body: bytes, status: int, result: str) -> None:
        secret = self._settings.apps[0].client_secrets[1]
        answered, answer = await post(self._url, body, signature(body, secret=secret.value()))
        self._answered(answered, answer, status, result)

    def _answered(self, status: int, answer: str, wanted: int, result: str | None) -> None:
        words.print(f"   {status} {answer}")
        self._expect(status == wanted, f"the answer was {status}, not {wanted}")
        if result is not None:
            self._expect(json.loads(answer).get("status") == result, f"the answer did not say {result}")

    async def _done(self, body: bytes) -> Booking:
        """Waits until nothing of the booking is open."""
        return await self._reached(body, lambda booking: booking.state != "open")

    async def _reached(self, body: bytes, where: Callable[[Booking], bool]) -> Booking:
        """Waits until the booking is so far."""
        bid = booking_id(APP, json.loads(body)["event"]["event_id"])
        booking: Booking | None = None
        with words.status("the worker writes ..."):
            for _ in range(int(_WAIT_S / 0.02)):
                booking = await self._store.booking(bid)
                if booking is not None and where(booking):
                    return booking
                await asyncio.sleep(0.02)
        assert booking is not None  # it was accepted
        self._expect(ok=False, problem=f"the booking is {booking.state} after {_WAIT_S:.0f} s")
        return booking

    def _expect_parts(self, events: list[Event], booking: Booking, *, hour: int) -> None:
        """One event for each part, in the calendar its route names, at the instant that was booked."""
        wanted = {
            ("google", "interviews@globex.example", "Pre screen", hour, hour + 1),
            ("microsoft", "panel@globex.example", "Face to face", hour + 1, hour + 2),
        }
        found = {
            (
                event["provider"],
                event["calendar"],
                event["summary"],
                _hour(event["starts_at"]),
                _hour(event["ends_at"]),
            )
            for event in events
        }
        self._expect(len(events) == 2, f"there are {len(events)} events, not 2")
        self._expect(found == wanted, f"the calendars hold {sorted(found)}")
        self._expect(booking.state == "done", f"the booking is {booking.state}")

    def _expect(self, ok: bool, problem: str) -> None:
        if not ok:
            self._wrong.append(problem)

    def _show(self, events: list[Event], booking: Booking) -> None:
        by_id = {event["id"]: event for event in events}
        rows = []
        for part in booking.parts:
            for write in part.writes:
                event = by_id.get(write.event_id)
                if event is not None:
                    rows.append(
                        (
                            str(part.part.sequence_id),
                            f"{event['provider']}: {event['calendar']}",
                            event["summary"],
                            f"{event['local_start']} - {event['local_end'][11:16]}",
                            event["id"][:40],
                        )
                    )
        print_table(("part", "calendar", "event", "local time", "event id"), rows)


def _reason(part: StoredPart) -> str:
    """Why a part is not written; nothing where it is, or nobody has looked at it yet."""
    return next((write.reason for write in part.writes), "")


def _hour(moment: str) -> int:
    """The hour in UTC of a time as the sandbox prints it, on the day of the documented callback; else -1."""
    return int(moment[11:13]) if moment.startswith("2026-04-30T") and moment.endswith(("Z", "+00:00")) else -1
