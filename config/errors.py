"""What can be wrong with a configuration."""

from collections.abc import Sequence


class ConfigError(ValueError):
    """The configuration cannot be used.

    Attributes:
        problems: one text for each thing to mend: where, what, and what to do. No text holds a secret.
        source: the file the problems are in, where there is one.
    """

    def __init__(self, problems: Sequence[str], source: str | None = None) -> None:
        super().__init__(problems, source)
        self.problems = list(problems)
        self.source = source

    def __str__(self) -> str:
        if self.source is None:
            return "\n".join(self.problems)
        count = len(self.problems)
        heading = f"{self.source}: {count} problem{'' if count == 1 else 's'}"
        return "\n".join([heading, *(f"  - {problem}" for problem in self.problems)])


class SecretError(ConfigError):
    """A secret cannot be read: its variable or file is missing, empty, or not text."""

    def __init__(self, problem: str) -> None:
        super().__init__([problem])
        self.args = (problem,)  # what pickle and copy call __init__ with
