"""Times as an operator writes them: `2h` ago, or a time of day."""

from datetime import UTC, datetime

from cli.options import CommandError, Exit
from config.durations import seconds


def moment_option(name: str, text: str | None, now_ms: int) -> int | None:
    """Unix milliseconds of `--since` or `--until`, reckoned once, when the command starts.

    Raises `CommandError` where the text is neither a duration (`90m`, `2h`, `3d`: that long ago) nor a time
    such as `2026-11-20T03:00` (UTC where it names no offset).
    """
    if text is None:
        return None
    try:
        return now_ms - int(seconds(text) * 1000)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f'--{name} {text}: write how long ago ("2h", "3d") or a time ("2026-11-20T03:00")', Exit.USAGE
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
