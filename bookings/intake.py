"""What the receiver changes in the record: a delivery is accepted, or kept although it cannot be taken."""

from collections.abc import Sequence

import msgspec

from bookings.errors import DeadLettersFull, QueueFull, UnknownLink
from bookings.identity import FORWARD_PART, booking_id, forward_id, part_id
from bookings.reader import Reader
from bookings.record import UNREADABLE, Forward, Part
from bookings.scripted import GRACE_MS, PAYLOAD_MS


class Accepted(msgspec.Struct, frozen=True):
    """Answer to a delivery: newly accepted, or a repeat of one that was accepted as `revision`."""

    revision: int
    duplicate: bool


class Intake(Reader):
    """The receiver's side of `Store`."""

    async def accept(
        self,
        *,
        app: str,
        event_id: str,
        delivery: str,
        parts: Sequence[Part],
        link: str | None,
        forward: Forward | None = None,
        forward_always: bool = False,
        window_s: float,
        queue_limit: int,
        dead_letters_limit: int,
        prune: bool = False,
        trace: str = "",
        within_s: float | None = None,
    ) -> Accepted:
        """Stores one delivery and queues its parts, or proves it a repeat. One round trip.

        `trace` is the traceparent of what accepts it: whoever writes its parts goes on from there. `forward`
        is stored to be passed on, if `forward_always` or the link says so.

        `queue_limit` and `dead_letters_limit` are of this app. Raises `UnknownLink`, `QueueFull` or
        `DeadLettersFull`; nothing is stored then.
        """
        keys = self.keys
        bid = booking_id(app, event_id)
        args: list[str | bytes | int] = [
            keys.prefix,
            bid,
            delivery,
            int(window_s * 1000),
            queue_limit,
            dead_letters_limit,
            GRACE_MS,
            PAYLOAD_MS,
            app,
            self.stored.text(event_id),
            link or "",
            "prune" if prune else "",
            trace,
            len(parts),
        ]
        for part in parts:
            args += (part_id(part.sequence_text), self.stored.part(part))
        if forward is not None:
            passed_on = self.stored.part(Part(forward=forward))
            args += (forward_id(delivery), FORWARD_PART, passed_on, "always" if forward_always else "link")
        answer = await self.run(
            "accept",
            keys=[
                keys.booking(bid),
                keys.open,
                keys.queue,
                keys.index,
                keys.dead,
                *([keys.link(link)] if link else []),
            ],
            args=args,
            within_s=within_s,
        )
        _raise_refusal(answer[0])
        return Accepted(revision=int(answer[1]), duplicate=answer[0] == b"duplicate")

    async def quarantine(
        self,
        *,
        delivery: str,
        app: str,
        link: str | None,
        reason: str,
        body: bytes,
        signature: str = "",
        kind: str = UNREADABLE,
        event_id: str = "",
        at: int | None = None,
        dead_letters_limit: int,
        within_s: float | None = None,
    ) -> None:
        """Keeps a signed delivery that cannot be taken, with its header should it be passed on some day.

        `kind` is `UNREADABLE` or `UNKNOWN_LINK`; `event_id` is that of a booking that can be read; `at` is
        when it came (Unix ms), if not now. Raises `DeadLettersFull`.
        """
        answer = await self.run(
            "quarantine",
            keys=[self.keys.delivery(delivery), self.keys.dead],
            args=[
                delivery,
                dead_letters_limit,
                app,
                link or "",
                reason,
                *self.stored.body(body),
                self.stored.text(signature),
                kind,
                self.stored.text(event_id),
                "" if at is None else at,
            ],
            within_s=within_s,
        )
        _raise_refusal(answer[0])


def _raise_refusal(answer: bytes) -> None:
    match answer:
        case b"unknown_link":
            raise UnknownLink
        case b"queue_full":
            raise QueueFull
        case b"dead_letters_full":
            raise DeadLettersFull
