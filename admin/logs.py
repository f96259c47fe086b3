"""Logging: one JSON object a line, or coloured lines on a terminal. Ids only, never a meeting's text."""

import asyncio
import contextlib
import logging
import sys
import traceback
from collections import deque
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from redis.exceptions import RedisError

from admin.printable import printable, printable_json
from config.errors import ConfigError

_HARMLESS = (ConfigError, OSError, RedisError)
"""Errors whose own words hold nothing that was sent to us."""

Caught = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logs(process: str, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends our own and the libraries' log lines to `stream`, or stderr, each with the name of the process.

    Ours do not go by way of Python's logging, where a line costs three times as much.
    """
    stream = stream or sys.stderr
    shared: list[Any] = [structlog.contextvars.merge_contextvars]
    if stream.isatty():
        shared += [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
        shared.append(_printable_values)
        render: Any = structlog.dev.ConsoleRenderer(exception_formatter=_print_exception)
    else:
        render = _json_line
    lines = _Lines(stream)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # arq prints a job's arguments and results; the others print request lines and addresses.
    for name in ("arq", "aiohttp", "asyncio", "google", "googleapiclient", "msal", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(process=process)


class _Lines:
    """Where our lines go. That they cannot be written, to a full disk or to nobody, is no reason to stop.

    What tells of the usual is written once a turn of the event loop, what goes wrong at once.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()  # threads may append
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that is to write what waits

    def info(self, line: str) -> None:
        self._waiting.append(line)
        if len(self._waiting) > 1 and self._loop is not None and not self._loop.is_closed():
            return  # it goes with those before it
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # before the event loop, after it, or in a thread beside it
            self._write()
        else:
            self._loop.call_soon(self._write)

    def warning(self, line: str) -> None:
        self._waiting.append(line)
        self._write()

    debug = info
    error = critical = exception = warning

    def _write(self) -> None:
        lines = [self._waiting.popleft() + "\n" for _ in range(len(self._waiting))]
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write("".join(lines))
            self._stream.flush()


def _json_line(_logger: Any, level: str, line: MutableMapping[str, Any]) -> str:
    """All that structlog has four processors for, which take as long as to store a callback's parts."""
    line["level"] = level
    line["timestamp"] = datetime.now(UTC)
    if "exc_info" in line:
        line = _RENDER_EXCEPTION(_logger, level, line)
    text = _encode(line)
    if text.isascii() and b"\x7f" not in text:
        return text.decode()
    return printable_json(text.decode(), ascii_only=True)  # for whatever it is written to, and shown by


def _printable_values(_logger: Any, _level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For a terminal: JSON has codes of its own for most of what steers one."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = printable(value)
    return line


_encode = msgspec.json.Encoder(enc_hook=repr).encode


def _exception_text(exc_info: Caught) -> str:
    """Where an exception and what caused it were raised, as Python shows it, but for what they say.

    A parser's error repeats what it could not read: a meeting's text.
    """
    return "\n".join(_exception_lines(exc_info[1]))


def _exception_lines(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _exception_lines(before)
        yield "then:"
    yield from "".join(traceback.format_tb(error.__traceback__)).splitlines()
    # Redis repeats the arguments of a command that it does not know.
    words = f": {error}".partition(", with args")[0] if isinstance(error, _HARMLESS) else ""
    yield f"{type(error).__qualname__}{words}"


_RENDER_EXCEPTION = structlog.processors.ExceptionRenderer(_exception_text)


def _print_exception(stream: TextIO, caught: Caught) -> None:
    stream.write("\n" + printable(_exception_text(caught), keep="\n"))
