"""One line of the check."""

from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, NamedTuple

DEFECT = "this is a defect of ours; please report it"


class Level(StrEnum):
    """Whether something has to be done. Only `wrong` makes the command fail."""

    RIGHT = "right"
    WARNING = "warning"
    WRONG = "wrong"


class Finding(NamedTuple):
    """One line of the check; `remedy` is empty where nothing is to be done. Never a secret."""

    subject: str
    level: Level
    words: str
    remedy: str = ""


class Check(NamedTuple):
    """Something to look at, which may take a while."""

    subject: str
    look: Callable[[], Coroutine[Any, Any, list[Finding]]]


def right(subject: str, words: str) -> Finding:
    """Nothing is to be done."""
    return Finding(subject, Level.RIGHT, words)


def warning(subject: str, words: str, remedy: str) -> Finding:
    """It works, and deserves a look."""
    return Finding(subject, Level.WARNING, words, remedy)


def wrong(subject: str, words: str, remedy: str) -> Finding:
    """It does not work, or loses something."""
    return Finding(subject, Level.WRONG, words, remedy)
