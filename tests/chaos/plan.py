"""What is sent: the deliveries of one booking, decided by the seed alone. Pure."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from tests.chaos.world import BOARD, INTERVIEWS, PANEL, ROOMS

Calendars = tuple[tuple[str, str], ...]

_BY_SEQUENCE_ID: dict[str, Calendars] = {
    "123": (INTERVIEWS,),
    "456": (PANEL,),
    "both": (INTERVIEWS, PANEL),
    "room": (ROOMS,),
    "board": (BOARD,),
    "onsite-1": (ROOMS, BOARD),
    "onsite-2": (ROOMS, BOARD),
}
_BY_SUB: dict[str, Calendars] = {"acc_google": (ROOMS,), "acc_microsoft": (PANEL,), "acc_nobody": ()}
_ROVING = "roving"
_FIRST_DAY = datetime(2027, 3, 1, 8, tzinfo=UTC)  # its weeks hold a change of the clocks


SINGLE = "single"
"""How the one part of a callback without `sequence` is called in marks."""


def mark(event_id: str, part: str) -> str:
    """The words that only texts of this part hold, up to the number of the delivery."""
    return f"planted-{event_id}-{part or SINGLE}-"


class Kind(StrEnum):
    """What a delivery is."""

    BOOKING = "booking"
    UNREADABLE = "unreadable"
    FORGED = "forged"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class BookedPart:
    """A part as it was sent: where it has to end up, when and under which words."""

    name: str
    sub: str
    mark: str
    starts_at: datetime
    ends_at: datetime
    readable: bool = True

    @property
    def summary(self) -> str:
        """The words by which it is known in a calendar."""
        return f"Meeting {self.mark}"

    @property
    def sequence_id(self) -> str | None:
        """None for the one part of a callback without `sequence`."""
        return self.name or None

    @property
    def roves(self) -> bool:
        """Whether its calendars follow its participants, so that it may move from one to another."""
        return self.name not in _BY_SEQUENCE_ID

    @property
    def calendars(self) -> Calendars:
        """Where it has to be; nowhere where no route is."""
        return _BY_SEQUENCE_ID.get(self.name) or _BY_SUB[self.sub]


@dataclass(slots=True, eq=False)
class Delivery:
    """A body, and what became of it: `revision` once it was acknowledged."""

    kind: Kind
    body: bytes
    event_id: str = ""
    parts: tuple[BookedPart, ...] = ()
    revision: int = 0
    accepted: int = 0
    kept_as: str = ""
    statuses: list[str] = field(default_factory=list)


Step = list[Delivery]
"""What is sent at the same time; the next step waits until all of it is acknowledged."""


class Story:
    """One booking from its first delivery to its last."""

    def __init__(self, seed: int, number: int, nonce: str) -> None:
        self.event_id = f"{nonce}-{number}"
        self._random = random.Random(f"{seed} story {number}")  # noqa: S311 - repeatable chance
        self._serial = 0
        single = self._random.random() < 0.15
        names = ["123", "456", "both", "room", "board", "onsite-1", "onsite-2", _ROVING]
        count = self._random.randint(1, 5)
        self._names = [""] if single else self._random.sample(names, count)

    def steps(self) -> Iterator[Step]:
        """The deliveries in the order in which they are sent."""
        chance = self._random
        sent = [self._booking()]
        yield [sent[0]] * (2 if chance.random() < 0.2 else 1)
        for _ in range(chance.randint(1, 7)):
            match chance.choices(
                ["moved", "at once", "again", "reordered", "doubled", "noise"], [8, 3, 4, 3, 3, 3]
            )[0]:
                case "moved":
                    step = [self._booking()]
                case "at once":
                    step = [self._booking(), self._booking()]
                case "again":
                    step = [chance.choice(sent)] * chance.randint(1, 3)
                case "doubled":
                    step = [self._booking()] * chance.randint(2, 4)
                case "reordered":
                    older, newer = self._booking(), self._booking()
                    sent += [older, newer]
                    yield [newer]
                    step = [older]
                case _:
                    yield [self._noise()]
                    continue
            sent += step
            yield step

    def _booking(self) -> Delivery:
        kept = [name for name in self._names if self._random.random() < 0.85] or self._names[:1]
        parts = tuple(self._part(name) for name in kept)
        return Delivery(Kind.BOOKING, self._body(parts), self.event_id, parts)

    def _part(self, name: str) -> BookedPart:
        chance = self._random
        self._serial += 1
        starts_at = _FIRST_DAY + timedelta(days=chance.randrange(60), minutes=15 * chance.randrange(32))
        return BookedPart(
            name,
            chance.choices(list(_BY_SUB), [9, 9, 2])[0],
            f"{mark(self.event_id, name)}{self._serial}",
            starts_at,
            starts_at + timedelta(minutes=15 * chance.randint(1, 6)),
            readable=chance.random() > 0.04,
        )

    def _body(self, parts: tuple[BookedPart, ...]) -> bytes:
        zone = self._random.choice(["Europe/London", "America/New_York", "Asia/Kolkata", "Etc/UTC"])
        whole = {"event_id": self.event_id, "summary": f"All of planted-{self.event_id}"}
        if parts[0].sequence_id is None:
            event = {**whole, **self._event(parts[0])}
            return _json({"event": event, "participants": [{"sub": parts[0].sub}]})
        items = [
            {
                "sequence_id": part.sequence_id,
                "event": {"event_id": self.event_id, **self._event(part)},
                "participants": [{"sub": part.sub}],
            }
            for part in parts
        ]
        start = {"time": _text(min(part.starts_at for part in parts)), "tzid": zone}
        return _json({"event": {**whole, "start": start}, "sequence": items})

    def _event(self, part: BookedPart) -> dict[str, Any]:
        starts_at, ends_at = part.starts_at, part.ends_at
        if not part.readable:
            starts_at, ends_at = ends_at, starts_at
        return {
            "summary": part.summary,
            "description": f"About {part.mark}",
            "location": {"description": f"Room {part.mark}", "address": f"1 Street {part.mark}"},
            "start": self._time(starts_at),
            "end": self._time(ends_at),
        }

    def _time(self, at: datetime) -> Any:
        match self._random.randrange(3):
            case 0:
                return _text(at)
            case 1:
                shifted = at + timedelta(hours=2)
                return f"{shifted:%Y-%m-%dT%H:%M:%S}+02:00"
            case _:
                return {"time": _text(at), "tzid": "Europe/Paris"}

    def _noise(self) -> Delivery:
        booking = self._booking()
        match self._random.choice([Kind.UNREADABLE, Kind.FORGED, Kind.FORGED, Kind.NOTICE]):
            case Kind.UNREADABLE:
                return Delivery(Kind.UNREADABLE, booking.body[: self._random.randrange(1, len(booking.body))])
            case Kind.FORGED:
                return Delivery(Kind.FORGED, booking.body)
            case _:
                notice = {"notification": {"type": "change", "note": f"planted-{self.event_id}"}}
                return Delivery(Kind.NOTICE, _json(notice))


def _json(data: Any) -> bytes:
    return json.dumps(data).encode()


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
