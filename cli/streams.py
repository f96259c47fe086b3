"""stdin, stdout and stderr as every command finds them, however it was started.

What is closed is opened on nothing: otherwise a socket would get its number, and libuv aborts a process that
closes one of those three. What an encoding does not have is written as its code. Data that cannot be written
ends the command with words of its own, told from trouble with Redis; that nobody hears our words is no reason
to stop.
"""

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO


class OutputError(Exception):
    """Data could not be written to stdout. No `OSError`: those are trouble with Redis, or with a file."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write the output: {error.strerror}")
        self.is_unread = error.errno == errno.EPIPE
        """Whether what read it has had enough, as `head` has: nothing to speak of."""


class _Guarded(io.RawIOBase):
    """Writes to what a stream writes to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream  # closed with its last reference
        self._raw = getattr(stream.buffer, "raw", stream.buffer)  # with -u there is no buffer between

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        number: int = self._raw.fileno()
        return number

    def isatty(self) -> bool:
        return bool(self._raw.isatty())


class _Data(_Guarded):
    def write(self, data: Any) -> int | None:
        try:
            written: int | None = self._raw.write(data)
        except OSError as error:
            raise OutputError(error) from None
        return written


class _Words(_Guarded):
    def write(self, data: Any) -> int | None:
        try:
            written: int | None = self._raw.write(data)
        except OSError:
            return len(data)
        return written


def prepare() -> None:
    """Makes the three of them what every command counts on. Called before anything else is done."""
    sys.stdin = sys.stdin or _nothing("r")
    sys.stdout = _over(_Data, sys.stdout or _nothing("w"))
    sys.stderr = _over(_Words, sys.stderr or _nothing("w"))


def give_up_output() -> None:
    """Drops what could not be written, so that Python does not try once more at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def has_unicode(stream: TextIO) -> bool:
    """Whether a stream has letters of every language, and lines to draw tables with."""
    return stream.encoding.lower().startswith("utf")


def _nothing(mode: str) -> Any:
    """Opens nothing, under the lowest number that is free: the one that was closed. Children inherit it."""
    stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - it stays open to the end
    os.set_inheritable(stream.fileno(), True)
    return stream


def _over(guarded: type[_Guarded], stream: TextIO) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(guarded(stream)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=guarded is _Words or stream.isatty(),
    )
