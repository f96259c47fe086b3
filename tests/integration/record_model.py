"""What must be in Redis of two bookings, kept beside it by the simplest means."""

from dataclasses import dataclass, field

import msgspec

from bookings.clock import now_ms
from bookings.identity import booking_id, part_id
from bookings.leases import Claim
from bookings.record import Part, Write, WriteState

BIDS = {event: booking_id("hiring", event) for event in ("one", "two")}
PIDS = {sequence: part_id(sequence) for sequence in ("1", "2")}
LEASE_S = 60
LEFT_ALONE_MS = 61_000
"""How long after its time nobody may look at an open part: a lease, or the reconciler's second look."""
SLACK_MS = 1000
NOT_WOKEN_AGAIN_S = 600


@dataclass
class PartModel:
    """A part; `due_at` is in Unix ms."""

    event: str
    part: Part
    revision: int = 0
    delivery: str = ""
    gone: bool = False
    state: str = "open"
    writes: tuple[Write, ...] | None = None
    asks: str = ""
    fence: str = ""
    holder: str = ""
    lease_s: int = 0
    due_at: int = 0
    delayed: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What the index has of it: state and since when, by write."""
    wakeable: dict[str, int] = field(default_factory=dict)
    """Of each write that is parked for its calendar: for how many seconds no success wakes it."""
    has_job: bool = False
    """Whether there must be a job that wakes a worker in time; arq may have lost it, or be at it."""

    @property
    def bid(self) -> str:
        return BIDS[self.event]

    @property
    def pid(self) -> str:
        return PIDS[str(self.part.sequence_id)]

    @property
    def place(self) -> str:
        """What it is called in the sorted sets."""
        return f"{self.bid}:{self.pid}"

    def wakes(self, due_at: int = 0) -> None:
        self.state, self.due_at, self.has_job = "open", max(due_at, now_ms()), True

    def revised(self, revision: int, *, gone: bool) -> None:
        self.revision, self.gone = revision, gone
        self.wakes()

    def is_asked(self, what: str) -> None:
        self.asks += f"{what}\n"
        self.wakes()

    def is_settled(self, writes: tuple[Write, ...]) -> None:
        self.writes = writes
        self.delayed = {each.id: (str(each.state), each.failing_since) for each in writes if each.is_delayed}
        parked = [each for each in writes if each.is_delayed and each.state is WriteState.PARKED]
        self.wakeable = {each.id: self.wakeable.get(each.id, 0) for each in parked if not each.waiting}

    def is_woken(self, wid: str) -> None:
        """Its calendar was seen to work."""
        self.wakeable[wid] = NOT_WOKEN_AGAIN_S
        self.is_asked(f"retry {wid}")

    def released(self) -> None:
        self.fence, self.holder, self.lease_s = "", "", 0

    def is_free(self) -> bool:
        return self.lease_s <= 0

    def claim(self) -> Claim:
        return Claim(
            booking=self.bid, part=self.pid, fence=self.fence, revision=self.revision, app="hiring", event_id=self.event,
            link=None, desired=self.part, writes=self.writes or (), asks=self.asks, gone=self.gone, delivery=self.delivery,
        )  # fmt: skip

    def fields(self) -> dict[str, bytes]:
        """Its part of the record; of the lease not until when it lasts."""
        fields = {
            "rev": str(self.revision).encode(),
            "part": msgspec.json.encode(self.part),
            "state": self.state.encode(),
            "writes": b"" if self.writes is None else msgspec.json.encode(self.writes),
            "asks": self.asks.encode(),
            "delayed": "".join(f"{wid} {state}\n" for wid, (state, _) in self.delayed.items()).encode(),
            "gone": str(self.revision).encode() if self.gone else b"",
            "lease": f"{self.fence} {self.holder}".encode() if self.fence else b"",
        }
        return {f"{name}:{self.pid}": value for name, value in fields.items() if value}


@dataclass
class BookingModel:
    revision: int = 0
    delivery: str = ""
    repeats: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each delivery: for how many seconds its bytes still count as a repeat, and of which revision."""
    listed: list[str] = field(default_factory=list)
    parts: dict[str, PartModel] = field(default_factory=dict)

    def accepted_as(self, delivery: str) -> int | None:
        """The revision that a repeat of these bytes is answered with; None: they are no repeat."""
        if delivery == self.delivery:
            return self.revision
        left_s, revision = self.repeats.get(delivery, (0, 0))
        return revision if left_s > 0 else None

    def withdraw(self, sequences: list[str]) -> None:
        for each in sequences:
            self.parts[each].revised(self.revision, gone=True)

    def is_done(self) -> bool:
        return all(part.state == "done" for part in self.parts.values())

    def fields(self) -> dict[str, bytes]:
        listed = " ".join(PIDS[each] for each in self.listed)
        whole = {"revision": str(self.revision).encode(), "parts": listed.encode()}
        for part in self.parts.values():
            whole |= part.fields()
        return whole


@dataclass
class Model:
    bookings: dict[str, BookingModel] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    fences: dict[str, int] = field(default_factory=dict)
    """The newest of each booking, which outlive its record."""

    def parts(self) -> dict[str, PartModel]:
        return {part.place: part for booking in self.bookings.values() for part in booking.parts.values()}

    def open(self) -> dict[str, PartModel]:
        return {place: part for place, part in self.parts().items() if part.state == "open"}

    def held_by(self, claim: Claim) -> PartModel | None:
        part = self.parts().get(f"{claim.booking}:{claim.part}")
        return part if part is not None and part.fence == claim.fence else None

    def tell_dead(self, place: str, writes: tuple[Write, ...]) -> None:
        """The dead letters of a part are its dead writes."""
        self.dead = {letter for letter in self.dead if not letter.startswith(place)}
        self.dead |= {f"{place}:{write.id}" for write in writes if write.state is WriteState.DEAD}

    def index(self) -> dict[str, dict[str, int]]:
        """What is delayed, by state and write: since when, by part."""
        found: dict[str, dict[str, int]] = {}
        for place, part in self.parts().items():
            for wid, (state, since) in part.delayed.items():
                found.setdefault(f"{state}:{wid}", {})[place] = since
        return found

    def wakeable(self, wid: str) -> list[PartModel]:
        """The parts with a write that is parked for this calendar."""
        return [part for part in self.parts().values() if wid in part.wakeable]

    def calendar_works(self, wid: str) -> None:
        """A write to it was made: what may be woken is."""
        for part in self.wakeable(wid):
            if part.wakeable[wid] <= 0:
                part.is_woken(wid)

    def time_passes(self, seconds: int) -> None:
        for booking in self.bookings.values():
            booking.repeats = {each: (left - seconds, was) for each, (left, was) in booking.repeats.items()}
        for part in self.parts().values():
            part.lease_s -= seconds
            part.due_at -= seconds * 1000
            part.wakeable = {wid: left - seconds for wid, left in part.wakeable.items()}

    def await_clock(self) -> None:
        """Many changes within a millisecond run ahead of the clock, at which a new record begins."""
        newest = max([0, *self.fences.values(), *(each.revision for each in self.bookings.values())])
        while now_ms() <= newest:
            pass
