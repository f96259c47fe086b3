"""What the sync algorithm needs of a calendar. A provider is one implementation of `Calendar`.

Implementations turn answers into `Found` and errors into `workers.errors`; they decide nothing.
"""

from typing import Any, Protocol

import msgspec

from workers.calendars.lane import FreeLane, Lane
from workers.event import Event
from workers.times import Period


class Draft(msgspec.Struct, frozen=True):
    """One part as the provider takes it: the bodies of both requests, with our identity in them."""

    key: str
    revision: int
    digest: str
    create: dict[str, Any]
    update: dict[str, Any]
    when: Period
    """What the provider must show."""
    degraded: tuple[str, ...] = ()
    text: str = ""
    """Our own text, where the provider keeps text of its own beside it (a Microsoft online meeting)."""
    conference: bool = False
    """Whether the provider is asked to make an online meeting."""
    fields: tuple[str, ...] = ()
    """What it sets that a later revision may have to take away: the provider's names, MEETING if booked."""
    link: str = ""
    """The link of an existing meeting, which the event must show somewhere."""


class Found(msgspec.Struct, frozen=True):
    """An event as the provider has it."""

    event_id: str
    etag: str
    key: str
    """Our key in its private property; empty where it is not one of ours."""
    revision: int
    digest: str
    cancelled: bool
    when: Period | None = None
    created: str = ""
    url: str = ""
    online: bool = False
    """Whether it has an online meeting, of ours or of somebody else."""
    conference: str = ""
    """The state of its online meeting: `ready`, `pending`, `failed`, or empty for none."""
    proof: str = ""
    """What only the create that made it can have set; a copy has another or none. See `Calendar.proof`."""
    uid: str = ""
    """What stays the same where a person's move makes a new event of it; empty where there is no such
    thing.
    """
    recurring: bool = False
    """Whether a person made a series of it."""
    fields: tuple[str, ...] | None = None
    """What it has from us, as `Draft.fields` names it, MEETING only where that is ours.

    None: nobody knows, since an earlier version wrote it.
    """
    text: str = ""
    """Where a link may stand in it: its place, its text, its online meeting."""

    def __repr__(self) -> str:
        """Without meeting text, so that it may stand in a log line or a traceback."""
        return f"Found(event_id={self.event_id!r}, revision={self.revision!r})"


class Calendar(Protocol):
    """One calendar of one account.

    Every method raises `workers.errors.CalendarError` where the provider refuses or does not answer.
    """

    looks_before_create: bool
    """Whether an event must be looked for before the first create: its id alone does not prevent a second."""
    lane: Lane | FreeLane
    """What the calendar's account, or mailbox, is made to wait by."""
    revives: bool
    """Whether an update brings a cancelled event back."""

    def draft(
        self, event: Event, *, key: str, revision: int, named_zone: bool = True, conference: bool = True
    ) -> Draft:
        """Maps a part; with `named_zone` or `conference` off, in the form that every provider takes."""
        ...

    async def find(self, key: str) -> list[Found]:
        """Gives the events that carry our key, oldest first; cancelled ones where the provider keeps them."""
        ...

    def proof(self, key: str) -> str:
        """Gives what an event made by a create of ours with this key has as its `proof`."""
        ...

    async def find_elsewhere(self, key: str) -> list[Found]:
        """Gives events that carry our key in other calendars to which a person's move may make a new
        event.
        """
        ...

    async def marked(self, start: int, end: int) -> list[Found]:
        """Gives the events of a period (Unix seconds) that carry a key of ours, whichever, without cancelled
        ones.

        A copy that a person made is among them, and a series, but no single occurrence of it.
        """
        ...

    async def get(self, event_id: str) -> Found | None:
        """Gives one event, or None where there is none."""
        ...

    async def stands(self, event_id: str) -> bool:
        """Whether an event that can be read by its id is in a calendar, and not among what was deleted."""
        ...

    async def create(self, body: bytes) -> Found:
        """Makes the event from a journalled body. Raises `Taken` or `FormRefused`, too."""
        ...

    async def update(self, found: Found, draft: Draft) -> Found:
        """Writes our fields over the event if it still has this etag (empty: whatever it has).

        Takes away what is `left_over`, and nothing that a person added. Raises CONFLICT where it was changed
        in between, GONE where it is not there, `FormRefused`.
        """
        ...

    async def probe(self) -> bool:
        """Reads a little of the calendar, and tells whether we may write to it, too; writes nothing.

        Raises where it is not there, or not ours to read.
        """
        ...

    async def delete(self, event_id: str) -> None:
        """Removes the event; one that is already gone is no error."""
        ...
