"""Where each request ends in what one connection sends, and whether its framing is worth reading. Pure.

It stands before aiohttp's parser, which says what a request means and most of what is wrong with it. What
that has no limit for is refused here, before it has seen it.
"""

import re

MOST_HEAD = 32_768
"""Bytes of a request line and all headers. The parser limits each of them, and takes a megabyte of all."""
MOST_FRAMING = 16_384
"""Bytes of chunk sizes and line ends that a body may have, and one more for every eight bytes of its own.
In chunks of one byte, a body costs some fifty times as much to read as whole."""
_MOST_SIZE_LINE = 256

_LENGTH, _CODING = b"\r\ncontent-length:", b"\r\ntransfer-encoding:"
_CODINGS = re.compile(_CODING + rb"([^\r\n]*)")
_LIST = re.compile(rb"[!#-'*+.^-z|~0-9A-Z-]+(?:[ \t]*,[ \t]*[!#-'*+.^-z|~0-9A-Z-]+)*")
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(?:[ \t]*;[^\r\n]*)?\r\n")


class Unacceptable(Exception):
    """What was sent is answered with this status and error, and its connection ends."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Framing:
    """Follows one request after the other; for the next, `renew`."""

    __slots__ = ("_chunks", "_head", "_left", "_most_body", "_seen", "in_head", "is_whole")

    def __init__(self, most_body: int) -> None:
        self.renew(most_body)

    def renew(self, most_body: int) -> None:
        """Begins with the next request, whose body may have so many bytes."""
        self._most_body = most_body
        self.in_head = True
        """Whether its head has not ended yet."""
        self.is_whole = False
        """Whether all of it was seen."""
        self._head: bytearray | None = None
        self._seen = 0
        self._left = 0
        self._chunks: _Chunks | None = None

    @property
    def has_begun(self) -> bool:
        """Whether anything of it was seen."""
        return self._seen > 0 or not self.in_head

    def take(self, data: bytes, at: int = 0) -> int:
        """Follows `data` from `at` on; gives where the request, or `data`, ends. Raises `Unacceptable`."""
        if self.in_head:
            at = self._take_head(data, at)
            if self.in_head:
                return at
        if self._chunks is not None:
            at = self._chunks.take(data, at)
            self.is_whole = self._chunks.are_over
            return at
        here = min(self._left, len(data) - at)
        self._left -= here
        self.is_whole = not self._left
        return at + here

    def _take_head(self, data: bytes, at: int) -> int:
        if not self._seen:
            begins = at
            while begins < len(data) and data[begins] in b"\r\n":  # empty lines before a request mean nothing
                begins += 1
            end = data.find(b"\r\n\r\n", begins)
            if 0 <= end - at <= MOST_HEAD - 4:
                self._read_head(data[begins : end + 2])
                return end + 4
        return self._take_piece_of_head(data, at)

    def _take_piece_of_head(self, data: bytes, at: int) -> int:
        head = self._head = bytearray() if self._head is None else self._head
        known = len(head)
        head += data[at : at + MOST_HEAD + 1 - self._seen]
        if not known:
            del head[: len(head) - len(head.lstrip(b"\r\n"))]
        end = head.find(b"\r\n\r\n", max(0, known - 3))
        if end < 0:
            self._seen += len(data) - at
            if self._seen > MOST_HEAD:
                raise Unacceptable(431, "head_too_large")
            return len(data)
        rest = len(head) - end - 4
        taken = min(len(data), at + MOST_HEAD + 1 - self._seen) - rest
        self._seen += taken - at
        if self._seen > MOST_HEAD:
            raise Unacceptable(431, "head_too_large")
        self._read_head(bytes(head[: end + 2]))
        return taken

    def _read_head(self, head: bytes) -> None:
        self._head = None
        self.in_head = False
        length = _length_of(head)
        if length is None:
            self._chunks = _Chunks(self._most_body)
        elif length > self._most_body:
            raise Unacceptable(413, "body_too_large")
        else:
            self._left = length


def _length_of(head: bytes) -> int | None:
    """How long the body is that comes after a head; None where it comes in chunks. Raises `Unacceptable`."""
    lower = head.lower()
    lengths, codings = lower.count(_LENGTH), lower.count(_CODING)
    if not lengths and not codings:
        return 0
    if lengths + codings == 1:
        name = _LENGTH if lengths else _CODING
        begins = lower.find(name) + len(name)
        value = lower[begins : lower.find(b"\r\n", begins)].strip(b" \t")
        if codings and value == b"chunked":
            return None
        if lengths and value.isdigit() and len(value) < 20:
            return int(value)
    if not lengths and _is_unknown_coding([each.strip(b" \t") for each in _CODINGS.findall(lower)]):
        raise Unacceptable(501, "transfer_encoding_not_accepted")
    raise Unacceptable(400, "malformed")  # no length, or one that two servers could read differently


def _is_unknown_coding(lists: list[bytes]) -> bool:
    """Whether lists of transfer codings are some, and have one that is not `chunked`."""
    value = b",".join(lists)
    return _LIST.fullmatch(value) is not None and {each.strip() for each in value.split(b",")} != {b"chunked"}


class _Chunks:
    """Walks over the chunks of one body."""

    __slots__ = ("_decoded", "_framing", "_left", "_line", "_most", "are_over")

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = 0  # of a chunk, and of the line end after it
        self._line = b""  # of a size, what has come
        self._framing = 0
        self._decoded = 0
        self.are_over = False

    def take(self, data: bytes, at: int) -> int:
        """Follows `data` from `at` on; gives where the body, or `data`, ends. Raises `Unacceptable`."""
        if self._line:
            known = len(self._line)
            line = self._line + data[at : at + _MOST_SIZE_LINE]
            self._line = b""
            at += self._walk(line, 0, len(line), once=True) - known
        here = min(self._left, len(data) - at)
        self._left -= here
        return self._walk(data, at + here, len(data))

    def _walk(self, data: bytes, at: int, end: int, *, once: bool = False) -> int:
        """Goes from chunk to chunk; what hostile bodies cost is spent here, so it does without calls."""
        framing, decoded, most, size_at = self._framing, self._decoded, self._most, _SIZE.match
        while at < end and not self.are_over:
            found = size_at(data, at)
            size = int(found[1], 16) if found is not None else 0
            if found is None or not size:
                at = self._take_odd_line(data, at, found)
                break
            begins, at = at, found.end()
            framing += at - begins + 2
            decoded += size
            if decoded > most:
                raise Unacceptable(413, "body_too_large")
            if framing > MOST_FRAMING + decoded // 8:
                raise Unacceptable(413, "body_in_too_many_chunks")
            at += size + 2
            if once:
                break
        self._framing, self._decoded = framing, decoded
        self._left += max(0, at - end)
        return min(at, end)

    def _take_odd_line(self, data: bytes, at: int, found: re.Match[bytes] | None) -> int:
        """Reads what is no size of one more chunk, but a part of it or the end; gives where that ends."""
        if found is not None:
            return self._take_end(data, at, found.end())
        if len(data) - at > _MOST_SIZE_LINE or b"\n" in data[at:]:
            raise Unacceptable(400, "malformed")
        self._line = data[at:]
        return len(data)

    def _take_end(self, data: bytes, begins: int, at: int) -> int:
        """Reads what comes after the last chunk: no trailers, which nobody sends who has business here."""
        after = data[at : at + 2]
        if after == b"\r\n":
            self.are_over = True
            return at + 2
        if b"\r\n".startswith(after):
            self._line = data[begins:]
            return len(data)
        raise Unacceptable(400, "malformed")
