"""Times as an operator writes them: `2h` ago, or a time of day."""

from bookings.clock import moment_from
from cli.options import CommandError, Exit
from config.durations import seconds


def moment_option(name: str, text: str | None, now_ms: int) -> int | None:
    """Unix milliseconds of `--since` or `--until`, reckoned once, when the command starts.

    Raises `CommandError` where the text is none of what `bookings.clock.moment_from` understands.
    """
    if text is None:
        return None
    try:
        return moment_from(text, now_ms)
    except ValueError as error:
        raise CommandError(f"--{name} {text}: {error}", Exit.USAGE) from None


def duration_option(name: str, text: str) -> float:
    """Seconds of an option such as `10s`. Raises `CommandError`."""
    try:
        return seconds(text)
    except ValueError as error:
        raise CommandError(f"--{name}: {error}", Exit.USAGE) from None
