"""What is wrong with a request, in the shape of Cronofy's 422: every wrong field in one answer.

`{"errors": {"required_duration": [{"key": "errors.required", "description": "required"}]}}`, where the field
is the parameter's own name. We add a `path` to each entry, which says where: `sequence[1].required_duration`.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

MOST = 1_000
"""No answer names more problems than these."""
BODY = "body"
"""The field of what is wrong with a request as a whole."""


class Key(StrEnum):
    """What kind of problem it is, for programs. The first is Cronofy's own, the others are ours."""

    REQUIRED = "errors.required"
    """Missing, or null."""
    TYPE = "errors.invalid_type"
    """Not of the parameter's type."""
    INVALID = "errors.invalid"
    """Of the right type, but no allowed value."""
    TOO_FEW = "errors.too_few"
    TOO_MANY = "errors.too_many"
    DUPLICATE = "errors.duplicate"
    """Something that there may be one of only."""
    UNKNOWN = "errors.unknown"
    """A person, calendar or time zone that we do not know."""
    UNSUPPORTED = "errors.not_supported"
    """Cronofy has it, we do not."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong; the description is for people."""

    key: Key
    description: str
    path: str


class Invalid(Exception):
    """The request is answered with 422; `errors` are its problems by field, as JSON shows them."""

    def __init__(self, errors: Mapping[str, tuple[Problem, ...]]) -> None:
        super().__init__(
            "\n".join(f"{each.path}: {each.description}" for some in errors.values() for each in some)
        )
        self.errors = errors


class Problems:
    """Collects what is wrong with one request."""

    def __init__(self) -> None:
        self._errors: dict[str, list[Problem]] = {}
        self._room = MOST

    def add(self, path: str, key: Key, description: str) -> None:
        """Notes a problem of the parameter at this path, `sequence[1].required_duration`.

        Raises:
            Invalid: there are so many that no more are looked for.
        """
        field = path.rpartition(".")[2].partition("[")[0] or BODY
        self._errors.setdefault(field, []).append(Problem(key, description, path))
        self._room -= 1
        if not self._room:
            self.check()

    def check(self) -> None:
        """Passes where nothing is wrong.

        Raises:
            Invalid: something is.
        """
        if self._errors:
            raise Invalid({field: tuple(some) for field, some in self._errors.items()})
