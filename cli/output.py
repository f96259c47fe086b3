"""Data on stdout, words on stderr. What came from outside is neither markup nor an order to the terminal."""

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from admin.printable import printable, printable_json
from cli.options import CommandError, Exit
from cli.streams import has_unicode

_WIDTH = 160
"""Of a table that no terminal limits: one that a file or another program gets."""


class Words:
    """What a command says on stderr."""

    def print(self, text: str = "", *, lead: str = "", style: str = "bold") -> None:
        """One line, or none; `lead` stands before it, in a style of its own."""
        _console(sys.stderr, soft_wrap=True).print(Text.assemble((printable(lead), style), printable(text)))

    @contextmanager
    def status(self, text: str) -> Iterator["Waiting"]:
        """Shows on a terminal that something is under way."""
        spinner = "dots" if has_unicode(sys.stderr) else "line"
        with Status(Text(printable(text)), console=_console(sys.stderr), spinner=spinner) as status:
            yield Waiting(status)


class Waiting:
    """What is said while something is under way."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def update(self, text: str) -> None:
        """Says something else."""
        self._status.update(Text(printable(text)))


words = Words()


def print_json(data: Any) -> None:
    """One JSON document on stdout."""
    print_json_line(json.dumps(data, indent=2, ensure_ascii=False))


def print_json_line(text: str) -> None:
    """JSON that is text already."""
    sys.stdout.write(printable_json(text, ascii_only=not has_unicode(sys.stdout)) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table on stdout: as wide as the terminal, or as wide as its content where there is none.

    A cell that is a `Text` is shown in its style, and as it is.
    """
    console = _console(sys.stdout, width=None if sys.stdout.isatty() else _WIDTH)
    table = Table(header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    console.print(table)


def lines(texts: Iterable[str]) -> Text:
    """A cell with several lines."""
    return Text("\n".join(map(printable, texts)))


async def confirmed(question: str) -> bool:
    """Asks on the terminal. Raises `CommandError` where there is none: then `--yes` has to say it."""
    if not sys.stdin.isatty():
        raise CommandError(f"this would {question}; say --yes", Exit.USAGE)
    sys.stderr.write(f"{printable(question)}? [y/N] ")
    sys.stderr.flush()
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()
    loop.add_reader(sys.stdin, answered.set)  # read at once, a terminal would keep Ctrl-C from being heard
    try:
        await answered.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _console(stream: Any, **options: Any) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False, **options)
