"""A row of the tables."""

from typing import NamedTuple


class Advice(NamedTuple):
    """What a code means, and what to do; `{provider}` and `{name}` stand for the account's."""

    cause: str
    remedy: str
