"""Compares what was acknowledged with what is in the record and in the calendars."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from bookings.identity import booking_id, write_key
from bookings.record import StoredPart, Write, WriteState
from bookings.store import Store
from sandbox.inspection import SeenEvent
from tests.chaos.people import Identity, identity
from tests.chaos.plan import SINGLE, BookedPart, Delivery, mark
from tests.chaos.traffic import Traffic

APP = "hiring"
_ALL = 1_000_000

Where = tuple[str, str]
Standing = dict[tuple[str, str], dict[Where, list[SeenEvent]]]
"""The events of each part, by its booking's event_id and its name, in each calendar."""


class Verdict:
    """What is wrong, and how much there was of everything."""

    def __init__(
        self, traffic: Traffic, events: list[SeenEvent], copies: Mapping[Identity, SeenEvent]
    ) -> None:
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self._traffic = traffic
        self._mark = re.compile(mark(rf"({traffic.nonce}-\d+)", "(.*)") + r"\d+$")
        self._said = {
            part.summary
            for deliveries in traffic.bookings.values()
            for delivery in deliveries
            for part in delivery.parts
        }
        ours = [event for event in events if identity(event) not in copies]
        self._live = self._by_part(event for event in ours if event.live)
        self._gone = self._by_part(event for event in ours if not event.live)
        self._dead: set[str] = set()
        self._untouched(copies, {identity(event): event for event in events})

    async def reach(self, store: Store) -> None:
        """Looks at every booking, every delivery that could not be read, and every event."""
        for event_id, deliveries in self._traffic.bookings.items():
            await self._booking(store, event_id, [each for each in deliveries if each.revision])
        for delivery in self._traffic.unreadable:
            await self._unreadable(store, delivery)
        for (event_id, name), calendars in self._live.items():
            for (_, calendar), events in calendars.items():
                self.counts["strays"] += len(events)
                self._wrong(event_id, name, f"{len(events)} stray event(s) in {calendar}")
        listed = {member for member, _ in await store.dead_letters(limit=_ALL)}
        self.counts["dead letters"] = len(listed)
        for member in listed ^ self._dead:
            self.problems.append(
                f"dead letter {member}: only in the {'list' if member in listed else 'record'}"
            )

    def _untouched(self, copies: Mapping[Identity, SeenEvent], found: Mapping[Identity, SeenEvent]) -> None:
        """What people made of our events is theirs."""
        self.counts["copies"] = len(copies)
        for name, copy in copies.items():
            if found.get(name) != copy:
                self.counts["copies touched"] += 1
                self.problems.append(
                    f"{copy.summary!r}, which a person copied in {copy.calendar}, was touched"
                )

    def _wrong(self, event_id: str, part: str, what: str) -> None:
        self.problems.append(f"{event_id} part {part or '(single)'}: {what}")

    def _by_part(self, events: Iterator[SeenEvent]) -> Standing:
        found: Standing = defaultdict(lambda: defaultdict(list))
        for event in events:
            known = self._mark.search(event.summary) if event.summary in self._said else None
            event_id, name = known.groups() if known else ("?", event.summary)
            found[event_id, name.removeprefix(SINGLE)][event.provider, event.calendar].append(event)
        return found

    async def _booking(self, store: Store, event_id: str, deliveries: list[Delivery]) -> None:
        if not deliveries:
            return
        self.counts["bookings"] += 1
        newest: dict[str, tuple[int, BookedPart]] = {}
        for delivery in sorted(deliveries, key=lambda each: each.revision):
            newest |= {part.name: (delivery.revision, part) for part in delivery.parts}
        bid = booking_id(APP, event_id)
        booking = await store.booking(bid)
        if booking is None:
            self.problems.append(f"{event_id}: acknowledged, but there is no record of it")
            return
        if booking.revision != max(delivery.revision for delivery in deliveries):
            self.problems.append(
                f"{event_id}: the record has revision {booking.revision}, not the newest acknowledged"
            )
        if (booking.state == "done") != (booking.expires_at is not None):
            self.problems.append(f"{event_id}: {booking.state}, and expires at {booking.expires_at}")
        stored = {part.part.sequence_text or "": part for part in booking.parts}
        if stored.keys() != newest.keys():
            self.problems.append(f"{event_id}: parts {sorted(stored)} instead of {sorted(newest)}")
        for name, (revision, part) in newest.items():
            if name in stored:
                self._part(event_id, part, revision, stored[name])
                prefix = f"{bid}:{stored[name].id}"
                self._dead |= {f"{prefix}:{write.id}" for write in _dead(stored[name])}

    def _part(self, event_id: str, part: BookedPart, revision: int, stored: StoredPart) -> None:
        name = part.name
        self.counts["parts"] += 1
        calendars = self._live.pop((event_id, name), {})
        if stored.revision != revision:
            self._wrong(event_id, name, f"recorded as revision {stored.revision} instead of {revision}")
        self._once(event_id, part, calendars)
        for write in stored.writes:
            # What a dead part was about to leave stays where it is: no event is removed before there is another.
            stays = stored.state == "dead" and not write.wanted
            if write.state.is_open and not stays and not waits_for_a_later_look(write):
                self._wrong(event_id, name, f"a write is still {write.state} ({write.reason})")
        dead = _dead(stored)
        if (stored.state == "dead") != bool(dead):
            self._wrong(event_id, name, f"{stored.state} with {len(dead)} dead writes")
        if part.readable and part.calendars:
            for write in dead:
                self._wrong(event_id, name, f"died without need of {write.reason}: {write.detail}")
            self._written(event_id, part, revision, stored, calendars)
            return
        if not dead or not all(write.reason and write.detail for write in dead):
            self._wrong(event_id, name, "it cannot be written, but is no dead letter with a reason")

    def _once(self, event_id: str, part: BookedPart, calendars: dict[Where, list[SeenEvent]]) -> None:
        for (_, calendar), events in calendars.items():
            if len(events) > 1:
                self.counts["duplicates"] += len(events) - 1
                self._wrong(event_id, part.name, f"{len(events)} live events in {calendar}")
        if self._gone.get((event_id, part.name)) and not part.roves:
            self._wrong(event_id, part.name, "an event of it was removed, though nobody asked for that")

    def _written(
        self,
        event_id: str,
        part: BookedPart,
        revision: int,
        stored: StoredPart,
        calendars: dict[Where, list[SeenEvent]],
    ) -> None:
        writes = {where(write): write for write in stored.writes if write.address is not None}
        for place in set(calendars) - set(part.calendars):
            self.counts["strays"] += len(calendars[place])
            self._wrong(event_id, part.name, f"still in {place[1]}, where it does not go any more")
        for place in part.calendars:
            events, write = calendars.get(place, []), writes.get(place)
            if not events or write is None:
                state = write.state if write else "missing"
                self._wrong(event_id, part.name, f"not in {place[1]}; its write is {state}")
                continue
            self.counts["events"] += 1
            for what in _differences(events[0], event_id, part, revision, write):
                self._wrong(event_id, part.name, f"in {place[1]}: {what}")

    async def _unreadable(self, store: Store, delivery: Delivery) -> None:
        if not delivery.kept_as:
            return
        self.counts["unreadable deliveries kept"] += 1
        self._dead.add(f"delivery:{delivery.kept_as}")
        kept = await store.quarantined(delivery.kept_as)
        if kept is None or kept.body != delivery.body or not kept.reason:
            self.problems.append(f"unreadable delivery {delivery.kept_as}: not kept as it was sent")


def _dead(part: StoredPart) -> list[Write]:
    return [write for write in part.writes if write.state is WriteState.DEAD]


def waits_for_a_later_look(write: Write) -> bool:
    """Whether nothing is left of a write but to search, within an hour, a calendar that its part has left.

    The creation of its event was in doubt, and a provider may be late.
    """
    return not write.wanted and write.reason == "create_in_doubt"


def where(write: Write) -> Where:
    """The calendar of a routed write, as the sandbox calls it."""
    assert write.address is not None
    provider, owner, calendar_id = write.address
    return provider, owner if provider == "microsoft" else calendar_id


def _differences(
    event: SeenEvent, event_id: str, part: BookedPart, revision: int, write: Write
) -> Iterator[str]:
    if event.summary != part.summary:
        yield f"it says {event.summary!r} instead of {part.summary!r}"
    if (event.starts_at, event.ends_at) != (part.starts_at, part.ends_at):
        yield f"it is from {event.starts_at} to {event.ends_at} instead of {part.starts_at} to {part.ends_at}"
    shown = (
        event.private.get("sequenceSyncRevision")
        or event.private.get("sequence-sync-version", "").split(" ")[0]
    )
    if shown != str(revision):
        yield f"it carries revision {shown} instead of {revision}"
    assert write.address is not None
    key = write_key(APP, event_id, part.sequence_id, write.address, write.generation)
    if key not in (event.private.get("sequenceSyncKey"), event.private.get("sequence-sync-key")):
        yield "it does not carry the key of its write"
    if (write.state, write.written_revision, write.event_id) != (WriteState.WRITTEN, revision, event.id):
        yield f"the record has {write.state} revision {write.written_revision} as {write.event_id}"
