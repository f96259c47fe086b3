"""Command lines in texts, held to the command line itself."""

import re
import shlex
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.main import app

_LINE = re.compile(r"(?<![\w/.-])sequence-sync ((?:[a-z][a-z-]*)(?: [^`\n|#;>]*)?)")

_STANDS_FOR = {"PROVIDER": "google"}
"""What a word in capitals may be, where not every word will do."""


def commands_of(text: str) -> list[str]:
    """What stands behind `sequence-sync` in each command line of a text."""
    return [
        found.strip()
        for found in _LINE.findall(text)
        if found.split()[0] in typer.main.get_group(app).commands
    ]


def parses(line: str) -> bool:
    """Whether this is a command with options that it has; nothing is run."""
    command: Any = typer.main.get_group(app)
    context = typer.Context(command)
    arguments = [_STANDS_FOR.get(word, word) for word in shlex.split(line)]
    while isinstance(command, TyperGroup):
        if not arguments or arguments[0] not in command.commands:
            return False
        name = arguments.pop(0)
        command = command.commands[name]
        context = typer.Context(command, parent=context, info_name=name)
    try:
        command.parse_args(context, arguments)
    except (TyperException, typer.Exit):
        return False
    return True
