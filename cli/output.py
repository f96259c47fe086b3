"""Data on stdout, words on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.options import CommandError, Exit

words = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """A table on stdout: as wide as the terminal, or as wide as its content where there is none."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def confirmed(question: str) -> bool:
    """Asks on the terminal. Raises `CommandError` where there is none: then `--yes` has to say it."""
    if not sys.stdin.isatty():
        raise CommandError(f"this would {question}; say --yes", Exit.USAGE)
    return words.input(f"{question}? [y/N] ").strip().lower() in ("y", "yes")
