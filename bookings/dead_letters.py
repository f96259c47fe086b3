"""Dead letters: what needs a person, found by filters, page by page."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from bookings.reader import Reader
from bookings.record import UNREADABLE, Part, Write, WriteState
from bookings.stored import Stored

_PAGE = 500
_OF_DELIVERY = ("app", "link", "reason", "body", "sealed", "signature", "kind", "event_id")


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A write that died, a part that no route sends anywhere, or a delivery that could not be taken."""

    id: str
    died_at: int
    """Unix milliseconds."""
    app: str
    reason: str
    detail: str = ""
    event_id: str = ""
    sequence_id: str | int | None = None
    calendar: str = ""
    account: str = ""
    provider: str = ""
    revision: int = 0
    overtaken: bool = False
    """Whether the part has a newer revision by now."""
    gone: bool = False
    """Whether the part was withdrawn: what is dead is the removal of its event."""
    write: Write | None = None
    part: Part | None = None
    link: str = ""
    body: bytes = b""
    signature: str = ""
    """The header that the delivery came with."""

    @property
    def delivery(self) -> str | None:
        """The id of the delivery, if the letter is one that could not be taken."""
        return self.id.removeprefix("delivery:") if self.id.startswith("delivery:") else None

    @property
    def place(self) -> tuple[str, str, str]:
        """Booking, part and write that the letter is of."""
        bid, pid, wid = self.id.split(":")
        return bid, pid, wid


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead letters are meant; what is None matches any. Times in Unix milliseconds."""

    app: str | None = None
    reason: str | None = None
    provider: str | None = None
    account: str | None = None
    event_id: str | None = None
    sequence_id: str | None = None
    since: int | None = None
    until: int | None = None

    def matches(self, letter: DeadLetter) -> bool:
        """Whether a letter is meant; times are left to the search."""
        wanted = {
            "app": letter.app,
            "reason": letter.reason,
            "provider": letter.provider,
            "account": letter.account,
            "event_id": letter.event_id,
            "sequence_id": "" if letter.sequence_id is None else str(letter.sequence_id),
        }
        return all(getattr(self, name) in (None, value) for name, value in wanted.items())


async def find(
    reader: Reader, wanted: Filter, *, accounts: Mapping[str, str] | None = None
) -> AsyncIterator[DeadLetter]:
    """Gives the dead letters that a filter means, newest first.

    They are read page by page and may be replayed or discarded meanwhile. `accounts` gives the account of
    each calendar.
    """
    newest: str | int = "+inf" if wanted.until is None else wanted.until
    oldest: str | int = "-inf" if wanted.since is None else wanted.since
    seen: set[bytes] = set()  # of those that died in the very millisecond in which the next page begins
    while True:
        page: list[tuple[bytes, float]] = await reader.redis.zrevrangebyscore(
            reader.keys.dead, newest, oldest, start=0, num=_PAGE + len(seen), withscores=True
        )
        fresh = [(member, int(died)) for member, died in page if member not in seen]
        if not fresh:
            return
        for letter in await load(reader, fresh, accounts=accounts):
            if wanted.matches(letter):
                yield letter
        newest = fresh[-1][1]
        seen = {member for member, died in page if int(died) == newest}


async def load(
    reader: Reader, members: Sequence[tuple[bytes, int]], *, accounts: Mapping[str, str] | None = None
) -> list[DeadLetter]:
    """Reads dead letters by their ids in one round trip; what is gone meanwhile is left out."""
    async with reader.redis.pipeline(transaction=False) as pipe:
        for member, _ in members:
            bid, _, rest = member.decode().partition(":")
            if bid == "delivery":
                pipe.hmget(reader.keys.delivery(rest), *_OF_DELIVERY)
            else:
                pid = rest.partition(":")[0]
                pipe.hmget(
                    reader.keys.booking(bid),
                    "app",
                    "event_id",
                    "link",
                    f"rev:{pid}",
                    f"part:{pid}",
                    f"writes:{pid}",
                    f"gone:{pid}",
                )
        records = await pipe.execute()
    letters = (
        _letter(member.decode(), died, record, reader.stored)
        for (member, died), record in zip(members, records, strict=True)
    )
    known = accounts or {}
    return [
        msgspec.structs.replace(letter, account=known.get(letter.calendar, ""))
        for letter in letters
        if letter is not None
    ]


async def get(
    reader: Reader, letter_id: str, *, accounts: Mapping[str, str] | None = None
) -> DeadLetter | None:
    """One dead letter by its id."""
    died = await reader.redis.zscore(reader.keys.dead, letter_id)
    if died is None:
        return None
    return next(iter(await load(reader, [(letter_id.encode(), int(died))], accounts=accounts)), None)


def _letter(letter_id: str, died_at: int, record: Sequence[Any], stored: Stored) -> DeadLetter | None:
    if record[0] is None:
        return None
    if letter_id.startswith("delivery:"):
        app, link, words, body, sealed, signature, kind, event_id = record
        return DeadLetter(
            id=letter_id, died_at=died_at, app=app.decode(), reason=(kind or UNREADABLE.encode()).decode(),
            detail=words.decode(), event_id=stored.read_text(event_id or b""), link=link.decode(),
            body=stored.read_body(body, sealed), signature=stored.read_text(signature or b""),
        )  # fmt: skip
    app, event_id, link, revision, part_json, writes, gone = record
    part = stored.read_part(part_json)
    wid = letter_id.rpartition(":")[2]
    write = next((each for each in stored.read_writes(writes) if each.id == wid), None)
    if write is None or write.state is not WriteState.DEAD:
        return None  # a worker has it in hand
    return DeadLetter(
        id=letter_id,
        died_at=died_at,
        app=app.decode(),
        event_id=stored.read_text(event_id),
        link=(link or b"").decode(),
        sequence_id=part.sequence_id,
        reason=write.reason,
        detail=write.detail,
        calendar=write.calendar,
        provider=write.address.provider if write.address else "",
        revision=write.revision,
        overtaken=int(revision) > write.revision,
        gone=gone is not None,
        write=write,
        part=part,
    )
