"""Short words for queries, and for what is answered."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from scheduler.availability import find_sequences
from scheduler.query import Buffer, Group, Limit, Member, Part, Per, Period, Query

LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
KOLKATA = ZoneInfo("Asia/Kolkata")
NO_BUFFER = Buffer()


def at(text: str, zone: tzinfo = UTC) -> int:
    """`9:00`, of a Wednesday, or with its own date."""
    day, _, clock = text.rpartition(" ")
    hours, minutes, *seconds = map(int, clock.split(":"))
    moment = datetime.fromisoformat(day or "2026-12-02").replace(
        hour=hours, minute=minutes, second=sum(seconds), tzinfo=zone
    )
    return int(moment.timestamp())


def period(text: str, zone: tzinfo = UTC) -> Period:
    """`9:00-12:00`; both with their dates, or neither."""
    day, _, clocks = text.rpartition(" ")
    start, end = clocks.split("-")
    return Period(at(f"{day} {start}".strip(), zone), at(f"{day} {end}".strip(), zone))


def periods(*texts: str) -> tuple[Period, ...]:
    return tuple(map(period, texts))


def person(
    sub: str, *busy: str, available: tuple[str, ...] | None = None, limits: tuple[Limit, ...] = ()
) -> Member:
    return Member(sub, periods(*busy), None if available is None else periods(*available), limits)


def needs(*members: Member, required: int | None = None) -> Group:
    return Group(members, required)


RECRUITER, MANAGER, CYD = person("recruiter"), person("manager"), person("engineer")


def part(
    *groups: Group, minutes: int = 60, every: int | None = 60, before: Buffer = NO_BUFFER, after: Buffer = NO_BUFFER,
    ordinal: int | None = None, name: str = "1",
) -> Part:  # fmt: skip
    return Part(name, minutes, groups or (needs(RECRUITER),), ordinal, every, before, after)


def query(
    *parts: Part, during: tuple[str, ...] = ("9:00-12:00",), zone: tzinfo = UTC, most: int = 1000
) -> Query:
    return Query(periods(*during), parts, zone, most)


def times(asked: Query, zone: tzinfo = UTC) -> list[str]:
    """The starts of each answer."""
    return [
        " ".join(f"{datetime.fromtimestamp(placed.start, zone):%H:%M}" for placed in sequence)
        for sequence in find_sequences(asked).sequences
    ]


def names(asked: Query) -> list[str]:
    """The parts of each answer, in the order of time."""
    return [
        "".join(str(placed.sequence_id) for placed in sequence)
        for sequence in find_sequences(asked).sequences
    ]


def picked(asked: Query) -> list[str]:
    """Who takes part in each answer: people of a group, groups by `+`, parts by a space."""
    return [
        " ".join("+".join(",".join(group) for group in placed.groups) for placed in sequence)
        for sequence in find_sequences(asked).sequences
    ]


def limit(most: int, *events: str, per: Per = Per.DAY, zone: tzinfo = UTC) -> tuple[Limit, ...]:
    return (Limit(per, most, zone, periods(*events)),)
