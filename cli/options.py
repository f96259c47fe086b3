"""What commands have in common: their options, how they read the configuration, how they end."""

import asyncio
import getpass
import logging
import os
from collections.abc import Coroutine
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

try:
    import uvloop
except ImportError:  # Windows has none
    uvloop = None  # type: ignore[assignment]

from config.load import load
from config.references import EVERYTHING, Use
from config.settings import Settings

T = TypeVar("T")

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="SEQUENCE_SYNC_CONFIG",
        help="The configuration file; by default ./sequence-sync.toml.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Exit(IntEnum):
    """Exit statuses of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOTHING_MATCHED = 3
    PARTLY = 4


class CommandError(Exception):
    """A command cannot do what it was asked; the text says why and what to do."""

    def __init__(self, text: str, status: Exit = Exit.FAILED) -> None:
        super().__init__(text)
        self.status = status


def typed(argument: str) -> str:
    """An argument as it was typed, in UTF-8, whatever the locale takes its bytes for."""
    return os.fsencode(argument).decode(errors="replace")


def operator() -> str:
    """Whose name stands in the audit record: that of the operating system, or a number where it has none."""
    try:
        return typed(getpass.getuser())
    except (KeyError, OSError):  # a container may run as a user that nobody wrote down
        return f"uid {os.getuid()}"


def settings_from(path: Path | None, *uses: Use) -> Settings:
    """The configuration, for these uses or for all of them. Raises `ConfigError`, which `main` prints."""
    return load(path, uses=frozenset(uses) or EVERYTHING)


def quiet() -> None:
    """Lets a command say itself what it did; of what the rooms log, only errors are shown."""
    from admin.logs import configure_logs  # noqa: PLC0415 - most commands need no logs

    configure_logs("command", level=logging.ERROR)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end, or until it is told to stop; on uvloop where there is one."""
    from cli.stopping import stoppable, unheard  # noqa: PLC0415

    stoppable_work = stoppable(work, unheard())
    return uvloop.run(stoppable_work) if uvloop else asyncio.run(stoppable_work)


def end(status: Exit) -> NoReturn:
    """Ends the command with this status."""
    raise typer.Exit(status)
