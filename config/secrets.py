"""Secrets by reference: a configuration says where a secret is, never what it is."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.errors import SecretError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HOW = 'not a reference to a secret; write "env:NAME" or "file:PATH" (what stands there is not repeated here)'
_LOOK_AGAIN_AFTER = 1.0  # seconds; a rotated file is seen this soon, and a busy receiver reads it this seldom


class Secret:
    """A reference to a secret, `env:NAME` or `file:PATH`.

    A file is looked at again at most once a second, so a rotated secret is used without a restart. While
    the file is missing or empty, as it may be in the middle of being replaced, the last value stays in use.
    repr, str, pickle and JSON carry the reference only.
    """

    __slots__ = (
        "_bytes",
        "_clock",
        "_look_again",
        "_of",
        "_source",
        "_text",
        "path",
        "reference",
        "variable",
        "written",
    )

    def __init__(
        self,
        reference: str,
        *,
        folder: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a reference; nothing is read yet.

        Args:
            reference: `env:NAME` or `file:PATH`; any other text is refused and not repeated.
            folder: what a relative PATH is relative to; by default the working directory.
            environ: where NAME is looked up.
            clock: seconds that never go back.

        Raises:
            SecretError: it is not a reference.
        """
        kind, _, name = reference.partition(":")
        self.path: Path | None = None
        self.variable: str | None = None
        if kind == "env" and _VARIABLE.fullmatch(name):
            self._source: Callable[[], bytes] = lambda: _from_variable(name, environ)
            self.variable = name
        elif kind == "file" and name and "\0" not in name:
            self.path = path = ((folder or Path()) / name).absolute()
            reference = f"file:{path}"
            self._source = lambda: _from_file(path)
        else:
            raise SecretError(_HOW)
        self.reference = reference
        self.written = f"{kind}:{os.path.normpath(name)}"
        """The reference as the configuration has it: a relative path stays relative."""
        self._clock = clock
        self._bytes: bytes | None = None
        self._look_again = 0.0
        self._text, self._of = "", b""  # of which bytes it is the text

    @property
    def is_read(self) -> bool:
        """Whether it was wanted so far."""
        return self._bytes is not None

    def value(self, *, fresh: bool = False) -> str:
        """The secret as text, without one line end at its end.

        Args:
            fresh: look now, and fail rather than fall back on the last value.

        Raises:
            SecretError: it is missing, empty or not UTF-8; says what to do.
        """
        raw = self.read_bytes(fresh=fresh)
        if raw is not self._of:
            self._text, self._of = self._as_text(raw), raw
        return self._text

    def read_bytes(self, *, fresh: bool = False) -> bytes:
        """The secret as it stands, for what is not text, such as a PKCS #12 file; otherwise as `value`."""
        now = self._clock()
        if self._bytes is None or fresh:
            self._bytes = self._source()
            self._look_again = now + _LOOK_AGAIN_AFTER
        elif now >= self._look_again:
            self._look_again = now + _LOOK_AGAIN_AFTER
            try:
                self._bytes = self._source()
            except SecretError:
                return self._bytes
        return self._bytes

    def _as_text(self, raw: bytes) -> str:
        try:
            text = raw.decode("utf-8-sig")  # Windows editors put a byte order mark first
        except UnicodeDecodeError:
            text = None
        if text is None:  # raised out here: a UnicodeDecodeError carries the bytes along
            raise SecretError(f"{self.reference} is not UTF-8 text; save it as UTF-8")
        return text.removesuffix("\n").removesuffix("\r")

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __str__(self) -> str:
        return self.reference

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reference == other.reference

    def __hash__(self) -> int:
        return hash(self.reference)

    def __reduce__(self) -> tuple[Any, ...]:
        return Secret, (self.reference,)


def secrets_in(value: object) -> Iterator[Secret]:
    """Gives the secrets of a configuration, or of a part of it."""
    match value:
        case Secret():
            yield value
        case tuple():
            for each in value:
                yield from secrets_in(each)
        case BaseModel():
            for name in type(value).model_fields:
                yield from secrets_in(getattr(value, name))


def _from_variable(name: str, environ: Mapping[str, str]) -> bytes:
    value = environ.get(name)
    if value is None:
        raise SecretError(
            f"the environment variable {name} is not set; set it for this process, or change the reference"
        )
    if not value.strip():
        raise SecretError(f"the environment variable {name} is empty; put the secret in it")
    return os.fsencode(value)


def _from_file(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SecretError(f"there is no file {path}; put the secret there, or change the reference") from None
    except OSError as error:
        raise SecretError(
            f"the file {path} cannot be read ({error.strerror}); make it a file that this user may read"
        ) from None
    if not raw.strip():
        raise SecretError(f"the file {path} is empty; put the secret in it")
    return raw
