"""How parts and writes stand in Redis: as JSON, in which what meetings say may be sealed.

Sealed, a JSON object becomes a JSON string, so that one is told from the other whatever the settings are
by now: plain text stays readable once sealing is switched on, and sealed text once it is off. The scripts
look at the ids of writes only, which are never sealed.
"""

from collections.abc import Callable, Iterable

import msgspec

from bookings.record import Part, Write
from bookings.seal import Seal

_encode = msgspec.json.Encoder().encode
_PART = msgspec.json.Decoder(Part)
_WRITES = msgspec.json.Decoder(tuple[Write, ...])


class Stored:
    """Encodes and decodes. Every method raises `SealError` where a key is missing."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def part(self, part: Part) -> bytes:
        """A part as it is stored."""
        return self._closed(_encode(part))

    def read_part(self, stored: bytes) -> Part:
        """A part as it was booked."""
        return _PART.decode(self._opened(stored))

    def write(self, write: Write) -> bytes:
        """One write as it is stored."""
        return _encode(self._with_body(write, self._closed))

    def writes(self, writes: Iterable[Write]) -> bytes:
        """A part's writes as they are stored."""
        return _encode([self._with_body(write, self._closed) for write in writes])

    def read_writes(self, stored: bytes | None) -> tuple[Write, ...]:
        """A part's writes; none where nothing is stored yet."""
        if not stored:
            return ()
        return tuple(self._with_body(write, self._opened) for write in _WRITES.decode(stored))

    def body(self, body: bytes) -> tuple[str, bytes]:
        """A delivery that nobody can read: the field that it is stored in, and what stands there."""
        return ("sealed", self._seal.seal(body)) if self._seal.on_bookings else ("body", body)

    def read_body(self, body: bytes | None, sealed: bytes | None) -> bytes:
        """The delivery, from what stands in the one or the other field."""
        return self._seal.unseal(sealed) if sealed is not None else body or b""

    def _closed(self, json: bytes) -> bytes:
        return b'"%s"' % self._seal.seal(json) if self._seal.on_bookings else json

    def _opened(self, stored: bytes) -> bytes:
        return self._seal.unseal(stored[1:-1]) if stored.startswith(b'"') else stored

    def _with_body(self, write: Write, change: Callable[[bytes], bytes]) -> Write:
        intent = write.intent
        if intent is None or not intent.body:
            return write
        changed = msgspec.structs.replace(intent, body=msgspec.Raw(change(bytes(intent.body))))
        return msgspec.structs.replace(write, intent=changed)
