"""How parts and writes stand in Redis: as JSON, in which what came from the sender may be sealed.

Sealed, a JSON object becomes a JSON string, so that one is told from the other whatever the settings are
by now: plain text stays readable once sealing is switched on, and sealed text once it is off. The scripts
look at the ids of writes only, which are never sealed.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from bookings.errors import SealError
from bookings.record import Part, Write
from bookings.seal import Seal

_encode = msgspec.json.Encoder().encode
_PART = msgspec.json.Decoder(Part)
_WRITES = msgspec.json.Decoder(tuple[Write, ...])
_TEXTS = msgspec.json.Decoder(tuple[str, ...])
_SEALED_TEXT = re.compile(rb'"gAAAA[A-Za-z0-9_=-]+"')
"""As a Fernet token begins, in quotes."""


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
        return _encode(self._closed_write(write))

    def writes(self, writes: Iterable[Write]) -> bytes:
        """A part's writes as they are stored."""
        return _encode([self._closed_write(write) for write in writes])

    def read_writes(self, stored: bytes | None) -> tuple[Write, ...]:
        """A part's writes; none where nothing is stored yet."""
        if not stored:
            return ()
        return tuple(map(self._opened_write, _WRITES.decode(stored)))

    def json(self, data: object) -> bytes:
        """What a link says, as JSON."""
        return self._closed(_encode(data))

    def read_json(self, stored: bytes) -> bytes:
        """That JSON as it was."""
        return self._opened(stored)

    def text(self, text: str) -> bytes:
        """A text of the sender's, such as an `event_id`."""
        return self._closed(text.encode("utf-8", "surrogatepass")) if text else b""

    def read_text(self, stored: bytes) -> str:
        """That text as it was. A sender's text that only looks sealed stays as it is."""
        plain = stored
        if _SEALED_TEXT.fullmatch(stored):
            try:
                plain = self._opened(stored)
            except SealError:
                plain = stored
        return plain.decode("utf-8", "surrogatepass")

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

    def _closed_write(self, write: Write) -> Write:
        closed = self._with_body(write, self._closed)
        if not self._seal.on_bookings or not (write.detail or write.degraded):
            return closed
        degraded = (self.text(_encode(write.degraded).decode()).decode(),) if write.degraded else ()
        return msgspec.structs.replace(closed, detail=self.text(write.detail).decode(), degraded=degraded)

    def _opened_write(self, write: Write) -> Write:
        opened = self._with_body(write, self._opened)
        if not (write.detail or write.degraded):
            return opened
        detail, degraded = self.read_text(write.detail.encode()), write.degraded
        if len(degraded) == 1 and (told := self.read_text(degraded[0].encode())) != degraded[0]:
            degraded = _TEXTS.decode(told)
        return msgspec.structs.replace(opened, detail=detail, degraded=degraded)

    def _with_body(self, write: Write, change: Callable[[bytes], bytes]) -> Write:
        intent = write.intent
        if intent is None or not intent.body:
            return write
        changed = msgspec.structs.replace(intent, body=msgspec.Raw(change(bytes(intent.body))))
        return msgspec.structs.replace(write, intent=changed)
