"""Names of deliveries, bookings, parts and writes. Pure.

Every name is a SHA-256 over length-prefixed fields, so no two different lists of fields share a
text, and is spelt in lowercase base32hex: letters a-v and digits, the alphabet that Google accepts
for event ids. Names are opaque on purpose: they stand in Redis keys, job ids and logs, where no
text of a meeting may appear.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from config.settings import CalendarAddress

FORWARD_PART = "forward"
"""The one part of the record of what is to be passed on; no other part has so short a name."""

_BOOKING_CHARS = 26  # 130 bits: unique among all bookings
_FIELD_CHARS = 13  # 65 bits: unique among the parts of one booking, or the calendars of one part
_PAIRS = [a + b for a in "0123456789abcdefghijklmnopqrstuv" for b in "0123456789abcdefghijklmnopqrstuv"]
_REMEMBERED = 1024  # names of parts and calendars come again and again, those of a booking for a moment


def _encoded(fields: Iterable[str]) -> bytes:
    prefixed = []
    for field in fields:
        encoded = field.encode("utf-8", "surrogatepass")
        prefixed.append(b"%d:%s" % (len(encoded), encoded))
    return b"|".join(prefixed)


def _digest(*fields: str) -> bytes:
    return hashlib.sha256(_encoded(fields)).digest()


def _digest_in(app: str, kind: str, *fields: str) -> bytes:
    """Gives the same as of `kind`, `app` and the fields, for names that each callback needs."""
    digest = _begun(kind, app).copy()
    digest.update(_encoded(fields))
    return digest.digest()


@lru_cache(_REMEMBERED)
def _begun(kind: str, app: str) -> "hashlib._Hash":
    return hashlib.sha256(_encoded((kind, app)) + b"|")


def _spell(digest: bytes, chars: int) -> str:
    """The first characters of a digest in base32hex, 32 at most.

    Two at a time, and without a loop: `base64` takes four times as long.
    """
    pair, number = _PAIRS, int.from_bytes(digest[:20])
    return (
        f"{pair[number >> 150]}{pair[number >> 140 & 1023]}{pair[number >> 130 & 1023]}"
        f"{pair[number >> 120 & 1023]}{pair[number >> 110 & 1023]}{pair[number >> 100 & 1023]}"
        f"{pair[number >> 90 & 1023]}{pair[number >> 80 & 1023]}{pair[number >> 70 & 1023]}"
        f"{pair[number >> 60 & 1023]}{pair[number >> 50 & 1023]}{pair[number >> 40 & 1023]}"
        f"{pair[number >> 30 & 1023]}{pair[number >> 20 & 1023]}{pair[number >> 10 & 1023]}"
        f"{pair[number & 1023]}"
    )[:chars]


@lru_cache(_REMEMBERED)
def booking_id(app: str, event_id: str) -> str:
    """Names the booking of `app` whose outer event is `event_id`."""
    return _spell(_digest_in(app, "booking", event_id), _BOOKING_CHARS)


@lru_cache(_REMEMBERED)
def part_id(sequence_id: str | None) -> str:
    """Names a part within its booking; `None` is the one part of a callback without `sequence`."""
    fields = ("part",) if sequence_id is None else ("part", sequence_id)
    return _spell(_digest(*fields), _FIELD_CHARS)


def delivery_id(app: str, link: str | None, body: bytes) -> str:
    """Names a delivery: the same bytes on the same URL are the same delivery."""
    of_body = hashlib.sha256(body).hexdigest()
    fields = (of_body,) if link is None else (of_body, link)
    return _spell(_digest_in(app, "delivery", *fields), _BOOKING_CHARS)


def forward_id(delivery: str) -> str:
    """Names the record of what is to be passed on of a delivery."""
    return _spell(_digest("forward", delivery), _BOOKING_CHARS)


def endpoint_id(url: str) -> str:
    """Names the address that something is passed on to, without showing it: its query may hold a token."""
    return _spell(_digest("endpoint", url), _FIELD_CHARS)


def link_id(app: str, token: str) -> str:
    """Names a link by its token without showing it; looking it up by this name leaks no timing."""
    return _spell(_digest("link", app, token), _BOOKING_CHARS)


@lru_cache(_REMEMBERED)
def write_id(address: CalendarAddress) -> str:
    """Names a write within its part, by the provider's address of the calendar."""
    return _spell(_digest("write", *address), _FIELD_CHARS)


def write_key(
    app: str, event_id: str, sequence_id: str | None, address: CalendarAddress, generation: int
) -> str:
    """Gives the identity `k` of a write at the provider: 32 characters, 160 bits.

    It is the event's id at Google, the value of our private property at both providers and the
    seed of Graph's `transactionId`. `generation` moves only when a provider's id is burnt.
    """
    part = ("whole",) if sequence_id is None else ("part", sequence_id)
    return _spell(_digest("v1", app, event_id, *part, *address, str(generation)), 32)
